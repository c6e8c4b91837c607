/*
 * start.ts
 *		What the page asks first, before it shows anything: who is signed in, the
 *		clinic, and the calendar's day that the address names.  Nothing but who
 *		is signed in where nobody was.  early.ts has asked it already.
 */
import { askClinicEarly } from "./clinic";
import { dayOf, forgetAsked, wasSignedIn } from "./first";
import { askAhead } from "./pages/calendar-read";
import { place } from "./router";
import { resume } from "./session";
import { localDate } from "./time";

const RETRY_MS = 2000;

/* Not reached: tried again until it is; what is shown says so. */
async function start(): Promise<void> {
    try {
        await resume();
    } catch {
        setTimeout(() => void start(), RETRY_MS);
    }
}

function askFirst(): Promise<unknown> {
    const day = dayOf(place.value.path, place.value.query, localDate());

    return Promise.all([day && askAhead(day, true), askClinicEarly()]);
}

/* Once it is known, or cannot be now. */
export const known: Promise<unknown> = Promise.all([start(), wasSignedIn() ? askFirst() : undefined]);

forgetAsked();
