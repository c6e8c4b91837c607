/*
 * feed.ts
 *		What the board knows: it asks when the event stream tells, every ten
 *		seconds beside that, every five without one, for as long as the
 *		television is on, and remembers when it last had an answer.
 */
import { signal } from "@preact/signals";
import type { components } from "../../types/openapi";

export type View = components["schemas"]["BoardView"];
export type Doctor = View["doctors"][number];
export type Call = { doctor: Doctor; token: number; at: number };

const ASK_MS = 5000;
const ASK_TOLD_MS = 10000;		/* while there is an event stream */
const ASK_AGAIN_MS = 30000;		/* without a good token */
const ANSWER_MS = 8000;
const FROZEN_MS = 15000;
const FRESH_CALL_MS = 30000;
const LISTEN_AGAIN_MS = 5000;
const SILENCE_MS = 40000;		/* of an event stream that is dead */

/* The last segment of the address: /board/{branch_id}. */
export const branch = decodeURIComponent(location.pathname.split("/").pop() ?? "");

const KEY = `appt-board:${branch}`;

export const view = signal<View | null>(null);
export const refused = signal(false);

/* When the last answer came, by this machine's clock; 0: none yet. */
export const heard = signal(0);

/* This machine's time, for all that goes on between answers. */
export const tick = signal(Date.now());

/* Who was called since the answer before, to be shown and heard. */
export const fresh = signal<Call[]>([]);

let ahead = 0;		/* of the branch's clock before this machine's, in ms */
let known = new Map<string, number>();
let told = false;	/* there is an event stream */
let asking = false;
let again = false;	/* something has changed since it asked */

/*
 * The token comes once, behind the #, where no server sees it; then it is kept
 * here and gone from the address.
 */
function token(): string {
    const given = location.hash.slice(1);

    if (given !== "") {
        localStorage.setItem(KEY, given);
        history.replaceState(null, "", location.pathname + location.search);
    }
    return localStorage.getItem(KEY) ?? "";
}

/* The time at the branch. */
export function branchTime(): Date {
    return new Date(tick.value + ahead);
}

export function isFrozen(): boolean {
    return heard.value > 0 && tick.value - heard.value > FROZEN_MS;
}

export function isFresh(doctor: Doctor, number: number): boolean {
    return fresh.value.some((call) => call.doctor.doctor_id === doctor.doctor_id &&
        call.token === number && tick.value - call.at < FRESH_CALL_MS);
}

function take(answer: View): void {
    const calls = new Map<string, number>();
    const called: Call[] = [];

    ahead = Date.parse(answer.now) - Date.now();
    for (const doctor of answer.doctors) {
        for (const { token_number, called_at } of doctor.in_consultation) {
            const key = `${doctor.doctor_id} ${token_number}`;
            const at = Date.parse(called_at);

            calls.set(key, at);
            if (view.value && known.get(key) !== at)
                called.push({ doctor, token: token_number, at: Date.now() });
        }
    }
    known = calls;
    tick.value = Date.now();
    view.value = answer;
    if (called.length > 0)
        fresh.value = called;
}

/* Asks, one question at a time; how long to wait until the next. */
async function ask(): Promise<number> {
    const bearer = token();

    if (bearer === "") {
        refused.value = true;
        return ASK_MS;
    }
    if (asking) {
        again = true;
        return ASK_MS;
    }
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS);

    asking = true;
    again = false;
    try {
        const answer = await request("board", bearer, late.signal);

        if (answer.status === 401) {
            refused.value = true;
            view.value = null;
            return ASK_AGAIN_MS;
        }
        if (answer.ok) {
            take(await answer.json() as View);
            refused.value = false;
            heard.value = Date.now();
        }
    } catch {
        /* It is asked again; how long there was no answer is shown. */
    } finally {
        clearTimeout(timer);
        asking = false;
        if (again)
            void ask();
    }
    return told ? ASK_TOLD_MS : ASK_MS;
}

function request(path: string, bearer: string, signal: AbortSignal): Promise<Response> {
    return fetch(`../api/v1/${path}`,
        { headers: { Authorization: `Bearer ${bearer}` }, cache: "no-store", signal });
}

/* Whether an event is of what is shown: other days are not. */
function concerns(block: string): boolean {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    const date = data && (JSON.parse(data) as { date?: string }).date;

    return data !== undefined && (!date || date === view.value?.now.slice(0, 10));
}

/* Reads the event stream until it ends; what was told meanwhile is asked for. */
async function listen(bearer: string): Promise<void> {
    const dead = new AbortController();
    let timer = setTimeout(() => dead.abort(), SILENCE_MS);
    let text = "";

    try {
        const answer = await request("board/events", bearer, dead.signal);

        if (!answer.ok || !answer.body)
            return;
        told = true;
        void ask();
        for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();;) {
            const { done, value } = await reader.read();

            if (done)
                return;
            clearTimeout(timer);
            timer = setTimeout(() => dead.abort(), SILENCE_MS);
            const blocks = (text + value).split("\n\n");
            text = blocks.pop() ?? "";
            if (blocks.some(concerns))
                void ask();
        }
    } catch {
        /* Cut; it asks by itself until it listens again. */
    } finally {
        clearTimeout(timer);
        told = false;
    }
}

async function listenOn(): Promise<void> {
    const bearer = token();

    if (bearer !== "" && !refused.value)
        await listen(bearer);
    setTimeout(listenOn, LISTEN_AGAIN_MS + Math.random() * 500);
}

async function goOn(): Promise<void> {
    const pause = await ask();

    setTimeout(goOn, pause + Math.random() * 500);
}

export function start(): void {
    setInterval(() => { tick.value = Date.now(); }, 1000);
    addEventListener("hashchange", () => { void ask(); });
    void goOn();
    void listenOn();
}
