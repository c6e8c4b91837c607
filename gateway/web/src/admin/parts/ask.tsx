/*
 * ask.tsx
 *		Dialogs before and after a deed: "really?", and a secret that is shown
 *		this once.
 */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { Deed } from "../api";
import { words } from "../i18n";
import { askWords } from "../i18n/ask";
import { Dialog } from "./dialog";
import { FormError } from "./field";
import { Icon } from "./icon";
import { useBusy } from "./load";

/*
 * Asks before a deed: title, what it means, the button's word. onYes is given a
 * key of this deed; what it throws is said here, and can be tried again.
 */
export function Confirm({ title, yes, danger, onYes, onClose, children }: {
    title: string; yes: string; danger?: boolean; children?: ComponentChildren;
    onYes: (key: string) => Promise<unknown>; onClose: () => void;
}) {
    const [error, setError] = useState<unknown>(null);
    const [deed] = useState(() => new Deed());
    const [busy, run] = useBusy();
    const go = () => run(async () => {
        setError(null);
        try {
            await onYes(deed.for(title));
            deed.settled();
            onClose();
        } catch (problem) {
            deed.settled(problem);
            setError(problem);
        }
    });

    return (
        <Dialog title={title} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                void go();
            }}>
                {children}
                <FormError error={error} />
                <div class="buttons">
                    <button type="button" onClick={onClose}>{words.value.common.cancel}</button>
                    <button type="submit" class={danger ? "danger" : "primary"} aria-disabled={busy}>{yes}</button>
                </div>
            </form>
        </Dialog>
    );
}

/* A text with a button that copies it. */
export function Copy({ label, text }: { label: string; text: string }) {
    const w = askWords.value;
    const input = useRef<HTMLInputElement>(null);
    const [copied, setCopied] = useState(false);
    const copy = async () => {
        input.current?.select();
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            /* Without TLS a browser has no clipboard for pages. */
            document.execCommand("copy");
        }
        setCopied(true);
    };

    return (
        <div class="field">
            <label>{label}
                <span class="copy">
                    <input ref={input} class="code" readOnly value={text} spellcheck={false}
                        onFocus={(event) => event.currentTarget.select()} />
                    <button type="button" onClick={() => void copy()}>
                        {copied && <Icon name="check" />}{copied ? w.copied : w.copy}</button>
                </span>
            </label>
            <p class="hidden" role="status">{copied && w.copied}</p>
        </div>
    );
}

/* What nobody can look up again; closed by a word, not by accident. */
export function SecretOnce({ title, fields, onClose }: {
    title: string; fields: { label: string; text: string }[]; onClose: () => void;
}) {
    const w = askWords.value;

    return (
        <Dialog title={title} onClose={onClose} firm wide>
            <p>{w.once}</p>
            {fields.map((field) => <Copy key={field.label} {...field} />)}
            <div class="buttons">
                <button type="button" class="primary" onClick={onClose}>{w.stored}</button>
            </div>
        </Dialog>
    );
}
