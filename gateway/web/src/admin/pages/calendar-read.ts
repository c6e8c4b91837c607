/*
 * calendar-read.ts
 *		What the calendar shows of a branch from one day to another, and how it
 *		stays so: of a doctor whose day has changed, that doctor's days are read
 *		again, one reading at a time; of anything else, all.
 */
import { useEffect, useRef } from "preact/hooks";
import { api, ask, askAll, type Appointment, type Branch, type Doctor, type Point } from "../api";
import { learnPatients } from "../clinic";
import { useLive } from "../live";
import { useLoad, type Loaded } from "../parts/load";

interface Asked {
    branch_id: string;
    doctors: Doctor[];
    from: string;
    to: string;
}

export interface Span {
    key: string;
    appointments: Appointment[];
    points: ReadonlyMap<string, Point[]>;
}

const PAUSE_MS = 100;

const keyOf = ({ branch_id, doctors, from, to }: Asked): string =>
    JSON.stringify([branch_id, from, to, doctors.map((d) => d.doctor_id)]);

/* Of the doctors: the branch's appointments as one list, or one doctor's. */
async function read(asked: Asked, doctor_id?: string): Promise<Span> {
    const { branch_id, doctors, from, to } = asked;
    const [appointments, lists] = await Promise.all([
        askAll((page) => api.GET("/api/v1/appointments",
            { params: { query: { branch_id, doctor_id, date_from: from, date_to: to, ...page } } })),
        Promise.all(doctors.map((d) => ask(api.GET("/api/v1/appointments/slots/explain-day",
            { params: { query: { doctor_id: d.doctor_id, branch_id, date: from,
                date_to: to === from ? undefined : to } } })))),
    ]);

    void learnPatients(appointments.map((a) => a.patient_id));
    return { key: keyOf(asked), appointments, points: new Map(doctors.map((d, n) => [d.doctor_id, lists[n]])) };
}

function join(all: Span, parts: Span[]): Span {
    const points = new Map([...all.points, ...parts.flatMap((part) => [...part.points])]);
    const anew = new Set(parts.flatMap((part) => [...part.points.keys()]));

    return { key: all.key, points, appointments: [...all.appointments.filter((a) => !anew.has(a.doctor_id)),
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
        const isAll = this.isAll || loading || data?.key !== keyOf(asked);

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
        if (!parts || this.loaded.loading || this.loaded.data !== data || keyOf(this.asked) !== keyOf(asked))
            this.loaded.reload();
        else
            this.loaded.set(join(data, parts));
        if (this.isAll || this.changed.size > 0)
            this.soon();
    }
}

/* Its data is of what is asked for, or there is none yet. */
export function useSpan(here: Branch | undefined, doctors: Doctor[], from: string, to: string): Loaded<Span> {
    const asked = { branch_id: here?.branch_id ?? "", doctors, from, to };
    const key = keyOf(asked);
    const loaded = useLoad(() => read(asked), [key]);
    const news = useRef(new News()).current;

    news.asked = asked;
    news.loaded = loaded;
    useLive((change) => {
        if (!change)
            news.hear();
        else if (change.branch_id === asked.branch_id && change.date >= from && change.date <= to
                && doctors.some((d) => d.doctor_id === change.doctor_id))
            news.hear(change.doctor_id);
    });
    useEffect(() => () => news.forget(), []);
    return loaded.data?.key === key ? loaded : { ...loaded, data: undefined };
}
