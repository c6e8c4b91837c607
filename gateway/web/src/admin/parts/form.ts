/*
 * form.ts
 *		A form's values: what it began with, what was changed, what the server
 *		said of it. What was typed outlives the form until it is saved or
 *		discarded, in memory alone, and no longer than the session.
 *
 *		Names are those of the API; a dot leads into an object: "address.city".
 */
import { effect } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, Deed } from "../api";
import { session } from "../session";

export type Value = string | boolean | string[];
export type Values = Record<string, Value>;

export interface Form<T extends Values> {
    values: T;
    /* A field's text and the function that changes it, for <TextField>. */
    text: (name: keyof T & string) => { name: string; value: string; error: unknown;
        onValue: (value: string) => void };
    check: (name: keyof T & string) => { checked: boolean; onValue: (value: boolean) => void };
    list: (name: keyof T & string) => { name: string; value: string[]; error: unknown;
        onValue: (value: string[]) => void };
    changed: Partial<T>;
    dirty: boolean;
    /* Whether it began with what was typed before. */
    isDraft: boolean;
    error: unknown;
    setError: (error: unknown) => void;
    busy: boolean;
    /* Runs send once at a time with the key of this deed; true: it was done. */
    submit: (request: unknown, send: (key: string) => Promise<unknown>) => Promise<boolean>;
    /* Begins with other values; what was changed stays changed. */
    rebase: (values: T) => void;
    discard: () => void;
}

const drafts = new Map<string, Values>();

effect(() => {
    if (session.value === null)
        drafts.clear();
});

function same(a: unknown, b: unknown): boolean {
    return JSON.stringify(a) === JSON.stringify(b);
}

function difference<T extends Values>(from: T, to: T): Partial<T> {
    return Object.fromEntries(Object.entries(to).filter(([name, value]) =>
        !same(value, from[name]))) as Partial<T>;
}

/* The server's name of a nested column, address_city, as the form has it. */
function named<T extends Values>(error: unknown, values: T): unknown {
    if (!(error instanceof ApiError))
        return error;
    const known = new Map(Object.keys(values).map((name) => [name.replace(".", "_"), name]));
    return new ApiError(error.status, error.code, error.message, error.errors.map((e) =>
        ({ ...e, field: known.get(e.field.replace(".", "_")) ?? e.field })), error.reason);
}

/*
 * draft names what is typed, such as "patient/new"; without, it is gone with
 * the form.
 */
export function useForm<T extends Values>(initial: T, draft?: string): Form<T> {
    const kept = useMemo(() => (draft === undefined ? undefined : drafts.get(draft)), [draft]);
    const [begun, setBegun] = useState(initial);
    const [values, setValues] = useState<T>({ ...initial, ...kept });
    const [isDraft, setIsDraft] = useState(kept !== undefined);
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const running = useRef(false);
    const deed = useRef(new Deed());
    const changed = difference(begun, values);
    const dirty = Object.keys(changed).length > 0;
    const set = (name: string, value: Value) => setValues((was) => ({ ...was, [name]: value }));

    useEffect(() => {
        if (draft !== undefined && dirty)
            drafts.set(draft, changed as Values);
        else if (draft !== undefined)
            drafts.delete(draft);
    });
    useEffect(() => {
        if (!dirty)
            return undefined;
        const ask = (event: BeforeUnloadEvent) => event.preventDefault();

        addEventListener("beforeunload", ask);
        return () => removeEventListener("beforeunload", ask);
    }, [dirty]);
    const submit = async (request: unknown, send: (key: string) => Promise<unknown>) => {
        if (running.current)
            return false;
        running.current = true;
        setBusy(true);
        setError(null);
        try {
            await send(deed.current.for(request));
            deed.current.settled();
            setBegun(values);
            if (draft !== undefined)
                drafts.delete(draft);
            return true;
        } catch (problem) {
            deed.current.settled(problem);
            setError(named(problem, values));
            return false;
        } finally {
            running.current = false;
            setBusy(false);
        }
    };

    return {
        values, changed, dirty, isDraft, error, setError, busy, submit,
        text: (name) => ({ name, value: values[name] as string, error,
            onValue: (value: string) => set(name, value) }),
        check: (name) => ({ checked: values[name] as boolean,
            onValue: (value: boolean) => set(name, value) }),
        list: (name) => ({ name, value: values[name] as string[], error,
            onValue: (value: string[]) => set(name, value) }),
        rebase: (now) => {
            setBegun(now);
            setValues((was) => ({ ...now, ...difference(begun, was) }));
        },
        discard: () => {
            if (draft !== undefined)
                drafts.delete(draft);
            setValues(begun);
            setIsDraft(false);
            setError(null);
        },
    };
}

/* What the API is sent: objects for dotted names, null for what is blank. */
export function toBody(values: Values): Record<string, unknown> {
    const body: Record<string, unknown> = {};

    for (const [name, value] of Object.entries(values)) {
        const sent = typeof value === "string" ? value.trim() || null : value;
        const [first, second] = name.split(".");

        if (second === undefined)
            body[first] = sent;
        else
            body[first] = { ...(body[first] as object | undefined), [second]: sent };
    }
    return body;
}
