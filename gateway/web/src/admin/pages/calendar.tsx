/*
 * calendar.tsx
 *		A branch's day or week, doctors as columns: who is booked, what is
 *		free, and why the rest is not; on the branch's wall clock.  Its frame is
 *		there before what it shows is read, and stays from day to day.
 */
import { useMemo, useRef, useState } from "preact/hooks";
import { type Appointment, type Slot } from "../api";
import { branch, branchDoctors, department, doctorsOf } from "../clinic";
import { dateIn, NARROW } from "../first";
import { weekday, words } from "../i18n";
import { offerWords } from "../i18n/offers";
import { DateChoice } from "../parts/date-choice";
import { DepartmentChoice } from "../parts/doctor-picker";
import { Icon } from "../parts/icon";
import { Empty, Failed, Loading } from "../parts/states";
import { pause } from "../pause";
import { place, refine } from "../router";
import { may } from "../session";
import { addDays, dateOf, monday, shown, today } from "../time";
import { blankOf, layoutOf, type Layout } from "./calendar-cells";
import { AppointmentDialog, BookDialog, CancelDialog, MoveDialog, type Target } from "./calendar-dialogs";
import { FirstFreeDialog } from "./calendar-first";
import { BookingFor } from "./calendar-for";
import { Grid, theBoard } from "./calendar-grid";
import { OffersDialog } from "./calendar-offers";
import { useSpan } from "./calendar-read";

/* So long after it was loaded its frame is made, while nobody waits for it. */
const READY_MS = 3000;

void pause(READY_MS).then(() => {
    const here = branch.value;

    if (here)
        theBoard().prepare(blankOf([today(here.time_zone)], doctorsOf(department.value), here.slot_min), here.time_zone);
});

type Open =
    | { what: "first" }
    | { what: "offers" }
    | { what: "book"; doctor: string; point: Slot; visitType?: string }
    | { what: "look"; appointment: Appointment }
    | { what: "move"; appointment: Appointment; target?: Target }
    | { what: "cancel"; appointment: Appointment };

export function Calendar() {
    const w = words.value;
    const here = branch.value;
    const zone = here?.time_zone ?? "UTC";
    const query = place.value.query;
    const date = dateIn(query, today(zone));
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
    const last = useRef<Layout | undefined>(undefined);
    const layout = useMemo(() => {
        const days = Array.from({ length: week ? 7 : 1 }, (_, n) => addDays(from, n));

        if (!loaded.data)
            return blankOf(days, list, stepMin, last.current);
        last.current = layoutOf(loaded.data, days, list, stepMin);
        return last.current;
    }, [loaded.data, from, week, names, stepMin]);

    if (!here)
        return <Empty icon="branch" title={w.today.noBranch} />;
    const step = week ? 7 : 1;
    return (
        <>
            <div class="page-head">
                <h1>{w.calendar.title} <span class="sub">
                    {week ? `${shown(from)} – ${shown(to)}` : `${weekday(date)}, ${shown(date)}`}
                </span></h1>
                <button type="button" onClick={() => setOpen({ what: "offers" })}>{offerWords.value.title}</button>
                {may("appointments:write") && (
                    <button type="button" onClick={() => setOpen({ what: "first" })}>
                        <Icon name="search" />{w.calendar.first}</button>
                )}
            </div>
            <BookingFor />
            <div class="tools" role="group" aria-label={w.calendar.tools}>
                <button type="button" class="icon-button framed" aria-label={week ? w.calendar.weekBack : w.calendar.dayBack}
                    onClick={() => refine({ date: addDays(date, -step) })}><Icon name="left" /></button>
                <button type="button" onClick={() => refine({ date: today(zone) })}>{w.today.title}</button>
                <button type="button" class="icon-button framed" aria-label={week ? w.calendar.weekOn : w.calendar.dayOn}
                    onClick={() => refine({ date: addDays(date, step) })}><Icon name="right" /></button>
                <DateChoice label={w.common.date} value={date} onValue={(to) => refine({ date: to })} />
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
            {loaded.error && !loaded.data ? <Failed error={loaded.error} onRetry={loaded.reload} />
                : list.length === 0 ? <Empty icon="calendar" title={w.calendar.noDoctors} /> : (
                    <Grid layout={layout} isBlank={!loaded.data} zone={zone}
                        write={may("appointments:write")} isCovered={open !== null}
                        onBook={(doctor, point) => setOpen({ what: "book", doctor, point })}
                        onLook={(appointment) => setOpen({ what: "look", appointment })}
                        onMove={(appointment, target) => setOpen({ what: "move", appointment, target })}
                        onCancel={(appointment) => setOpen({ what: "cancel", appointment })}
                        onStep={(steps) => refine({ date: addDays(date, steps * step) })} />
                )}
            {!loaded.data && !loaded.error && list.length > 0 && <div class="calendar-wait"><Loading /></div>}
            {open?.what === "offers" && <OffersDialog zone={zone} onClose={close} onDone={loaded.reload} />}
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
