/*
 * live.ts
 *		News of other desks: the server's event stream says which doctor's day
 *		has changed; where there is no stream, everything is asked for again
 *		every five seconds.
 */
import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { base, healed, suspect } from "./api";
import { readClinic } from "./clinic";
import { asleep, session } from "./session";

export interface Change { doctor_id: string; branch_id: string; date: string }

/* null: anything may have changed. */
type Listener = (change: Change | null) => void;

const POLL_MS = 5000;
const RETRY_MS = 60000;
/* Of the few connections that a browser opens, what is shown first needs all. */
const OPEN_AFTER_MS = 400;
/* What was missed until the stream was there is read again after what is shown first. */
const CATCH_UP_MS = 700;

export const mode = signal<"live" | "polling">("polling");

const listeners = new Set<Listener>();
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let catchUp: ReturnType<typeof setTimeout> | undefined;

function tell(change: Change | null): void {
    listeners.forEach((listener) => listener(change));
}

/* The browser connects again by itself, and says which event was its last. */
function open(): void {
    source = new EventSource(`${base}/api/v1/events`);
    source.onopen = () => {
        mode.value = "live";
        clearTimeout(catchUp);
        catchUp = setTimeout(tell, CATCH_UP_MS, null);
    };
    source.addEventListener("doctor_day", (event) => {
        tell(JSON.parse((event as MessageEvent<string>).data) as Change);
    });
    source.addEventListener("reset", () => tell(null));
    source.addEventListener("configuration", (event) => {
        const { what } = JSON.parse((event as MessageEvent<string>).data) as { what: string };

        if (["branch", "doctor", "visit_type", "working_hours"].includes(what))
            void readClinic();
        tell(null);
    });
    source.onerror = () => {
        mode.value = "polling";
        suspect();
        if (source?.readyState === EventSource.CLOSED)
            retry = setTimeout(open, RETRY_MS);
    };
}

function close(): void {
    clearTimeout(retry);
    clearTimeout(catchUp);
    source?.close();
    source = undefined;
    mode.value = "polling";
}

effect(() => {
    if (session.value && !asleep.value)
        retry = setTimeout(open, OPEN_AFTER_MS);
    return close;
});

setInterval(() => {
    if (mode.value === "polling" && session.value && !asleep.value && !document.hidden)
        tell(null);
}, POLL_MS);

effect(() => {
    if (healed.value > 0)
        tell(null);
});

/* Calls the listener while the component is there. */
export function useLive(listener: Listener): void {
    const latest = useRef(listener);

    latest.current = listener;
    useEffect(() => {
        const mine: Listener = (change) => latest.current(change);

        listeners.add(mine);
        return () => {
            listeners.delete(mine);
        };
    }, []);
}
