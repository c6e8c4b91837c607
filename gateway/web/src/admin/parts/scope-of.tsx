/*
 * scope-of.tsx
 *		Which branches something is for: all of them, or some.
 */
import { branches } from "../clinic";
import { settingsWords } from "../i18n/settings";
import { ChecksField, RadioField } from "./choices";
import type { Form, Values } from "./form";

/* How a form has it. */
export type BranchesValues = Values & { all_branches: string; branch_ids: string[] };

export const branchesValues = (ids: string[] | null | undefined) =>
    ({ all_branches: ids ? "some" : "all", branch_ids: ids ?? [] });

/* What the API is sent. */
export const branchIds = (values: BranchesValues): string[] | null =>
    values.all_branches === "all" ? null : values.branch_ids;

/* Those of a body's members whose fields were changed. */
export function changesOf<T extends BranchesValues, Body extends object>(form: Form<T>, body: Body): Partial<Body> {
    const names = Object.keys(form.changed).map((n) => n === "all_branches" ? "branch_ids" : n);

    return Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name))) as Partial<Body>;
}

export function BranchesField<T extends BranchesValues>({ form, hint }: { form: Form<T>; hint?: string }) {
    const w = settingsWords.value;
    const value = branchIds(form.values);
    const names = new Map(branches.value.map((b) => [b.branch_id, b.name]));
    const ids = [...new Set([...names.keys(), ...value ?? []])];

    return (
        <>
            <RadioField label={w.branches} hint={hint} name="all_branches" value={value ? "some" : "all"}
                onValue={form.text("all_branches").onValue}
                choices={[{ value: "all", label: w.allBranches }, { value: "some", label: w.someBranches }]} />
            {value && (
                <ChecksField quiet label={w.someBranches} {...form.list("branch_ids")}
                    choices={ids.map((id) => ({ value: id, label: names.get(id) ?? id }))} />
            )}
        </>
    );
}
