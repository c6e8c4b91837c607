/*
 * calendar.tsx
 *		A branch's day or week, doctors as columns: who is booked, what is
 *		free, and why the rest is not; on the branch's wall clock.
 */
import { useMemo, useState } from "preact/hooks";
import { type Appointment, type Slot } from "../api";
import { branch, branchDoctors, department, doctorsOf, patients } from "../clinic";
import { language, words } from "../i18n";
import { DepartmentChoice } from "../parts/doctor-picker";
import { Icon } from "../parts/icon";
import { Empty, Shown } from "../parts/states";
import { place, refine } from "../router";
import { may } from "../session";
import { addDays, dateOf, monday, shown, today, weekday } from "../time";
import { layoutOf } from "./calendar-cells";
import { AppointmentDialog, BookDialog, CancelDialog, MoveDialog, type Target } from "./calendar-dialogs";
import { FirstFreeDialog } from "./calendar-first";
import { Grid } from "./calendar-grid";
import { useSpan } from "./calendar-read";

const NARROW = matchMedia("(max-width: 55rem)");

type Open =
    | { what: "first" }
    | { what: "book"; doctor: string; point: Slot; visitType?: string }
    | { what: "look"; appointment: Appointment }
    | { what: "move"; appointment: Appointment; target?: Target }
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
    const loaded = useSpan(here, list, from, to);
    const close = () => setOpen(null);
    const done = () => {
        close();
        loaded.reload();
    };

    const names = list.map((d) => `${d.doctor_id} ${d.name}`).join();
    const stepMin = here?.slot_min ?? 15;
    const layout = useMemo(() => loaded.data && layoutOf(loaded.data,
        Array.from({ length: week ? 7 : 1 }, (_, n) => addDays(from, n)), list, zone, stepMin),
    [loaded.data, names, zone, stepMin]);

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
                {() => !layout || list.length === 0 ? <Empty icon="calendar" title={w.calendar.noDoctors} /> : (
                    <Grid layout={layout} zone={zone} patients={patients.value}
                        write={may("appointments:write")} isCovered={open !== null}
                        onBook={(doctor, point) => setOpen({ what: "book", doctor, point })}
                        onLook={(appointment) => setOpen({ what: "look", appointment })}
                        onMove={(appointment, target) => setOpen({ what: "move", appointment, target })}
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
                    onClose={close} onDone={(to) => {
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
