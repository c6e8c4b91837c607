/*
 * time.ts
 *		Instants in a branch's zone, dates as DD/MM/YYYY. A date is the text
 *		YYYY-MM-DD, as the server has it.
 */
const MINUTE_MS = 60000;

const two = (n: number): string => String(n).padStart(2, "0");

/* What is used of it, where a browser has it. */
declare const Temporal: undefined | { Instant: { fromEpochMilliseconds(at: number): {
    toZonedDateTimeISO(zone: string): { toPlainDateTime(): { toString(as: { smallestUnit: "second" }): string } };
} } };

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
    let found = formats.get(zone);

    if (!found) {
        found = new Intl.DateTimeFormat("en-GB", {
            timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit",
            day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
        });
        formats.set(zone, found);
    }
    return found;
}

/*
 * YYYY-MM-DDTHH:MM:SS on the branch's clock. Intl's first format takes as long as
 * all else that a page does before it is shown; Temporal takes nothing.
 */
export function wall(instant: string | Date, zone: string): string {
    const at = new Date(instant);

    if (typeof Temporal !== "undefined")
        return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(zone)
            .toPlainDateTime().toString({ smallestUnit: "second" });
    const p = Object.fromEntries(format(zone).formatToParts(at).map(({ type, value }) => [type, value]));

    return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}`;
}

/* HH:MM. */
export function timeOf(instant: string | Date, zone: string): string {
    return wall(instant, zone).slice(11, 16);
}

/* YYYY-MM-DD. */
export function dateOf(instant: string | Date, zone: string): string {
    return wall(instant, zone).slice(0, 10);
}

export function today(zone: string): string {
    return dateOf(new Date(), zone);
}

/* What the zone is ahead of UTC by then: +05:30. */
export function offsetOf(instant: Date, zone: string): string {
    const ahead = Math.round((Date.parse(`${wall(instant, zone)}Z`) - instant.getTime()) / MINUTE_MS);

    return `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
}

/* DD/MM/YYYY. */
export function shown(date: string): string {
    return date.split("-").reverse().join("/");
}

/* DD/MM/YYYY HH:MM. */
export function shownInstant(instant: string | Date, zone: string): string {
    return `${shown(dateOf(instant, zone))} ${timeOf(instant, zone)}`;
}

export function addDays(date: string, days: number): string {
    const at = new Date(`${date}T00:00:00Z`);

    at.setUTCDate(at.getUTCDate() + days);
    return at.toISOString().slice(0, 10);
}

/* The Monday of the date's week. */
export function monday(date: string): string {
    const day = new Date(`${date}T00:00:00Z`).getUTCDay();

    return addDays(date, -((day + 6) % 7));
}

/* The instant of a wall-clock time of the branch, as RFC 3339 in UTC. */
export function instantOf(local: string, zone: string): string {
    const wanted = Date.parse(`${local.length === 16 ? `${local}:00` : local}Z`);
    let at = wanted;

    for (let i = 0; i < 2; i++)
        at += wanted - Date.parse(`${wall(new Date(at), zone)}Z`);
    return new Date(at).toISOString().replace(".000Z", "Z");
}

export function minutesBetween(from: string | Date, to: string | Date): number {
    return Math.floor((new Date(to).getTime() - new Date(from).getTime()) / MINUTE_MS);
}

/* The date on the browser's clock. */
export function localDate(at = new Date()): string {
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/* Whether the browser's clock shows another time than the branch's. */
export function zoneDiffers(zone: string): boolean {
    const now = new Date();

    return wall(now, zone).slice(0, 16) !== `${localDate(now)}T${two(now.getHours())}:${two(now.getMinutes())}`;
}
