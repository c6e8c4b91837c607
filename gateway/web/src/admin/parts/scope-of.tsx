/*
 * scope-of.tsx
 *		Which branches something is for: all of them, or some.
 */
import { branches } from "../clinic";
import { settingsWords } from "../i18n/settings";
import { ChecksField, RadioField } from "./choices";

/* null: all. */
export function BranchesField({ value, onValue, error, hint }: {
    value: string[] | null; onValue: (value: string[] | null) => void; error?: unknown; hint?: string;
}) {
    const w = settingsWords.value;
    const names = new Map(branches.value.map((b) => [b.branch_id, b.name]));
    const ids = [...new Set([...names.keys(), ...value ?? []])];

    return (
        <>
            <RadioField label={w.branches} hint={hint} name="all_branches" value={value ? "some" : "all"}
                onValue={(which) => onValue(which === "all" ? null : [])}
                choices={[{ value: "all", label: w.allBranches }, { value: "some", label: w.someBranches }]} />
            {value && (
                <ChecksField quiet label={w.someBranches} name="branch_ids" value={value} onValue={onValue}
                    error={error} choices={ids.map((id) => ({ value: id, label: names.get(id) ?? id }))} />
            )}
        </>
    );
}
