/*
 * field.tsx
 *		A form's field: label, control, hint, and what the server has to say of
 *		it, tied together for a screen reader.
 */
import type { ComponentChildren, PartialInputHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import { ApiError, NetworkError } from "../api";
import { words } from "../i18n";
import { Icon } from "./icon";

interface Common {
    label: string;
    hint?: string;
    /* The field's name for the server, and the error that may name it. */
    name?: string;
    error?: unknown;
}

/* What the server said of the field; its parts too (address.city). */
export function fieldError(error: unknown, name?: string): string | undefined {
    if (!(error instanceof ApiError) || name === undefined)
        return undefined;
    return error.errors.find(({ field }) => field === name || field.startsWith(`${name}.`))?.message;
}

function Frame({ id, label, hint, bad, children, required }: {
    id: string; label: string; hint?: string; bad?: string; children: ComponentChildren;
    required?: boolean;
}) {
    return (
        <div class={bad ? "field bad" : "field"}>
            <label for={id}>{label}{!required && required !== undefined
                && <span class="optional"> {words.value.common.optional}</span>}</label>
            {children}
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
            {bad && <p class="error" id={`${id}-bad`}><Icon name="alert" />{bad}</p>}
        </div>
    );
}

function described(id: string, hint?: string, bad?: string): string | undefined {
    return [hint && `${id}-hint`, bad && `${id}-bad`].filter(Boolean).join(" ") || undefined;
}

type Passed = "autocomplete" | "autocapitalize" | "spellcheck" | "required" | "readOnly"
    | "inputMode" | "maxLength" | "min" | "max" | "step" | "pattern" | "placeholder" | "disabled";

type InputProps = Common & Pick<PartialInputHTMLAttributes<HTMLInputElement>, Passed> & {
    value: string;
    onValue: (value: string) => void;
    type?: "text" | "password" | "email" | "tel" | "url" | "date" | "time" | "number";
    optional?: boolean;
};

export function TextField({ label, hint, name, error, onValue, optional, type, ...rest }: InputProps) {
    const id = useId();
    const bad = fieldError(error, name);

    return (
        <Frame id={id} label={label} hint={hint} bad={bad} required={optional ? false : undefined}>
            <input id={id} name={name} {...{ type: type ?? "text" } as { type: "password" }}
                aria-invalid={bad ? true : undefined} aria-describedby={described(id, hint, bad)}
                onInput={(event) => onValue(event.currentTarget.value)} {...rest} />
        </Frame>
    );
}

type AreaProps = Common & { value: string; onValue: (value: string) => void; optional?: boolean;
    rows?: number; maxLength?: number };

export function AreaField({ label, hint, name, error, onValue, optional, ...rest }: AreaProps) {
    const id = useId();
    const bad = fieldError(error, name);

    return (
        <Frame id={id} label={label} hint={hint} bad={bad} required={optional ? false : undefined}>
            <textarea id={id} name={name} aria-invalid={bad ? true : undefined}
                aria-describedby={described(id, hint, bad)}
                onInput={(event) => onValue(event.currentTarget.value)} {...rest} />
        </Frame>
    );
}

type SelectProps = Common & {
    value: string;
    onValue: (value: string) => void;
    choices: { value: string; label: string }[];
    disabled?: boolean;
};

export function SelectField({ label, hint, name, error, onValue, choices, value, disabled }: SelectProps) {
    const id = useId();
    const bad = fieldError(error, name);

    return (
        <Frame id={id} label={label} hint={hint} bad={bad}>
            <select id={id} name={name} disabled={disabled} aria-invalid={bad ? true : undefined}
                aria-describedby={described(id, hint, bad)} value={value}
                onChange={(event) => onValue(event.currentTarget.value)}>
                {choices.map((choice) => (
                    <option key={choice.value} value={choice.value}>{choice.label}</option>
                ))}
            </select>
        </Frame>
    );
}

export function CheckField({ label, hint, checked, onValue }: {
    label: string; hint?: string; checked: boolean; onValue: (value: boolean) => void;
}) {
    const id = useId();

    return (
        <div class="check">
            <input id={id} type="checkbox" checked={checked}
                aria-describedby={hint ? `${id}-hint` : undefined}
                onChange={(event) => onValue(event.currentTarget.checked)} />
            <label for={id}>{label}</label>
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
        </div>
    );
}

/* What was refused, in the server's own sentence. */
export function FormError({ error }: { error: unknown }) {
    if (!error)
        return null;
    return (
        <p class="form-error" role="alert">
            <Icon name="alert" />
            <span>{error instanceof NetworkError ? words.value.common.maybeDone
                : (error as Error).message}</span>
        </p>
    );
}
