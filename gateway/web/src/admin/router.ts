/*
 * router.ts
 *		Where the user is: the address behind #, so that one file answers for
 *		every page, behind any prefix.
 */
import { signal } from "@preact/signals";
import { placeOf, type Place } from "./first";

const read = (): Place => placeOf(location.hash);

export const place = signal<Place>(read());

addEventListener("hashchange", () => {
    place.value = read();
});

/* The address of a page: href("calendar", {date: "2026-03-15"}). */
export function href(path: string, query: Record<string, string | undefined> = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(given as [string, string][]).toString();

    return `#/${path}${text === "" ? "" : `?${text}`}`;
}

export function go(path: string, query: Record<string, string | undefined> = {}): void {
    location.hash = href(path, query);
}

/* The same page with other parameters, without another step in the history. */
export function refine(query: Record<string, string | undefined>): void {
    const path = place.value.path.map(encodeURIComponent).join("/");

    history.replaceState(null, "", href(path, { ...place.value.query, ...query }));
    place.value = read();
}
