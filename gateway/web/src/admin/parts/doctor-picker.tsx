/*
 * doctor-picker.tsx
 *		One of the branch's doctors.
 */
import { branchDoctors } from "../clinic";
import { words } from "../i18n";
import { SelectField } from "./field";

export function DoctorPicker({ value, onValue, error, all }: {
    value: string; onValue: (id: string) => void; error?: unknown; all?: boolean;
}) {
    const w = words.value;
    const choices = branchDoctors.value.map((d) => ({
        value: d.doctor_id,
        label: d.specialty ? `${d.name} · ${d.specialty}` : d.name,
    }));

    return (
        <SelectField label={w.common.doctor} name="doctor_id" error={error} value={value}
            onValue={onValue}
            choices={all ? [{ value: "", label: w.common.allDoctors }, ...choices] : choices} />
    );
}
