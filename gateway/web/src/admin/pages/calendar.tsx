/*
 * calendar.tsx
 *		A branch's day or week, doctors as columns: who is booked, what is
 *		free, and why the rest is not. EventCalendar draws it, on the branch's
 *		wall clock, which it is given as if it were the browser's.
 */
import { useMemo, useRef, useState } from "preact/hooks";
import { api, ask, askAll, type Appointment, type Doctor, type Point, type Slot } from "../api";
import { branch, branchDoctors, department, doctorsOf, learnPatients, patients } from "../clinic";
import { language, words } from "../i18n";
import { useLive } from "../live";
import { DepartmentChoice } from "../parts/doctor-picker";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { Empty, Shown } from "../parts/states";
import { place, refine } from "../router";
import { may } from "../session";
import { addDays, dateOf, monday, shown, today, wall, weekday } from "../time";
import { AppointmentDialog, BookDialog, CancelDialog, MoveDialog, type Target } from "./calendar-dialogs";
import { FirstFreeDialog } from "./calendar-first";
import { Grid, hoursOf, minutesOf, type Cell } from "./calendar-grid";

interface Span {
    appointments: Appointment[];
    points: Map<string, Point[]>;
}

const SHORTEST_MIN = 5;
const NARROW = matchMedia("(max-width: 55rem)");

async function read(branch_id: string, doctors: Doctor[], from: string, to: string): Promise<Span> {
    const [appointments, lists] = await Promise.all([
        askAll((page) => api.GET("/api/v1/appointments",
            { params: { query: { branch_id, date_from: from, date_to: to, ...page } } })),
        Promise.all(doctors.map((d) => ask(api.GET("/api/v1/appointments/slots/explain-day",
            { params: { query: { doctor_id: d.doctor_id, branch_id, date: from,
                date_to: to === from ? undefined : to } } })))),
    ]);

    void learnPatients(appointments.map((a) => a.patient_id));
    return { appointments, points: new Map(doctors.map((d, n) => [d.doctor_id, lists[n]])) };
}

/* What the grid shows: appointments, free slots, and stretches that are not. */
function cellsOf({ appointments, points }: Span, zone: string): Cell[] {
    const there = appointments.filter((a) => a.status !== "cancelled");
    const cells: Cell[] = there.map((a) => ({
        kind: "appointment", id: a.appointment_id, doctor: a.doctor_id, appointment: a,
        start: wall(a.slot_start, zone), end: wall(a.slot_end, zone),
    }));

    for (const [doctor, list] of points) {
        const mine = there.filter((a) => a.doctor_id === doctor)
            .map((a) => [Date.parse(a.slot_start), Date.parse(a.slot_end)]);
        let last: Extract<Cell, { kind: "blocked" }> | undefined;

        for (const point of list) {
            const start = wall(point.start_time, zone);
            const end = wall(point.end_time, zone);

            if (point.free) {
                cells.push({ kind: "free", id: `free ${doctor} ${point.start_time}`, doctor, start, end, point });
                last = undefined;
                continue;
            }
            const [from, to] = [Date.parse(point.start_time), Date.parse(point.end_time)];
            const over = mine.find(([s, e]) => s < to && from < e);
            if (over && (point.reason === "taken" || (over[0] <= from && to <= over[1]))) {
                last = undefined;
                continue;
            }
            if (last && last.reason === point.reason && last.end === start) {
                last.end = end;
                continue;
            }
            last = { kind: "blocked", id: `not ${doctor} ${point.start_time}`, doctor, start, end,
                reason: point.reason ?? "", detail: point.detail ?? "" };
            cells.push(last);
        }
    }
    return cells;
}

/* The hours of the grid in which a doctor does not work. */
function outside(cells: Cell[], doctors: Doctor[], days: string[]): Cell[] {
    const [low, high] = hoursOf(cells);
    const found: Cell[] = [];

    for (const day of days) {
        for (const { doctor_id } of doctors) {
            const end = `${day}T${high}:00`;
            let at = `${day}T${low}:00`;
            const gap = (to: string) => {
                if (minutesOf(to) - minutesOf(at) >= SHORTEST_MIN || to.slice(0, 10) > day)
                    found.push({ kind: "outside", id: `outside ${doctor_id} ${at}`, doctor: doctor_id, start: at, end: to });
            };

            for (const cell of cells.filter((c) => c.doctor === doctor_id && c.start.slice(0, 10) === day)
                .sort((a, b) => (a.start < b.start ? -1 : 1))) {
                if (cell.start > at)
                    gap(cell.start);
                if (cell.end > at)
                    at = cell.end;
            }
            if (at < end)
                gap(end);
        }
    }
    return found;
}

type Open =
    | { what: "first" }
    | { what: "book"; doctor: string; point: Slot; visitType?: string }
    | { what: "look"; appointment: Appointment }
    | { what: "move"; appointment: Appointment; target?: Target; revert?: () => void }
    | { what: "cancel"; appointment: Appointment };

