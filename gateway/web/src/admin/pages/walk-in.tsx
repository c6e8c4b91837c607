/*
 * walk-in.tsx
 *		A patient who stands at the desk without an appointment.
 */
import { useState } from "preact/hooks";
import { api, ask, Deed, once } from "../api";
import { branch } from "../clinic";
import { words } from "../i18n";
import { Dialog } from "../parts/dialog";
import { DoctorPicker } from "../parts/doctor-picker";
import { FormError, TextField } from "../parts/field";
import { useBusy } from "../parts/load";
import { PatientChoice } from "../parts/patient-choice";
import type { Chosen } from "../parts/patient-form";
import { toast } from "../parts/toast";
import { VisitTypePicker } from "../parts/visit-type-picker";

export function WalkIn({ doctor: first, onClose, onDone }: {
    doctor: string; onClose: () => void; onDone: () => void;
}) {
    const w = words.value;
    const [patient, setPatient] = useState<Chosen | null>(null);
    const [doctor, setDoctor] = useState(first);
    const [visitType, setVisitType] = useState("");
    const [notes, setNotes] = useState("");
    const [error, setError] = useState<unknown>(null);
    const [deed] = useState(() => new Deed());
    const [busy, run] = useBusy();
    const submit = () => run(async () => {
        if (!patient)
            return;
        const body = {
            patient_id: patient.patient_id, doctor_id: doctor, branch_id: branch.value?.branch_id,
            visit_type: visitType || null, notes: notes.trim() || null,
        };

        setError(null);
        try {
            const made = await ask(api.POST("/api/v1/appointments/walk-in", { body, ...once(deed.for(body)) }));

            deed.settled();
            toast(w.today.walkInDone(patient.name, made.token_number), undefined, made);
            onDone();
            onClose();
        } catch (problem) {
            deed.settled(problem);
            setError(problem);
        }
    });

    return (
        <Dialog title={w.today.walkIn} onClose={onClose}>
            <PatientChoice chosen={patient} onChoose={setPatient} />
            {patient && (
                <form onSubmit={(event) => {
                    event.preventDefault();
                    void submit();
                }}>
                    <DoctorPicker value={doctor} onValue={setDoctor} error={error} />
                    <VisitTypePicker value={visitType} onValue={setVisitType} error={error} />
                    <TextField label={w.common.notes} name="notes" optional value={notes} onValue={setNotes}
                        error={error} />
                    <FormError error={error} />
                    <div class="buttons">
                        <button type="button" onClick={onClose}>{w.common.cancel}</button>
                        <button type="submit" class="primary" aria-disabled={busy}>{w.today.walkInGo}</button>
                    </div>
                </form>
            )}
        </Dialog>
    );
}
