/*
 * choices.tsx
 *		One of a few (radio buttons) and some of many (check boxes), each a
 *		group with a name of its own.
 */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "./icon";
import { fieldRefusal } from "./refusal";

export interface Choice { value: string; label: string; hint?: string }

function Group({ label, hint, bad, quiet, children }: {
    label: string; hint?: string; bad?: ComponentChildren; quiet?: boolean; children: ComponentChildren;
}) {
    const id = useId();

    return (
        <fieldset class={bad ? "group bad" : "group"}
            aria-describedby={[hint && `${id}-hint`, bad && `${id}-bad`].filter(Boolean).join(" ") || undefined}>
            <legend class={quiet ? "hidden" : undefined}>{label}</legend>
            {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
            {children}
            {bad && <p class="error" id={`${id}-bad`}><Icon name="alert" />{bad}</p>}
        </fieldset>
    );
}

export function RadioField({ label, hint, name, error, value, onValue, choices }: {
    label: string; hint?: string; name: string; error?: unknown; value: string;
    onValue: (value: string) => void; choices: Choice[];
}) {
    const id = useId();

    return (
        <Group label={label} hint={hint} bad={fieldRefusal(error, name)}>
            <div class="radios">
                {choices.map((choice) => (
                    <label key={choice.value} class="pick">
                        <input type="radio" name={`${id}-${name}`} value={choice.value}
                            checked={choice.value === value} onChange={() => onValue(choice.value)} />
                        <span>{choice.label}{choice.hint && <small>{choice.hint}</small>}</span>
                    </label>
                ))}
            </div>
        </Group>
    );
}

/* quiet: what stands above says the label already. */
export function ChecksField({ label, hint, name, error, value, onValue, choices, quiet }: {
    label: string; quiet?: boolean; hint?: string; name: string; error?: unknown; value: string[];
    onValue: (value: string[]) => void; choices: Choice[];
}) {
    return (
        <Group label={label} hint={hint} quiet={quiet} bad={fieldRefusal(error, name)}>
            <div class="checks">
                {choices.map((choice) => (
                    <label key={choice.value} class="pick">
                        <input type="checkbox" name={name} value={choice.value}
                            checked={value.includes(choice.value)}
                            onChange={(event) => onValue(event.currentTarget.checked
                                ? [...value, choice.value] : value.filter((v) => v !== choice.value))} />
                        <span>{choice.label}{choice.hint && <small>{choice.hint}</small>}</span>
                    </label>
                ))}
            </div>
        </Group>
    );
}
