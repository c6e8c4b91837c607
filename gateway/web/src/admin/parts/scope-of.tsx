/*
 * scope-of.tsx
 *		Which branches something is for, and of which departments a person sees
 *		the doctors: all of them, or some.
 */
import { branches, departments } from "../clinic";
import { settingsWords } from "../i18n/settings";
import { staffWords } from "../i18n/staff";
import { ChecksField, RadioField } from "./choices";
import type { Form, Values } from "./form";

/* How a form has it. */
export type BranchesValues = Values & { all_branches: string; branch_ids: string[] };
export type DepartmentsValues = Values & { all_departments: string; department_ids: string[] };

/* What says "all" or "some", and the list that it is about. */
const LISTS: Record<string, string> = { all_branches: "branch_ids", all_departments: "department_ids" };

export const branchesValues = (ids: string[] | null | undefined) =>
    ({ all_branches: ids ? "some" : "all", branch_ids: ids ?? [] });

export const departmentsValues = (ids: string[] | null | undefined) =>
    ({ all_departments: ids ? "some" : "all", department_ids: ids ?? [] });

/* What the API is sent. */
export const branchIds = (values: BranchesValues): string[] | null =>
    values.all_branches === "all" ? null : values.branch_ids;

export const departmentIds = (values: DepartmentsValues): string[] | null =>
    values.all_departments === "all" ? null : values.department_ids;

/* Those of a body's members whose fields were changed. */
export function changesOf<T extends BranchesValues, Body extends object>(form: Form<T>, body: Body): Partial<Body> {
    const names = Object.keys(form.changed).map((n) => LISTS[n] ?? n);

    return Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name))) as Partial<Body>;
}

/* ids: null for all. What is chosen and is there no more can be taken away. */
function Some({ label, hint, name, all, some, ids, choices, onAll, list }: {
    label: string; hint?: string; name: string; all: string; some: string; ids: string[] | null;
    choices: Map<string, string>; onAll: (value: string) => void; list: ReturnType<Form<Values>["list"]>;
}) {
    return (
        <>
            <RadioField label={label} hint={hint} name={name} value={ids ? "some" : "all"} onValue={onAll}
                choices={[{ value: "all", label: all }, { value: "some", label: some }]} />
            {ids && (
                <ChecksField quiet label={some} {...list} choices={[...new Set([...choices.keys(), ...ids])]
                    .map((id) => ({ value: id, label: choices.get(id) ?? id }))} />
            )}
        </>
    );
}

export function BranchesField<T extends BranchesValues>({ form, hint }: { form: Form<T>; hint?: string }) {
    const w = settingsWords.value;

    return (
        <Some label={w.branches} hint={hint} name="all_branches" all={w.allBranches} some={w.someBranches}
            ids={branchIds(form.values)} choices={new Map(branches.value.map((b) => [b.branch_id, b.name]))}
            onAll={form.text("all_branches").onValue} list={form.list("branch_ids")} />
    );
}

/* all: whom a person without departments sees. */
export function DepartmentsField<T extends DepartmentsValues>({ form, all }: { form: Form<T>; all: string }) {
    const w = staffWords.value;

    return (
        <Some label={w.whose} hint={w.whoseHint} name="all_departments" all={all} some={w.someDepartments}
            ids={departmentIds(form.values)}
            choices={new Map(departments.value.map((d) => [d.department_id, d.name]))}
            onAll={form.text("all_departments").onValue} list={form.list("department_ids")} />
    );
}
