/*
 * calendar-dialogs.tsx
 *		What the calendar asks before it acts: to book a free slot, to look at
 *		an appointment, to move or cancel one. A refusal is shown in the
 *		server's words, and what was typed stays.
 */
import { useEffect, useState } from "preact/hooks";
import {
    api, ApiError, ask, Deed, newKey, once, type Appointment, type Slot,
} from "../api";
import { branch, branchDoctors, doctorName, learnPatients, patients, visitTypeName, visitTypes } from "../clinic";
import { deedsOf, perform } from "../deeds";
import { weekday, words } from "../i18n";
import { offerWords } from "../i18n/offers";
import { offerSlot, withdrawOffer } from "../offers";
import { Dialog } from "../parts/dialog";
import { DoctorPicker } from "../parts/doctor-picker";
import { AreaField, CheckField, FormError, TextField } from "../parts/field";
import { Icon } from "../parts/icon";
import { useBusy, useLoad } from "../parts/load";
import { PatientChoice } from "../parts/patient-choice";
import { patientLine, type Chosen } from "../parts/patient-form";
import { RecordButton } from "../parts/record";
import { SlipButton } from "../parts/slip";
import { VisitTypePicker } from "../parts/visit-type-picker";
import { Shown } from "../parts/states";
import { toast } from "../parts/toast";
import { may } from "../session";
import { dateOf, minutesBetween, shown, timeOf, today } from "../time";
import { bookingFor, endBookingFor } from "./calendar-for";

/* Where an appointment is to go. */
export interface Target { doctor_id: string; start: string }

export function when(instant: string, zone: string): string {
    const date = dateOf(instant, zone);

    return `${weekday(date, "short")} ${shown(date)}, ${timeOf(instant, zone)}`;
}

const nameOf = (id: string): string => patients.value.get(id)?.name ?? id;

/* ---- book ---------------------------------------------------------------- */

export function BookDialog({ doctor, point, visitType: first = "", zone, onClose, onDone, onStale }: {
    doctor: string; point: Slot; visitType?: string; zone: string; onClose: () => void; onDone: () => void;
    onStale: () => void;
}) {
    const w = words.value;
    const [patient, setPatient] = useState<Chosen | null>(bookingFor);
    const [visitType, setVisitType] = useState(first);
    const [notes, setNotes] = useState("");
    const [tell, setTell] = useState(true);
    const [error, setError] = useState<unknown>(null);
    const [deed] = useState(() => new Deed());
    const [busy, run] = useBusy();
    const minutes = visitTypes.value.find((v) => v.visit_type === visitType)?.duration_min
        ?? minutesBetween(point.start_time, point.end_time);
    const submit = (isOffer: boolean) => run(async () => {
        if (!patient)
            return;
        const wanted = {
            patient_id: patient.patient_id, doctor_id: doctor, branch_id: branch.value?.branch_id,
            slot_start: point.start_time, visit_type: visitType || null, notify: tell,
        };
        const body = { ...wanted, notes: notes.trim() || null, source: "front_desk" as const };

        setError(null);
        try {
            if (isOffer) {
                const offer = await offerSlot(wanted, deed.for({ wanted }));

                deed.settled();
                toast(offerWords.value.offered(patient.name, when(offer.expires_at, zone)), async () => {
                    await withdrawOffer(offer);
                    onStale();
                });
                endBookingFor();
                onDone();
                return;
            }
            const booked = await ask(api.POST("/api/v1/appointments", { body, ...once(deed.for(body)) }));

            deed.settled();
            toast(w.calendar.booked(patient.name, timeOf(booked.slot_start, zone), booked.token_number),
                async () => {
                    await ask(api.DELETE("/api/v1/appointments/{appointment_id}", {
                        params: { path: { appointment_id: booked.appointment_id },
                            query: { reason: w.deeds.undoReason, notify: tell } }, ...once(newKey()),
                    }));
                    onStale();
                });
            endBookingFor();
            onDone();
        } catch (problem) {
            deed.settled(problem);
            setError(problem);
            if (problem instanceof ApiError && problem.status === 409)
                onStale();
        }
    });

    return (
        <Dialog title={w.calendar.book} onClose={onClose}>
            <p class="moment"><Icon name="clock" />
                <span><strong>{when(point.start_time, zone)}</strong> · {w.today.minutes(minutes)}<br />
                    {doctorName(doctor)}</span></p>
            <PatientChoice chosen={patient} onChoose={setPatient} />
            {patient && (
                <form onSubmit={(event) => {
                    event.preventDefault();
                    void submit(false);
                }}>
                    <VisitTypePicker value={visitType} onValue={setVisitType} error={error} />
                    <AreaField label={w.common.notes} name="notes" optional rows={2} value={notes}
                        onValue={setNotes} error={error} />
                    <CheckField label={w.calendar.tell} checked={tell} onValue={setTell} />
                    <p class="muted" id="offer-hint">{offerWords.value.hint}</p>
                    <FormError error={error} />
                    <div class="buttons">
                        <button type="button" class="apart" onClick={onClose}>{w.common.cancel}</button>
                        <button type="button" aria-describedby="offer-hint" aria-disabled={busy}
                            onClick={() => void submit(true)}>{offerWords.value.offer}</button>
                        <button type="submit" class="primary" aria-disabled={busy}>{w.calendar.bookGo}</button>
                    </div>
                </form>
            )}
        </Dialog>
    );
}

