/*
 * first.ts
 *		What is asked before anything is shown, by early.ts while the script is
 *		loaded; and what this browser remembers for it. Nothing of the page is
 *		needed for it: it stands in both scripts.
 */
const IDLE_MAX_MS = 480 * 60000;
const USED_KEY = "appt-used";
const BRANCH_KEY = "appt-branch";
const DEPARTMENT_KEY = "appt-department";

/* The gateway's address without a slash at its end, also behind a prefix. */
export const base = new URL(".", location.href).pathname.replace(/\/$/, "");

/* Somebody uses this browser, or signed out (0). */
export function rememberUse(at: number): void {
    localStorage.setItem(USED_KEY, String(at));
}

export const lastUse = (): number => Number(localStorage.getItem(USED_KEY) ?? 0);

/* Whether this browser was used lately by somebody who did not sign out. */
export const wasSignedIn = (): boolean => Date.now() - lastUse() < IDLE_MAX_MS;

/* The branch that was worked at last, "" if none was chosen. */
export const branchChosen = (): string => localStorage.getItem(BRANCH_KEY) ?? "";

export function rememberBranch(id: string): void {
    localStorage.setItem(BRANCH_KEY, id);
}

/* The department whose doctors were worked with at last, "": all. */
export const departmentChosen = (): string => localStorage.getItem(DEPARTMENT_KEY) ?? "";

export function rememberDepartment(id: string): void {
    localStorage.setItem(DEPARTMENT_KEY, id);
}

export const PER_PAGE = 100;

/* Here the calendar shows one doctor at a time. */
export const NARROW = matchMedia("(max-width: 55rem)");

/* The date that the calendar's address names. */
export function dateIn(query: Record<string, string | undefined>, otherwise: string): string {
    return /^\d{4}-\d\d-\d\d$/.test(query.date ?? "") ? query.date as string : otherwise;
}

/* A branch's day: of all its doctors, or of these with commas between. */
export interface Day {
    branch_id: string;
    date: string;
    doctor_id?: string;
}

/* That which the calendar's address names, if it is known whose will be shown. */
export function dayOf(path: string[], query: Record<string, string | undefined>, today: string): Day | undefined {
    const doctor_id = query.doctor || undefined;

    if (path[0] !== "calendar" || branchChosen() === "" || query.view
            || departmentChosen() !== "" || (NARROW.matches && !doctor_id))
        return undefined;
    return { branch_id: branchChosen(), date: dateIn(query, today), ...(doctor_id && { doctor_id }) };
}

export interface Place {
    path: string[];
    query: Record<string, string>;
}

/* What stands behind #. */
export function placeOf(hash: string): Place {
    const [path, query] = hash.replace(/^#\/?/, "").split("?");

    return {
        path: path === "" ? [] : path.split("/").map(decodeURIComponent),
        query: Object.fromEntries(new URLSearchParams(query ?? "")),
    };
}

declare global {
    /* By their address; each is taken once. */
    var asked: Map<string, Promise<Response>> | undefined;
}

/* The answer to what early.ts has asked. */
export function taken(url: string): Promise<Response> | undefined {
    const answer = globalThis.asked?.get(new URL(url, location.href).href);

    globalThis.asked?.delete(new URL(url, location.href).href);
    return answer;
}

/* What was asked early and not taken at the start is nobody's. */
export function forgetAsked(): void {
    globalThis.asked = undefined;
}
