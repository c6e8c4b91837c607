/*
 * calendar-read.ts
 *		What the calendar shows of a branch from one day to another, and how it
 *		stays so: of a doctor whose day has changed, that doctor's days are read
 *		again, one reading at a time; of anything else, all.  It is one question
 *		for all doctors, visits and names, and a day may be asked for ahead.
 */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, ask, type Appointment, type Branch, type Doctor, type Point, type Schemas } from "../api";
import { branchDoctors, knowPatients, learnPatients } from "../clinic";
import type { Day } from "../first";
import { mode, useLive, type Change } from "../live";
import { useLoad, type Loaded } from "../parts/load";
import { may, person } from "../session";
import { addDays } from "../time";

interface Asked {
    branch_id: string;
    doctors: Doctor[];
    from: string;
    to: string;
}

export interface Span {
    appointments: Appointment[];
    points: ReadonlyMap<string, Point[]>;
}

const PAUSE_MS = 100;

type Calendar = Schemas["Calendar"];

/* Whose names are asked for is on record as looked at: those alone who are shown. */
const askCalendar = ({ branch_id, date, date_to, doctor_id }: Day & { date_to?: string }, withNames: boolean):
    Promise<Calendar> => ask(api.GET("/api/v1/branches/{branch_id}/calendar", { params: { path: { branch_id },
        query: { date, date_to, doctor_id, patients: withNames || undefined } } }));

/* undefined: of all the branch's doctors nobody has to be named. */
const idsOf = (doctors: Doctor[]): string | undefined =>
    doctors.length === branchDoctors.value.length ? undefined : doctors.map((d) => d.doctor_id).join();

async function read({ branch_id, doctors, from, to }: Asked, withNames: boolean): Promise<Span> {
    const span = { branch_id, date: from, date_to: to === from ? undefined : to, doctor_id: idsOf(doctors) };

    return spanOf(doctors, await askCalendar(span, withNames && may("patients:read")));
}

interface Ahead { at: number; asked: Promise<Calendar>; calendar?: Calendar }

/* Days that were asked for before somebody looks at them. */
const ahead = new Map<string, Ahead>();
/* Without the news of others, what was read that long ago is read again. */
const FRESH_MS = 5000;
const AHEAD_MAX = 3;
const AHEAD_AFTER_MS = 1000;

const keyOf = ({ branch_id, date, doctor_id = "" }: Day): string => `${branch_id} ${date} ${doctor_id}`;

export function askAhead(day: Day, withNames = false): Promise<void> {
    const key = keyOf(day);
    const mine: Ahead = { at: performance.now(), asked: askCalendar(day, withNames) };
    const forget = (): void => {
        if (ahead.get(key) === mine)
            ahead.delete(key);
    };

    ahead.set(key, mine);
    for (const oldest of [...ahead.keys()].slice(0, -AHEAD_MAX))
        ahead.delete(oldest);
    return mine.asked.then((calendar) => {
        mine.calendar = calendar;
    }, forget);
}

/* If it is a day. */
const dayAsked = ({ branch_id, doctors, from, to }: Asked): Day | undefined =>
    from === to ? { branch_id, date: from, doctor_id: idsOf(doctors) } : undefined;

/* What is shown is current as long as news come; so is what was asked for. */
function aheadOf(asked: Asked): Ahead | undefined {
    const day = dayAsked(asked);
    const found = day && ahead.get(keyOf(day));

    return found && (mode.value === "live" || performance.now() - found.at < FRESH_MS) ? found : undefined;
}

/* Nor is it for the next who signs in. */
let whose: string | undefined;
effect(() => {
    if (whose !== undefined && whose !== person.value)
        ahead.clear();
    whose = person.value;
});

/* What happens meanwhile is told to nobody. */
effect(() => {
    if (mode.value !== "live")
        ahead.clear();
});

function forgetAhead(change: Change | null): void {
    for (const key of ahead.keys())
        if (!change || key.startsWith(`${change.branch_id} ${change.date} `))
            ahead.delete(key);
}