/* ---- look ---------------------------------------------------------------- */

export function AppointmentDialog({ appointment: a, zone, onClose, onDone, onMove, onCancel }: {
    appointment: Appointment; zone: string; onClose: () => void; onDone: () => void;
    onMove: () => void; onCancel: () => void;
}) {
    const w = words.value;
    const patient = patients.value.get(a.patient_id);
    const write = may("appointments:write");
    const facts: [string, string][] = [
        [w.common.time, `${when(a.slot_start, zone)} – ${timeOf(a.slot_end, zone)}`],
        [w.common.doctor, doctorName(a.doctor_id)],
        [w.common.token, String(a.token_number)],
        [w.common.visitType, visitTypeName(a.visit_type)],
        [w.common.notes, a.notes ?? ""],
        [w.common.reason, a.reason ?? ""],
        [w.calendar.number, a.appointment_id],
    ];

    useEffect(() => {
        void learnPatients([a.patient_id]);
    }, []);
    return (
        <Dialog title={nameOf(a.patient_id)} onClose={onClose}>
            <p class="muted">{patient && patientLine(patient)}</p>
            <p class="chip-line"><span class={`chip ${a.status}`}>{w.status[a.status]}</span></p>
            <dl class="details">
                {facts.filter(([, value]) => value !== "").map(([name, value]) => (
                    <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
                ))}
            </dl>
            <div class="buttons">
                <RecordButton appointment_id={a.appointment_id} />
                {deedsOf[a.status].length > 0 && <SlipButton appointment={a} />}
            </div>
            {write && (
                <div class="buttons">
                    {(a.status === "booked" || a.status === "checked_in") && (
                        <>
                            <button type="button" class="danger" onClick={onCancel}>{w.calendar.cancel}</button>
                            <button type="button" onClick={onMove}><Icon name="move" />{w.calendar.move}</button>
                        </>
                    )}
                    {deedsOf[a.status].filter((d) => ["checkIn", "start", "complete"].includes(d)).map((d) => (
                        <button key={d} type="button" class="primary" onClick={() => {
                            onClose();
                            void perform(d, a.appointment_id, a.status, nameOf(a.patient_id), onDone);
                        }}>{w.deeds.names[d]}</button>
                    ))}
                </div>
            )}
        </Dialog>
    );
}

/* ---- move ---------------------------------------------------------------- */

async function move(a: Appointment, target: Target, given: {
    reason: string | null; notify: boolean; override: boolean; end?: string;
}, key: string): Promise<Appointment> {
    return ask(api.PATCH("/api/v1/appointments/{appointment_id}/reschedule", {
        params: { path: { appointment_id: a.appointment_id } }, ...once(key, a.version),
        body: {
            new_slot_start: target.start,
            new_slot_end: given.end,
            reason: given.reason, notify: given.notify,
            doctor_id: target.doctor_id === a.doctor_id ? undefined : target.doctor_id,
            override: given.override || undefined,
        },
    }));
}

