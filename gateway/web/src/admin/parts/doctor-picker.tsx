/*
 * doctor-picker.tsx
 *		One of the branch's doctors, of the department that is chosen before;
 *		and the choice of a department alone, for what a page shows.
 */
import { useState } from "preact/hooks";
import { branchDepartments, branchDoctors, chooseDepartment, department, doctorsOf } from "../clinic";
import { words } from "../i18n";
import { SelectField } from "./field";

const choicesOf = () => [{ value: "", label: words.value.common.allDepartments },
    ...branchDepartments.value.map((one) => ({ value: one.department_id, label: one.name }))];

/* any: the word for no doctor in particular, if that is a choice. */
export function DoctorPicker({ value, onValue, error, any, onDepartment }: {
    value: string; onValue: (id: string) => void; error?: unknown; any?: string;
    onDepartment?: (id: string) => void;
}) {
    const w = words.value.common;
    const own = branchDoctors.value.find((d) => d.doctor_id === value)?.department_id;
    const [of, setOf] = useState(value === "" || own === department.value ? department.value : "");
    const list = doctorsOf(of);
    const choose = (id: string) => {
        const there = doctorsOf(id);

        setOf(id);
        onDepartment?.(id);
        if (!there.some((d) => d.doctor_id === value))
            onValue(any === undefined ? there[0]?.doctor_id ?? "" : "");
    };
    const choices = list.map((d) => ({
        value: d.doctor_id,
        label: d.specialty ? `${d.name} · ${d.specialty}` : d.name,
    }));

    return (
        <>
            {branchDepartments.value.length > 0 && (
                <SelectField label={w.department} value={of} onValue={choose} choices={choicesOf()} />
            )}
            <SelectField label={w.doctor} name="doctor_id" error={error} value={value} onValue={onValue}
                choices={any === undefined ? choices : [{ value: "", label: any }, ...choices]} />
        </>
    );
}

/* For which department the desk works, where there are several. */
export function DepartmentChoice({ onChoose }: { onChoose?: (id: string) => void }) {
    if (branchDepartments.value.length === 0)
        return null;
    return (
        <select aria-label={words.value.common.department} value={department.value} onChange={(event) => {
            chooseDepartment(event.currentTarget.value);
            onChoose?.(event.currentTarget.value);
        }}>
            {choicesOf().map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
        </select>
    );
}
