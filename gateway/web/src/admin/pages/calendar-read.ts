/*
 * calendar-read.ts
 *		What the calendar shows of a branch from one day to another, and how it
 *		stays so: of a doctor whose day has changed, that doctor's days are read
 *		again, one reading at a time; of anything else, all.  A branch's day is
 *		one question for all doctors, and may be asked for ahead.
 */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, ask, askAll, type Appointment, type Branch, type Doctor, type Point } from "../api";
import { learnPatients } from "../clinic";
import { dayPages, rememberDay } from "../first";
import { mode, useLive, type Change } from "../live";
import { addDays } from "../time";
import { useLoad, type Loaded } from "../parts/load";

interface Asked {
    branch_id: string;
    doctors: Doctor[];
    from: string;
    to: string;
}

export interface Span {
    appointments: Appointment[];
    points: Points;
}

const PAUSE_MS = 100;

/* Both and the days between them. */
function datesOf(from: string, to: string): string[] {
    const dates = [from];

    while (dates[dates.length - 1] < to)
        dates.push(addDays(dates[dates.length - 1], 1));
    return dates;
}

type Lists = [Appointment[], Points];

const visitsOf = (branch_id: string, from: string, to: string, doctor_id?: string, pages = 1): Promise<Appointment[]> =>
    askAll((page) => api.GET("/api/v1/appointments",
        { params: { query: { branch_id, doctor_id, date_from: from, date_to: to, ...page } } }), pages);

type Points = ReadonlyMap<string, Point[]>;

/* A day of all the branch's doctors. */
async function branchDay(branch_id: string, date: string): Promise<Points> {
    const days = await ask(api.GET("/api/v1/appointments/slots/explain-branch", { params: { query: { branch_id, date } } }));

    return new Map(days.map((one) => [one.doctor_id, one.slots]));
}

/* A question a doctor, or a day, whichever are fewer. */
async function pointsOf({ branch_id, doctors, from, to }: Asked): Promise<Points> {
    const dates = datesOf(from, to);

    if (dates.length < doctors.length) {
        const days = await Promise.all(dates.map((date) => branchDay(branch_id, date)));

        return new Map(doctors.map(({ doctor_id }) =>
            [doctor_id, days.flatMap((day) => day.get(doctor_id) ?? [])]));
    }
    return new Map(await Promise.all(doctors.map(async ({ doctor_id }): Promise<[string, Point[]]> => [doctor_id,
        await ask(api.GET("/api/v1/appointments/slots/explain-day", { params: { query: {
            doctor_id, branch_id, date: from, date_to: to === from ? undefined : to } } }))])));
}

/* A branch's day: of all its doctors at once. */
async function readDay(branch_id: string, date: string): Promise<Lists> {
    const [visits, points] = await Promise.all([visitsOf(branch_id, date, date, undefined, dayPages()),
        branchDay(branch_id, date)]);

    rememberDay(visits.length);
    return [visits, points];
}

interface Ahead { at: number; asked: Promise<Lists>; lists?: Lists }

/* Days that were asked for before somebody looks at them, by branch and date. */
const ahead = new Map<string, Ahead>();
/* Without the news of others, what was read that long ago is read again. */
const FRESH_MS = 5000;
const AHEAD_MAX = 3;
const AHEAD_AFTER_MS = 1000;

export function askAhead(branch_id: string, date: string): Promise<void> {
    const key = `${branch_id} ${date}`;
    const mine: Ahead = { at: performance.now(), asked: readDay(branch_id, date) };
    const forget = (): void => {
        if (ahead.get(key) === mine)
            ahead.delete(key);
    };

    ahead.set(key, mine);
    for (const oldest of [...ahead.keys()].slice(0, -AHEAD_MAX))
        ahead.delete(oldest);
    return mine.asked.then((lists) => {
        mine.lists = lists;
    }, forget);
}

/* What is shown is current as long as news come; so is what was asked for. */
function aheadOf({ branch_id, doctors, from, to }: Asked): Ahead | undefined {
    const found = from === to && doctors.length > 1 ? ahead.get(`${branch_id} ${from}`) : undefined;

    return found && (mode.value === "live" || performance.now() - found.at < FRESH_MS) ? found : undefined;
}

/* What happens meanwhile is told to nobody. */
effect(() => {
    if (mode.value !== "live")
        ahead.clear();
});

function forgetAhead(change: Change | null): void {
    if (change)
        ahead.delete(`${change.branch_id} ${change.date}`);
    else
        ahead.clear();
}

/* Whose names are asked for is on record as looked at: those alone who are shown. */
function spanOf(asked: Asked, [appointments, points]: Lists): Span {
    const isAsked = new Set(asked.doctors.map((d) => d.doctor_id));

    ahead.delete(`${asked.branch_id} ${asked.from}`);
    void learnPatients(appointments.filter((a) => a.status !== "cancelled" && isAsked.has(a.doctor_id))
        .map((a) => a.patient_id));
    return { appointments, points };
}

/* What is there without a wait. */
function there(asked: Asked): Span | undefined {
    const lists = aheadOf(asked)?.lists;

    return lists && spanOf(asked, lists);
}

/* The day after, some time after what is shown was read. */
function useAhead({ branch_id, doctors, from, to }: Asked, read: Span | undefined): void {
    useEffect(() => {
        if (!read || from !== to || doctors.length < 2)
            return undefined;
        const timer = setTimeout(() => {
            if (mode.value === "live" && !ahead.has(`${branch_id} ${addDays(from, 1)}`))
                void askAhead(branch_id, addDays(from, 1));
        }, AHEAD_AFTER_MS);

        return () => clearTimeout(timer);
    }, [read]);
}

/* Of the doctors: the branch's appointments as one list, or one doctor's. */
async function read(asked: Asked, doctor_id?: string): Promise<Span> {
    const { branch_id, doctors, from, to } = asked;
    const ready = doctor_id === undefined ? aheadOf(asked)?.asked : undefined;

    return spanOf(asked, await (ready ?? (from === to && doctors.length > 1 ? readDay(branch_id, from)
        : Promise.all([visitsOf(branch_id, from, to, doctor_id), pointsOf(asked)]))));
}

function join(all: Span, parts: Span[]): Span {
    const points = new Map([...all.points, ...parts.flatMap((part) => [...part.points])]);
    const anew = new Set(parts.flatMap((part) => [...part.points.keys()]));

    return { points, appointments: [...all.appointments.filter((a) => !anew.has(a.doctor_id)),
        ...parts.flatMap((part) => part.appointments)] };
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
        const parts = await Promise.all(doctors.map((d) => read({ ...asked, doctors: [d] }, d.doctor_id)))
            .catch(() => null);
        this.isBusy = false;
        /* What was read beside it may be older, or of other days. */
        if (!parts || this.loaded.loading || this.loaded.data !== data)
            this.loaded.reload();
        else
            this.loaded.set(join(data, parts));
        if (this.isAll || this.changed.size > 0)
            this.soon();
    }
}

export function useSpan(here: Branch | undefined, doctors: Doctor[], from: string, to: string): Loaded<Span> {
    const asked = { branch_id: here?.branch_id ?? "", doctors, from, to };
    const loaded = useLoad(() => read(asked), [asked.branch_id, from, to, ...doctors.map((d) => d.doctor_id)],
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
