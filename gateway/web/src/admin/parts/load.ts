/*
 * load.ts
 *		What a page reads: again when what it depends on changes, when the
 *		connection is back, and on reload(). What was there stays while it is
 *		read again, and while it cannot be.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { healed } from "../api";

export interface Loaded<T> {
    data?: T;
    error?: Error;
    loading: boolean;
    reload: () => void;
    set: (data: T) => void;
}

/*
 * "there" gives what needs no reading, if there is anything: it is shown at
 * once. What was read is shown for what it was read for alone: not even one
 * frame has a day's rows under the date of the next.
 */
export function useLoad<T>(read: () => Promise<T>, dependencies: unknown[], there?: () => T | undefined): Loaded<T> {
    const key = JSON.stringify(dependencies);
    const [state, setState] = useState<{ key: string; data?: T; error?: Error; loading: boolean }>({ key, loading: true });
    const [again, setAgain] = useState(0);
    const turn = useRef(0);
    const found = useRef<{ key?: string; data?: T }>({});

    if (found.current.key !== key)
        found.current = { key, data: there?.() };
    useEffect(() => {
        const mine = ++turn.current;
        const { data } = found.current;

        found.current = { key };
        if (data !== undefined) {
            setState({ key, data, loading: false });
            return undefined;
        }
        setState((was) => ({ key, data: was.key === key ? was.data : undefined, loading: true }));
        read().then(
            (data) => mine === turn.current && setState({ key, data, loading: false }),
            (error: Error) => mine === turn.current
                && setState((was) => ({ key, data: was.data, error, loading: false })));
        return () => {
            turn.current++;
        };
    }, [key, again, healed.value]);
    const reload = useCallback(() => setAgain((n) => n + 1), []);
    const set = useCallback((data: T) => setState((was) =>
        was.key === key ? { key, data, loading: false } : was), [key]);
    const { data, error, loading }: { data?: T; error?: Error; loading: boolean } =
        found.current.data !== undefined ? { data: found.current.data, loading: false }
            : state.key === key ? state : { loading: true };
    return { data, error, loading, reload, set };
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