function spanOf(doctors: Doctor[], calendar: Calendar): Span {
    const found = new Map(calendar.doctors.map((d) => [d.doctor_id, d]));
    const appointments = doctors.flatMap((d) => found.get(d.doctor_id)?.appointments ?? []);

    if (calendar.patients)
        knowPatients(calendar.patients);
    void learnPatients(appointments.map((a) => a.patient_id));
    return { appointments, points: new Map(doctors.map((d) => [d.doctor_id, found.get(d.doctor_id)?.slots ?? []])) };
}

/* Shown once, it is no longer ahead. */
function take(asked: Asked, calendar: Calendar): Span {
    const day = dayAsked(asked);

    if (day)
        ahead.delete(keyOf(day));
    return spanOf(asked.doctors, calendar);
}

/* What is there without a wait. */
function there(asked: Asked): Span | undefined {
    const calendar = aheadOf(asked)?.calendar;

    return calendar && take(asked, calendar);
}

/* The day after, some time after what is shown was read; nobody looks at it yet. */
function useAhead(asked: Asked, read: Span | undefined): void {
    useEffect(() => {
        const day = read && dayAsked(asked);
        const next = day && { ...day, date: addDays(day.date, 1) };

        if (!next)
            return undefined;
        const timer = setTimeout(() => {
            if (mode.value === "live" && !ahead.has(keyOf(next)))
                void askAhead(next);
        }, AHEAD_AFTER_MS);

        return () => clearTimeout(timer);
    }, [read]);
}

function join(all: Span, { appointments, points }: Span): Span {
    return { points: new Map([...all.points, ...points]),
        appointments: [...all.appointments.filter((a) => !points.has(a.doctor_id)), ...appointments] };
}

/* What has changed since it was read. */
class News {
    private changed = new Set<string>();
    private isAll = false;
    private isBusy = false;
    private timer: ReturnType<typeof setTimeout> | undefined;
    asked!: Asked;
    loaded!: Loaded<Span>;

    /* undefined: anything. */
    hear(doctor_id?: string): void {
        if (doctor_id === undefined)
            this.isAll = true;
        else
            this.changed.add(doctor_id);
        this.soon();
    }

    forget(): void {
        clearTimeout(this.timer);
    }

    private soon(): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.read(), PAUSE_MS);
    }

    private async read(): Promise<void> {
        const { asked, loaded: { data, loading } } = this;

        if (this.isBusy)
            return;
        const doctors = asked.doctors.filter((d) => this.changed.has(d.doctor_id));
        const isAll = this.isAll || loading || !data;

        this.changed.clear();
        this.isAll = false;
        if (isAll) {
            this.loaded.reload();
            return;
        }
        this.isBusy = true;
        const part = await read({ ...asked, doctors }, false).catch(() => null);
        this.isBusy = false;
        /* What was read beside it may be older, or of other days. */
        if (!part || this.loaded.loading || this.loaded.data !== data)
            this.loaded.reload();
        else
            this.loaded.set(join(data, part));
        if (this.isAll || this.changed.size > 0)
            this.soon();
    }
}

export function useSpan(here: Branch | undefined, doctors: Doctor[], from: string, to: string): Loaded<Span> {
    const asked = { branch_id: here?.branch_id ?? "", doctors, from, to };
    const loaded = useLoad((was) => aheadOf(asked)?.asked.then((calendar) => take(asked, calendar))
        ?? read(asked, was === undefined), [asked.branch_id, from, to, ...doctors.map((d) => d.doctor_id)],
        () => there(asked));
    const news = useRef(new News()).current;

    news.asked = asked;
    news.loaded = loaded;
    useAhead(asked, loaded.data);
    useLive((change) => {
        forgetAhead(change);
        if (!change)
            news.hear();
        else if (change.branch_id === asked.branch_id && change.date >= from && change.date <= to
                && doctors.some((d) => d.doctor_id === change.doctor_id))
            news.hear(change.doctor_id);
    });
    useEffect(() => () => news.forget(), []);
    return loaded;
}
