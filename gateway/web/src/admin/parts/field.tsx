/*
 * field.tsx
 *		A form's field: label, control, hint, and what the server has to say of
 *		it, tied together for a screen reader.
 */
import type { ComponentChildren, PartialInputHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import { weekday, words } from "../i18n";
import { Icon } from "./icon";
import { fieldRefusal, Refusal } from "./refusal";
import { shown } from "../time";

interface Common {
    label: string;
    hint?: string;
    /* The field's name for the server, and the error that may name it. */
    name?: string;
    error?: unknown;
}

/* note: what the value means, beside the label. */
function Frame({ id, label, note, hint, bad, children, required }: {
    id: string; label: string; note?: string; hint?: string; bad?: ComponentChildren; children: ComponentChildren;
    required?: boolean;
}) {
    return (
        <div class={bad ? "field bad" : "field"}>
            <label for={id}>{label}{!required && required !== undefined
                && <span class="optional"> {words.value.common.optional}</span>}</label>
            {note && <small class="field-note" id={`${id}-note`}>{note}</small>}
            {children}
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
            {bad && <p class="error" id={`${id}-bad`}><Icon name="alert" />{bad}</p>}
        </div>
    );
}

function described(id: string, hint?: string, bad?: ComponentChildren, note?: string): string | undefined {
    return [note && `${id}-note`, hint && `${id}-hint`, bad && `${id}-bad`].filter(Boolean).join(" ") || undefined;
}

/* A browser writes dates its own way, 03/04 or 04/03; this one is the clinic's. */
function dateNote(type: string | undefined, value: string): string | undefined {
    return type === "date" && /^\d{4}-\d\d-\d\d$/.test(value)
        ? `${weekday(value, "short")} ${shown(value)}` : undefined;
}

type Passed = "autocomplete" | "autocapitalize" | "spellcheck" | "required" | "readOnly"
    | "inputMode" | "maxLength" | "min" | "max" | "step" | "pattern" | "placeholder" | "disabled";

type InputProps = Common & Pick<PartialInputHTMLAttributes<HTMLInputElement>, Passed> & {
    value: string;
    onValue: (value: string) => void;
    type?: "text" | "password" | "email" | "tel" | "url" | "date" | "time" | "number" | "search";
    optional?: boolean;
};

export function TextField({ label, hint, name, error, onValue, optional, type, ...rest }: InputProps) {
    const id = useId();
    const bad = fieldRefusal(error, name);
    const note = dateNote(type, rest.value);

    return (
        <Frame id={id} label={label} note={note} hint={hint} bad={bad} required={optional ? false : undefined}>
            <input id={id} name={name} {...{ type: type ?? "text" } as { type: "password" }}
                aria-invalid={bad ? true : undefined} aria-describedby={described(id, hint, bad, note)}
                onInput={(event) => onValue(event.currentTarget.value)} {...rest} />
        </Frame>
    );
}

type AreaProps = Common & { value: string; onValue: (value: string) => void; optional?: boolean;
    rows?: number; maxLength?: number };

export function AreaField({ label, hint, name, error, onValue, optional, ...rest }: AreaProps) {
    const id = useId();
    const bad = fieldRefusal(error, name);

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
    const bad = fieldRefusal(error, name);

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

/* What was refused, in a sentence. */
export function FormError({ error }: { error: unknown }) {
    if (!error)
        return null;
    return (
        <p class="form-error" role="alert">
            <Icon name="alert" />
            <Refusal error={error} lost={words.value.common.maybeDone} />
        </p>
    );
}
