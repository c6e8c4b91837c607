/*
 * dialog.tsx
 *		A modal dialog, the browser's own: it keeps the focus inside, gives it
 *		back, and closes by Escape.
 */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../i18n";
import { Icon } from "./icon";

interface Props {
    title: string;
    onClose: () => void;
    children: ComponentChildren;
    wide?: boolean;
    /* Neither Escape nor a button closes it. */
    firm?: boolean;
}

/* What is typed first, or done; not the button that closes. */
const FIRST = ":scope > :not(.dialog-head) :is(input, select, textarea, button):not(:disabled, [readonly])";

export function Dialog({ title, onClose, children, wide, firm }: Props) {
    const dialog = useRef<HTMLDialogElement>(null);
    const id = useId();

    useLayoutEffect(() => {
        const element = dialog.current;
        const before = document.activeElement as HTMLElement | null;

        if (element && !element.open) {
            element.showModal();
            element.querySelector<HTMLElement>(FIRST)?.focus();
        }
        return () => {
            element?.close();
            if (before?.isConnected)
                before.focus();
        };
    }, []);
    return (
        <dialog
            ref={dialog}
            class={wide ? "dialog wide" : "dialog"}
            aria-labelledby={id}
            onCancel={(event) => {
                event.preventDefault();
                if (!firm)
                    onClose();
            }}
        >
            <header class="dialog-head">
                <h2 id={id}>{title}</h2>
                {!firm && (
                    <button type="button" class="icon-button" aria-label={words.value.common.close}
                        onClick={onClose}><Icon name="close" /></button>
                )}
            </header>
            {children}
        </dialog>
    );
}
