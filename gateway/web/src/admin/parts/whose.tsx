/*
 * whose.tsx
 *		Whose visits a list or a report is of: a department's, then a doctor's.
 *		Both stand in the address.
 */
import { branchDepartments, doctorsOf } from "../clinic";
import { words } from "../i18n";
import { place, refine } from "../router";
import { SelectField } from "./field";

/* What the address says, where there is such a doctor at the branch. */
export function whose(): { department_id?: string; doctor_id?: string } {
    const { department = "", doctor = "" } = place.value.query;
    const there = branchDepartments.value.some((one) => one.department_id === department) ? department : "";
    const one = doctorsOf(there).some((d) => d.doctor_id === doctor) ? doctor : "";

    return { department_id: there || undefined, doctor_id: one || undefined };
}

export function Whose() {
    const w = words.value.common;
    const { department_id = "", doctor_id = "" } = whose();

    return (
        <>
            {branchDepartments.value.length > 0 && (
                <SelectField label={w.department} value={department_id}
                    onValue={(department) => refine({ department })}
                    choices={[{ value: "", label: w.allDepartments }, ...branchDepartments.value.map((one) =>
                        ({ value: one.department_id, label: one.name }))]} />
            )}
            <SelectField label={w.doctor} value={doctor_id} onValue={(doctor) => refine({ doctor })}
                choices={[{ value: "", label: w.allDoctors }, ...doctorsOf(department_id).map((d) =>
                    ({ value: d.doctor_id, label: d.name }))]} />
        </>
    );
}