export function MoveDialog({ appointment: a, target: first, zone, onClose, onDone, onUndone }: {
    appointment: Appointment; target?: Target; zone: string; onClose: () => void;
    onDone: (moved: Appointment) => void; onUndone: () => void;
}) {
    const w = words.value;
    const [target, setTarget] = useState<Target | undefined>(first);

    return (
        <Dialog title={w.calendar.moveTitle(nameOf(a.patient_id))} onClose={onClose} wide>
            {target === undefined
                ? <ChooseSlot appointment={a} zone={zone} onClose={onClose} onChoose={setTarget} />
                : <ConfirmMove appointment={a} target={target} zone={zone} onDone={onDone} onUndone={onUndone}
                    onBack={first ? undefined : () => setTarget(undefined)} onClose={onClose} />}
        </Dialog>
    );
}

function ChooseSlot({ appointment: a, zone, onClose, onChoose }: {
    appointment: Appointment; zone: string; onClose: () => void; onChoose: (target: Target) => void;
}) {
    const w = words.value;
    const start = dateOf(a.slot_start, zone);
    const [doctor, setDoctor] = useState(a.doctor_id);
    const [date, setDate] = useState(start < today(zone) ? today(zone) : start);
    const [chosen, setChosen] = useState("");
    const type = visitTypes.value.find((v) => v.visit_type === a.visit_type);
    const loaded = useLoad(() => ask(api.GET("/api/v1/appointments/slots", { params: { query: {
        doctor_id: doctor, date, branch_id: a.branch_id,
        visit_type: type?.duration_min ? type.visit_type : undefined,
        duration: type?.duration_min ? undefined : minutesBetween(a.slot_start, a.slot_end),
    } } })), [doctor, date]);

    return (
        <form onSubmit={(event) => {
            event.preventDefault();
            if (chosen !== "")
                onChoose({ doctor_id: doctor, start: chosen });
        }}>
            <p class="moment"><Icon name="clock" /><span>{w.calendar.from} <strong>{when(a.slot_start, zone)}</strong>,
                {" "}{doctorName(a.doctor_id)}, {w.common.token} {a.token_number}</span></p>
            <div class="fields">
                {branchDoctors.value.length > 0 && (
                    <DoctorPicker value={doctor} onValue={(id) => {
                        setDoctor(id);
                        setChosen("");
                    }} />
                )}
                <TextField label={w.common.date} type="date" value={date} onValue={(value) => {
                    if (value !== "")
                        setDate(value);
                    setChosen("");
                }} />
            </div>
            <Shown loaded={loaded}>
                {(slots) => slots.length === 0
                    ? <p class="muted none-free" role="status">{w.calendar.noneFree(shown(date))}</p>
                    : (
                        <fieldset class="slots">
                            <legend>{w.calendar.freeOn(`${weekday(date)}, ${shown(date)}`)}</legend>
                            {slots.map((slot) => (
                                <label key={slot.start_time} class="slot">
                                    <input type="radio" name="slot" value={slot.start_time}
                                        checked={chosen === slot.start_time}
                                        onChange={() => setChosen(slot.start_time)} />
                                    <span>{timeOf(slot.start_time, zone)}</span>
                                </label>
                            ))}
                        </fieldset>
                    )}
            </Shown>
            <div class="buttons">
                <button type="button" onClick={onClose}>{w.common.cancel}</button>
                <button type="submit" class="primary" aria-disabled={chosen === ""}>{w.calendar.next}</button>
            </div>
        </form>
    );
}

/* Refusals that the desk may set aside, on purpose and with a reason. */
const OVERRIDABLE = ["slot_unavailable", "reschedule_window", "cancellation_window", "invalid_transition"];

function canOverride(error: unknown): boolean {
    return may("appointments:override") && error instanceof ApiError && OVERRIDABLE.includes(error.code);
}

