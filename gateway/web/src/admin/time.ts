/*
 * time.ts
 *		Instants in a branch's zone, dates as DD/MM/YYYY. A date is the text
 *		YYYY-MM-DD, as the server has it.
 */
const MINUTE_MS = 60000;

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

function parts(instant: Date, zone: string): Record<string, string> {
    return Object.fromEntries(format(zone).formatToParts(instant)
        .map(({ type, value }) => [type, value]));
}

/* YYYY-MM-DDTHH:MM:SS on the branch's clock. */
export function wall(instant: string | Date, zone: string): string {
    const p = parts(new Date(instant), zone);

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

const weekdays = new Map<string, string>();

export function weekday(date: string, language: string, style: "short" | "long" = "long"): string {
    const key = `${date} ${language} ${style}`;
    let name = weekdays.get(key);

    if (name === undefined) {
        name = new Intl.DateTimeFormat(language, { timeZone: "UTC", weekday: style })
            .format(new Date(`${date}T00:00:00Z`));
        weekdays.set(key, name);
    }
    return name;
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

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/* Whether the browser's clock shows another time than the branch's. */
export function zoneDiffers(zone: string): boolean {
    const now = new Date();

    return wall(now, zone) !== wall(now, browserZone);
}
