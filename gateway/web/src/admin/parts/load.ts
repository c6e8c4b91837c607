/*
 * load.ts
 *		What a page reads: again when what it depends on changes, when the
 *		connection is back, and on reload(). What was there stays while it is
 *		read again, and while it cannot be.
 */
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { healed } from "../api";

export interface Loaded<T> {
    data?: T;
    error?: Error;
    loading: boolean;
    reload: () => void;
    set: (data: T) => void;
}

interface State<T> { turn: number; data?: T; error?: Error; loading: boolean }

/*
 * "there" gives what needs no reading, if there is anything: it is shown at
 * once. "read" is given what is shown already; it asks before the browser draws the
 * page without it. What was read is shown for what it was read for alone: not even
 * one frame has a day's rows under the date of the next.
 */
export function useLoad<T>(read: (was: T | undefined) => Promise<T>, dependencies: unknown[],
        there?: () => T | undefined): Loaded<T> {
    const key = JSON.stringify(dependencies);
    const [state, setState] = useState<State<T>>({ turn: 0, loading: true });
    const [again, setAgain] = useState(0);
    const asked = useRef(0);
    /* A turn for each time that it depends on something else. */
    const found = useRef<{ key?: string; turn: number; data?: T; isNew: boolean }>({ turn: 0, isNew: false });

    if (found.current.key !== key)
        found.current = { key, turn: found.current.turn + 1, data: there?.(), isNew: true };
    const { turn, data: ready } = found.current;
    const shown: State<T> = state.turn === turn ? state : { turn, data: ready, loading: ready === undefined };

    useLayoutEffect(() => {
        const mine = ++asked.current;
        const isThere = found.current.isNew && ready !== undefined;

        found.current.isNew = false;
        if (isThere)
            return undefined;
        if (!shown.loading)
            setState({ turn, data: shown.data, loading: true });
        read(shown.data).then(
            (data) => mine === asked.current && setState({ turn, data, loading: false }),
            (error: Error) => mine === asked.current
                && setState((was) => ({ turn, data: was.turn === turn ? was.data : undefined, error, loading: false })));
        return () => {
            asked.current++;
        };
    }, [key, again, healed.value]);
    const reload = useCallback(() => setAgain((n) => n + 1), []);
    const set = useCallback((data: T) => setState((was) =>
        found.current.turn === turn ? { turn, data, loading: false } : was), [turn]);

    return { ...shown, reload, set };
}

/* Runs a deed once at a time; busy while it runs. */
export function useBusy(): [boolean, <T>(deed: () => Promise<T>) => Promise<T | undefined>] {
    const [busy, setBusy] = useState(false);
    const running = useRef(false);
    const run = useCallback(async <T>(deed: () => Promise<T>) => {
        if (running.current)
            return undefined;
        running.current = true;
        setBusy(true);
        try {
            return await deed();
        } finally {
            running.current = false;
            setBusy(false);
        }
    }, []);

    return [busy, run];
}