function ConfirmMove({ appointment: a, target, zone, onDone, onUndone, onBack, onClose }: {
    appointment: Appointment; target: Target; zone: string; onDone: (moved: Appointment) => void;
    onUndone: () => void; onBack?: () => void; onClose: () => void;
}) {
    const w = words.value;
    const [reason, setReason] = useState("");
    const [tell, setTell] = useState(true);
    const [override, setOverride] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const [deed] = useState(() => new Deed());
    const [busy, run] = useBusy();
    const keepsToken = target.doctor_id === a.doctor_id
        && dateOf(target.start, zone) === a.token_date;
    const submit = () => run(async () => {
        const given = { reason: reason.trim() || null, notify: tell, override };

        setError(null);
        try {
            const moved = await move(a, target, given, deed.for({ target, given }));

            deed.settled();
            toast(w.calendar.moved(nameOf(a.patient_id), when(moved.slot_start, zone), moved.token_number),
                async () => {
                    await move(moved, { doctor_id: a.doctor_id, start: a.slot_start },
                        { ...given, reason: w.deeds.undoReason, end: a.slot_end }, newKey());
                    onUndone();
                });
            onDone(moved);
        } catch (problem) {
            deed.settled(problem);
            setError(problem);
        }
    });

    return (
        <form onSubmit={(event) => {
            event.preventDefault();
            void submit();
        }}>
            <dl class="compare">
                <div><dt>{w.calendar.from}</dt>
                    <dd><strong>{when(a.slot_start, zone)}</strong>{doctorName(a.doctor_id)}
                        <span class="chip">{w.common.token} {a.token_number}</span></dd></div>
                <div><dt>{w.calendar.to}</dt>
                    <dd><strong>{when(target.start, zone)}</strong>{doctorName(target.doctor_id)}
                        <span class="chip">{keepsToken ? `${w.common.token} ${a.token_number}` : w.calendar.newToken}</span></dd></div>
            </dl>
            <TextField label={w.common.reason} name="reason" optional={!override} required={override}
                value={reason} onValue={setReason} error={error} />
            <CheckField label={w.calendar.tell} checked={tell} onValue={setTell} />
            <FormError error={error} />
            {(override || canOverride(error)) && (
                <CheckField label={w.calendar.override} hint={w.calendar.overrideHint} checked={override}
                    onValue={setOverride} />
            )}
            <div class="buttons">
                {onBack ? <button type="button" onClick={onBack}>{w.common.back}</button>
                    : <button type="button" onClick={onClose}>{w.common.cancel}</button>}
                <button type="submit" class="primary" aria-disabled={busy}>{w.calendar.move}</button>
            </div>
        </form>
    );
}

/* ---- cancel -------------------------------------------------------------- */

export function CancelDialog({ appointment: a, zone, onClose, onDone }: {
    appointment: Appointment; zone: string; onClose: () => void; onDone: () => void;
}) {
    const w = words.value;
    const [reason, setReason] = useState("");
    const [tell, setTell] = useState(true);
    const [override, setOverride] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const [deed] = useState(() => new Deed());
    const [busy, run] = useBusy();
    const submit = () => run(async () => {
        const query = { reason: reason.trim(), notify: tell, override: override || undefined };

        setError(null);
        try {
            await ask(api.DELETE("/api/v1/appointments/{appointment_id}", {
                params: { path: { appointment_id: a.appointment_id }, query },
                ...once(deed.for(query), a.version),
            }));
            deed.settled();
            toast(w.calendar.cancelled(nameOf(a.patient_id)));
            onDone();
        } catch (problem) {
            deed.settled(problem);
            setError(problem);
        }
    });

    return (
        <Dialog title={w.calendar.cancelTitle(nameOf(a.patient_id))} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                void submit();
            }}>
                <p class="moment"><Icon name="clock" /><span><strong>{when(a.slot_start, zone)}</strong><br />
                    {doctorName(a.doctor_id)}, {w.common.token} {a.token_number}</span></p>
                <TextField label={w.common.reason} name="reason" required value={reason} onValue={setReason}
                    error={error} />
                <CheckField label={w.calendar.tell} checked={tell} onValue={setTell} />
                <FormError error={error} />
                {(override || canOverride(error)) && (
                    <CheckField label={w.calendar.override} checked={override} onValue={setOverride} />
                )}
                <div class="buttons">
                    <button type="button" onClick={onClose}>{w.calendar.keep}</button>
                    <button type="submit" class="primary" aria-disabled={busy}>{w.calendar.cancel}</button>
                </div>
            </form>
        </Dialog>
    );
}
