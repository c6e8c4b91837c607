/*
 * toast.tsx
 *		What was done, for ten seconds, with a way to undo it, and the slip of
 *		who came. The time stands still while the pointer or the focus is on it.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Appointment } from "../api";
import { words } from "../i18n";
import { Icon } from "./icon";
import { Refusal } from "./refusal";
import { SlipButton } from "./slip";

export const TOAST_MS = 10000;

interface Note {
    id: number;
    text: string;
    /* What was refused, in place of the text. */
    error?: unknown;
    undo?: () => Promise<void> | void;
    /* Whose slip can be printed. */
    slip?: Appointment;
}

const notes = signal<Note[]>([]);
let count = 0;

export function toast(text: string, undo?: Note["undo"], slip?: Appointment): void {
    notes.value = [...notes.value.slice(-1), { id: ++count, text, undo, slip }];
}

/* What could not be done. */
export function toastError(error: unknown): void {
    notes.value = [...notes.value.slice(-1), { id: ++count, text: "", error }];
}

function drop(id: number): void {
    notes.value = notes.value.filter((note) => note.id !== id);
}

/* The last note's undo, for the key U. */
export function undoLast(): void {
    const last = [...notes.value].reverse().find((note) => note.undo);

    if (last)
        void undo(last);
}

async function undo(note: Note): Promise<void> {
    drop(note.id);
    try {
        await note.undo?.();
    } catch (error) {
        toastError(error);
    }
}

function Toast({ note }: { note: Note }) {
    const left = useRef(TOAST_MS);
    const still = useRef(false);

    useEffect(() => {
        const timer = setInterval(() => {
            if (!still.current && (left.current -= 250) <= 0)
                drop(note.id);
        }, 250);

        return () => clearInterval(timer);
    }, []);
    const hold = (on: boolean) => () => {
        still.current = on;
    };
    return (
        <li class={note.error ? "toast bad" : "toast"} onPointerEnter={hold(true)}
            onPointerLeave={hold(false)} onFocusIn={hold(true)} onFocusOut={hold(false)}>
            <Icon name={note.error ? "alert" : "check"} />
            {note.error ? <Refusal error={note.error} /> : <span>{note.text}</span>}
            {note.slip && <SlipButton appointment={note.slip} class="link" />}
            {note.undo && (
                <button type="button" class="link" onClick={() => void undo(note)}>
                    {words.value.common.undo}
                </button>
            )}
            <button type="button" class="icon-button" aria-label={words.value.common.close}
                onClick={() => drop(note.id)}><Icon name="close" /></button>
        </li>
    );
}

export function Toasts() {
    return (
        <ul class="toasts" aria-live="polite" aria-label={words.value.common.messages}>
            {notes.value.map((note) => <Toast key={note.id} note={note} />)}
        </ul>
    );
}
