/*
 * session.ts
 *		Who is signed in. The token itself is a cookie that no script can read;
 *		here is what the server says of it, and how long the desk has been idle.
 *
 *		A session that has ended while somebody works (its idle time, or a
 *		revocation) does not take the page away: "asleep" has the password
 *		asked for in front of it, and what was typed stays.
 */
import { computed, signal } from "@preact/signals";
import { ApiError, NetworkError, base, onForged, onUnauthorized, setCsrf } from "./api";
import { lastUse, rememberUse, taken } from "./first";
import { language, languageIsChosen, type Language } from "./i18n";

export type Role = "admin" | "reception" | "doctor";

export interface Session {
    sign_in_id: string;
    staff_id: string;
    account: string;
    name: string;
    role: Role;
    scopes: string[];
    branch_ids: string[] | null;
    doctor_id: string | null;
    language: string;
    email: string | null;
    csrf_token: string;
    idle_timeout_min: number;
    expires_at: string;
    idle_expires_at: string;
    totp_enrolled: boolean;
    totp_required: boolean;
    recovery_codes_left: number;
}

const WARNING_MS = 5 * 60000;
const TICK_MS = 5000;

/* undefined: not known yet; null: nobody. */
export const session = signal<Session | null | undefined>(undefined);

/* The session has ended, and its page is still there. */
export const asleep = signal(false);

/* Minutes until the idle end, once a warning is due. */
export const idleEndsIn = signal<number | null>(null);

async function call(method: string, body?: object): Promise<Session | null> {
    const headers: Record<string, string> = {};
    const address = `${base}/api/v1/auth/session`;

    if (body !== undefined)
        headers["Content-Type"] = "application/json";
    if (method === "DELETE" && session.value)
        headers["X-CSRF-Token"] = session.value.csrf_token;
    let answer: Response;
    try {
        answer = await (method === "GET" && taken(address) || fetch(address, {
            method, headers, cache: "no-store", credentials: "same-origin",
            body: body === undefined ? undefined : JSON.stringify(body),
        }));
    } catch {
        throw new NetworkError("network");
    }
    if (answer.status === 204)
        return null;
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok)
        throw new ApiError(answer.status, said.code ?? "", said.detail ?? answer.statusText,
            said.errors ?? [], said.reason);
    return said as Session;
}

/* Who it is; another one once somebody else has signed in, here or in another tab. */
export const person = computed(() => session.value?.staff_id);

/* The sign-in as it is now: with another token, or other rights. */
export function renew(found: Session): void {
    begin(found);
}

function begin(found: Session): void {
    setCsrf(found.csrf_token);
    session.value = found;
    asleep.value = false;
    idleEndsIn.value = null;
    used();
    if (!languageIsChosen() && (found.language === "en" || found.language === "hi"))
        language.value = found.language as Language;
}

/* Whether somebody is signed in already; asked once, at the start. */
export async function resume(): Promise<void> {
    try {
        const found = await call("GET");

        if (found)
            begin(found);
        else
            session.value = null;
    } catch (error) {
        if (!(error instanceof ApiError))
            throw error;
        session.value = null;
    }
}

/*
 * What another tab has done: signed in anew, which is another token, or out,
 * which takes nothing of this page away. Whether it is the same person.
 */
async function recheck(): Promise<boolean> {
    const before = session.value;

    if (!before)
        return false;
    try {
        const found = await call("GET");

        if (found) {
            setCsrf(found.csrf_token);
            session.value = found;
            asleep.value = false;
        }
        return found?.staff_id === before.staff_id;
    } catch (error) {
        if (error instanceof ApiError && error.status === 401)
            asleep.value = true;
        return false;
    }
}

onForged(recheck);
addEventListener("visibilitychange", () => {
    if (!document.hidden)
        void recheck();
});

/* What ends the session of a desk that nobody touches; settled without one. */
let ending: Promise<unknown> = Promise.resolve();

/* Throws ApiError with code invalid_credentials or totp_required. */
export async function signIn(account: string, password: string, code?: string): Promise<void> {
    /* Its answer takes the cookie away: not the new one. */
    await ending;
    const found = await call("POST", { account, password, ...(code ? { code } : {}) });

    if (found)
        begin(found);
}

export async function signOut(): Promise<void> {
    try {
        await call("DELETE");
    } catch (error) {
        if (!(error instanceof ApiError))
            throw error;
    }
    setCsrf("");
    rememberUse(0);
    session.value = null;
    asleep.value = false;
}

export function may(scope: string): boolean {
    return session.value?.scopes.includes(scope) ?? false;
}

/* ---- idle time ---------------------------------------------------------- */

let lastUsed = Date.now();

/* Somebody is there: at this tab, which others learn of. */
function used(): void {
    lastUsed = Date.now();
    rememberUse(lastUsed);
}

/* "Stay signed in": any call that counts as use. */
export async function stay(): Promise<void> {
    used();
    idleEndsIn.value = null;
    const answer = await fetch(`${base}/api/v1/branches?per_page=1`, { cache: "no-store" });

    if (answer.status === 401)
        asleep.value = true;
}

function noticeUse(): void {
    if (session.value && !asleep.value && idleEndsIn.value === null
            && Date.now() - lastUsed > TICK_MS)
        used();
}

/*
 * The page asks for news by itself, which the server takes for use; so the desk
 * that nobody touches is put to sleep here, and its session ended there.
 */
function tick(): void {
    const now = session.value;

    if (!now || asleep.value)
        return;
    const last = Math.max(lastUsed, lastUse());
    const left = last + now.idle_timeout_min * 60000 - Date.now();
    if (left <= 0) {
        idleEndsIn.value = null;
        asleep.value = true;
        ending = call("DELETE").catch(() => undefined);
    } else {
        idleEndsIn.value = left <= WARNING_MS ? Math.ceil(left / 60000) : null;
    }
}

for (const kind of ["pointerdown", "keydown"])
    addEventListener(kind, noticeUse, { passive: true, capture: true });
setInterval(tick, TICK_MS);

onUnauthorized(() => {
    if (session.value)
        asleep.value = true;
});
