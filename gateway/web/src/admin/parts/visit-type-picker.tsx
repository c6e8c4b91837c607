/*
 * visit-type-picker.tsx
 *		What a visit is for, or nothing in particular.
 */
import { visitTypes } from "../clinic";
import { words } from "../i18n";
import { SelectField } from "./field";

export function VisitTypePicker({ value, onValue, error }: {
    value: string; onValue: (id: string) => void; error?: unknown;
}) {
    const w = words.value;

    return (
        <SelectField label={w.common.visitType} name="visit_type" value={value} error={error} onValue={onValue}
            choices={[{ value: "", label: w.calendar.anyType }, ...visitTypes.value.filter((v) => v.active)
                .map((v) => ({ value: v.visit_type, label: v.name }))]} />
    );
}
