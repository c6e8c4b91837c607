/*
 * early.ts
 *		A script of its own, run while the page's is still loaded: it asks for
 *		what the page will ask first, by the same addresses (start.ts), and has
 *		the part that the address names loaded. Who is signed in, the clinic, and
 *		the calendar's day; nothing but who is signed in where nobody was.
 */
import { base, dayOf, PER_PAGE, placeOf, wasSignedIn } from "./first";
import { localDate } from "./time";

/* Of each page, the files its part needs; the build says so. */
declare const PARTS: Record<string, string[]>;

const PAGE = { page: 1, per_page: PER_PAGE };

function ask(path: string, query: Record<string, string | number | boolean> = {}): void {
    const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    const url = new URL(`${base}/api/v1/${path}${text && `?${text}`}`, location.href).href;
    const answer = fetch(url, { cache: "no-store", credentials: "same-origin" });

    answer.catch(() => undefined);
    (globalThis.asked ??= new Map()).set(url, answer);
}

function preload(file: string): void {
    const link = document.createElement("link");

    link.rel = "modulepreload";
    link.href = `admin/files/${file}`;
    document.head.append(link);
}

const { path, query } = placeOf(location.hash);

ask("auth/session");
PARTS[path[0] ?? "today"]?.forEach(preload);
if (wasSignedIn()) {
    const day = dayOf(path, query, localDate());

    if (day) {
        const { branch_id, ...query } = day;

        ask(`branches/${encodeURIComponent(branch_id)}/calendar`, { ...query, patients: true });
    }
    ask("branches", { active: true, ...PAGE });
    for (const list of ["departments", "doctors", "visit-types"])
        ask(list, PAGE);
}
