/*
 * calendar-first.tsx
 *		The first free slot of a department's doctors, of one of them, or of
 *		all; and, from there, a later one.
 */
import { useRef, useState } from "preact/hooks";
import { api, ask, type Schemas, type Slot } from "../api";
import { branch, department, doctorName, doctorsOf } from "../clinic";
import { words } from "../i18n";
import { Dialog } from "../parts/dialog";
import { DoctorPicker } from "../parts/doctor-picker";
import { FormError, TextField } from "../parts/field";
import { Icon } from "../parts/icon";
import { useBusy } from "../parts/load";
import { VisitTypePicker } from "../parts/visit-type-picker";
import { instantOf, minutesBetween, today } from "../time";
import { when } from "./calendar-dialogs";

type Found = Schemas["FirstSlot"];

const MINUTE_MS = 60000;

export function FirstFreeDialog({ zone, onClose, onBook, onShow }: {
    zone: string; onClose: () => void;
    onBook: (doctor: string, slot: Slot, visitType: string) => void;
    onShow: (doctor: string, start: string) => void;
}) {
    const w = words.value;
    const [of, setOf] = useState(department.value);
    const [doctor, setDoctor] = useState("");
    const [visitType, setVisitType] = useState("");
    const [date, setDate] = useState(today(zone));
    const [found, setFound] = useState<Found | null | undefined>(undefined);
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const turn = useRef(0);
    /* What was found, or refused, is of what was asked then. */
    const change = (set: (value: string) => void) => (value: string) => {
        turn.current++;
        set(value);
        setFound(undefined);
        setError(null);
    };
    const find = (from?: string) => run(async () => {
        const doctor_id = doctor || (of === "" ? doctorsOf("").map((d) => d.doctor_id).join() : undefined);
        const mine = turn.current;

        setError(null);
        try {
            const [first] = await ask(api.GET("/api/v1/appointments/slots/first", { params: { query: {
                doctor_id, department_id: doctor_id ? undefined : of, branch_id: branch.value?.branch_id,
                visit_type: visitType || undefined, from,
            } } })) as Found[];

            if (mine === turn.current)
                setFound(first ?? null);
        } catch (problem) {
            if (mine === turn.current)
                setError(problem);
        }
    });

    return (
        <Dialog title={w.calendar.first} onClose={onClose} wide>
            <form onSubmit={(event) => {
                event.preventDefault();
                void find(date > today(zone) ? instantOf(`${date}T00:00`, zone) : undefined);
            }}>
                <div class="fields">
                    <DoctorPicker value={doctor} onValue={change(setDoctor)} any={w.calendar.anyDoctor}
                        onDepartment={change(setOf)} />
                    <VisitTypePicker value={visitType} onValue={change(setVisitType)} />
                    <TextField label={w.calendar.notBefore} type="date" required min={today(zone)} value={date}
                        onValue={change(setDate)} />
                </div>
                <div role="status">
                    {found && (
                        <p class="moment"><Icon name="clock" />
                            <span><strong>{when(found.start_time, zone)}</strong> ·
                                {" "}{w.today.minutes(minutesBetween(found.start_time, found.end_time))}<br />
                            {doctorName(found.doctor_id)}</span></p>
                    )}
                    {found === null && <p class="muted none-free">{w.calendar.nothingFree}</p>}
                </div>
                <FormError error={error} />
                <div class="buttons">
                    {found ? (
                        <>
                            <button type="button" class="apart" onClick={() => void find(new Date(
                                Date.parse(found.start_time) + MINUTE_MS).toISOString())}>{w.calendar.later}</button>
                            <button type="button" onClick={() => onShow(found.doctor_id, found.start_time)}>
                                {w.calendar.show}</button>
                            <button type="button" class="primary" onClick={() =>
                                onBook(found.doctor_id, found, visitType)}>{w.calendar.bookGo}</button>
                        </>
                    ) : (
                        <>
                            <button type="button" onClick={onClose}>{w.common.cancel}</button>
                            <button type="submit" class="primary" aria-disabled={busy}>{w.calendar.firstGo}</button>
                        </>
                    )}
                </div>
            </form>
        </Dialog>
    );
}
