/*
 * day-move.tsx
 *		A doctor's day moved as a whole: all its booked visits to the same
 *		times of another date, of another doctor, or both; all or none.
 */
import { api, ask, once, type Schemas } from "../api";
import { branch, branchDoctors, doctorName } from "../clinic";
import { weekday, words } from "../i18n";
import { reportWords } from "../i18n/reports";
import { Dialog } from "../parts/dialog";
import { FormError, SelectField, TextField } from "../parts/field";
import { useForm } from "../parts/form";
import { toast } from "../parts/toast";
import { shown } from "../time";

export function DayMove({ doctor, date, count, onClose, onDone }: {
    doctor: string; date: string; count: number; onClose: () => void; onDone: () => void;
}) {
    const w = reportWords.value.list;
    const form = useForm({ to_date: date, to_doctor_id: doctor, reason: "" });
    const { to_date, to_doctor_id, reason } = form.values;
    const isElsewhere = to_date !== "" && (to_date !== date || to_doctor_id !== doctor);
    const target = `${weekday(to_date || date)}, ${shown(to_date || date)}`;
    const move = async () => {
        const body: Schemas["DayRescheduling"] = {
            from_date: date, branch_id: branch.value?.branch_id, reason: reason.trim() || null,
            ...(to_date === date ? {} : { to_date }),
            ...(to_doctor_id === doctor ? {} : { to_doctor_id }),
        };
        let moved = 0;

        if (await form.submit(body, async (key) => {
            moved = (await ask(api.POST("/api/v1/doctors/{doctor_id}/reschedule-day",
                { params: { path: { doctor_id: doctor } }, body, ...once(key) }))).length;
        })) {
            toast(w.dayMoved(moved, doctorName(to_doctor_id), target));
            onDone();
            onClose();
        }
    };

    return (
        <Dialog title={w.moveTitle(doctorName(doctor), shown(date))} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                if (isElsewhere)
                    void move();
            }}>
                <p>{w.moveLead}</p>
                <TextField label={w.toDate} type="date" required {...form.text("to_date")} />
                <SelectField label={w.toDoctor} {...form.text("to_doctor_id")} choices={branchDoctors.value.map((d) =>
                    ({ value: d.doctor_id, label: d.name }))} />
                <TextField label={words.value.common.reason} hint={w.reasonHint} optional autocomplete="off"
                    {...form.text("reason")} />
                <p class="draft" role="status">{isElsewhere ? w.willMove(count, doctorName(to_doctor_id), target)
                    : w.whereTo}</p>
                <FormError error={form.error} />
                <div class="buttons">
                    <button type="button" onClick={onClose}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy || !isElsewhere}>{w.moveGo}</button>
                </div>
            </form>
        </Dialog>
    );
}