export function Calendar() {
    const w = words.value;
    const here = branch.value;
    const zone = here?.time_zone ?? "UTC";
    const query = place.value.query;
    const date = /^\d{4}-\d\d-\d\d$/.test(query.date ?? "") ? query.date : today(zone);
    const week = query.view === "week";
    const from = week ? monday(date) : date;
    const to = week ? addDays(from, 6) : date;
    const there = doctorsOf(department.value);
    const asked = there.some((d) => d.doctor_id === query.doctor) ? query.doctor : "";
    const one = asked || (NARROW.matches ? there[0]?.doctor_id : "");
    const list = there.filter((d) => !one || d.doctor_id === one);
    const [open, setOpen] = useState<Open | null>(null);
    const loaded = useLoad(() => read(here?.branch_id ?? "", list, from, to),
        [here?.branch_id, from, to, list.map((d) => d.doctor_id)]);
    const pause = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
    const close = () => setOpen(null);
    const done = () => {
        close();
        loaded.reload();
    };

    useLive((change) => {
        if (change && (change.branch_id !== here?.branch_id || change.date < from || change.date > to
                || !list.some((d) => d.doctor_id === change.doctor_id)))
            return;
        clearTimeout(pause.current);
        pause.current = setTimeout(loaded.reload, 100);
    });
    const data = loaded.data;
    const days = useMemo(() => Array.from({ length: week ? 7 : 1 }, (_, n) => addDays(from, n)), [from, week]);
    const cells = useMemo(() => {
        const inside = data ? cellsOf(data, zone) : [];

        return data ? [...inside, ...outside(inside, list, days)] : inside;
    }, [data, zone, days]);

    if (!here)
        return <Empty icon="branch" title={w.today.noBranch} />;
    const step = week ? 7 : 1;
    return (
        <>
            <div class="page-head">
                <h1>{w.calendar.title} <span class="sub">
                    {week ? `${shown(from)} – ${shown(to)}` : `${weekday(date, language.value)}, ${shown(date)}`}
                </span></h1>
                {may("appointments:write") && (
                    <button type="button" onClick={() => setOpen({ what: "first" })}>
                        <Icon name="search" />{w.calendar.first}</button>
                )}
            </div>
            <div class="tools" role="group" aria-label={w.calendar.tools}>
                <button type="button" class="icon-button framed" aria-label={week ? w.calendar.weekBack : w.calendar.dayBack}
                    onClick={() => refine({ date: addDays(date, -step) })}><Icon name="left" /></button>
                <button type="button" onClick={() => refine({ date: today(zone) })}>{w.today.title}</button>
                <button type="button" class="icon-button framed" aria-label={week ? w.calendar.weekOn : w.calendar.dayOn}
                    onClick={() => refine({ date: addDays(date, step) })}><Icon name="right" /></button>
                <input type="date" aria-label={w.common.date} value={date} onChange={(event) => {
                    if (event.currentTarget.value !== "")
                        refine({ date: event.currentTarget.value });
                }} />
                <div class="switch" role="group" aria-label={w.calendar.span}>
                    <button type="button" aria-pressed={!week} onClick={() => refine({ view: "" })}>{w.calendar.day}</button>
                    <button type="button" aria-pressed={week} onClick={() => refine({ view: "week" })}>{w.calendar.week}</button>
                </div>
                <DepartmentChoice />
                {branchDoctors.value.length > 1 && (
                    <select aria-label={w.common.doctor} value={one} onChange={(event) =>
                        refine({ doctor: event.currentTarget.value })}>
                        {!NARROW.matches && <option value="">{w.common.allDoctors}</option>}
                        {there.map((d) => <option key={d.doctor_id} value={d.doctor_id}>{d.name}</option>)}
                    </select>
                )}
                <Legend />
            </div>
            <Shown loaded={loaded}>
                {() => list.length === 0 ? <Empty icon="calendar" title={w.calendar.noDoctors} /> : (
                    <Grid days={days} doctors={list} cells={cells} zone={zone} stepMin={here.slot_min}
                        patients={patients.value} write={may("appointments:write")} isCovered={open !== null}
                        onBook={(doctor, point) => setOpen({ what: "book", doctor, point })}
                        onLook={(appointment) => setOpen({ what: "look", appointment })}
                        onMove={(appointment, target, revert) =>
                            setOpen({ what: "move", appointment, target, revert })}
                        onCancel={(appointment) => setOpen({ what: "cancel", appointment })}
                        onStep={(steps) => refine({ date: addDays(date, steps * step) })} />
                )}
            </Shown>
            {open?.what === "first" && (
                <FirstFreeDialog zone={zone} onClose={close}
                    onBook={(doctor, point, visitType) => setOpen({ what: "book", doctor, point, visitType })}
                    onShow={(doctor, start) => {
                        close();
                        refine({ date: dateOf(start, zone), doctor });
                    }} />
            )}
            {open?.what === "book" && (
                <BookDialog doctor={open.doctor} point={open.point} visitType={open.visitType} zone={zone} onClose={close} onDone={done}
                    onStale={loaded.reload} />
            )}
            {open?.what === "look" && (
                <AppointmentDialog appointment={open.appointment} zone={zone} onClose={close} onDone={done}
                    onMove={() => setOpen({ what: "move", appointment: open.appointment })}
                    onCancel={() => setOpen({ what: "cancel", appointment: open.appointment })} />
            )}
            {open?.what === "move" && (
                <MoveDialog appointment={open.appointment} target={open.target} zone={zone}
                    onClose={() => {
                        open.revert?.();
                        close();
                    }} onDone={(to) => {
                        const day = dateOf(to.slot_start, zone);

                        done();
                        if (day < from || day > addDays(from, step - 1))
                            refine({ date: day });
                    }} onUndone={loaded.reload} />
            )}
            {open?.what === "cancel" && (
                <CancelDialog appointment={open.appointment} zone={zone} onClose={close} onDone={done} />
            )}
        </>
    );
}

function Legend() {
    const w = words.value;

    return (
        <ul class="legend" aria-label={w.calendar.legend}>
            <li><span class="swatch free" />{w.calendar.free}</li>
            {(["booked", "checked_in", "in_consultation", "completed", "no_show"] as const).map((status) =>
                <li key={status}><span class={`swatch ${status}`} />{w.status[status]}</li>)}
            <li><span class="swatch blocked" />{w.calendar.blocked}</li>
        </ul>
    );
}
