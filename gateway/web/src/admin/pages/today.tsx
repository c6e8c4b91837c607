/*
 * today.tsx
 *		The front desk: the day in numbers, and of each doctor the queue in
 *		call order. One key does what a patient at the desk needs; it counts
 *		while a row of the queue has the focus.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ask, askAll, type Appointment, type Doctor, type QueueEntry } from "../api";
import { branch, department, doctorsOf, learnPatients, patients, visitTypeName } from "../clinic";
import { callNext, deedsOf, perform, type Deed } from "../deeds";
import { weekday, words } from "../i18n";
import { mode, useLive } from "../live";
import { Dialog } from "../parts/dialog";
import { DepartmentChoice } from "../parts/doctor-picker";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { RecordButton } from "../parts/record";
import { Empty, Shown } from "../parts/states";
import { undoLast } from "../parts/toast";
import { may } from "../session";
import { minutesBetween, shown, timeOf, today } from "../time";
import { WalkIn } from "./walk-in";

const KEYS: Record<string, Deed> = {
    c: "checkIn", s: "start", d: "complete", x: "noShow", k: "skip", r: "recall", p: "priority",
};
const KEY_OF = Object.fromEntries(Object.entries(KEYS).map(([key, deed]) => [deed, key.toUpperCase()]));
const LONG_WAIT_MIN = 30;

interface Day {
    date: string;
    appointments: Map<string, Appointment>;
    queues: Map<string, QueueEntry[]>;
}

type Versions = Map<string, string>;

/* By doctor: what changes when one of the day's appointments does. */
function versionsOf(appointments: Iterable<Appointment>): Versions {
    const found: Versions = new Map();

    for (const a of appointments)
        found.set(a.doctor_id, `${found.get(a.doctor_id) ?? ""} ${a.appointment_id}.${a.version}`);
    return found;
}

/* The day of a branch; the queues that cannot have changed are kept. */
async function readDay(branch_id: string, date: string, before: Day | undefined,
    certain: string | null): Promise<Day> {
    const all = await askAll((page) => api.GET("/api/v1/appointments",
        { params: { query: { branch_id, date_from: date, date_to: date, ...page } } }));
    const versions = versionsOf(all);
    const old = before?.date === date ? versionsOf(before.appointments.values()) : new Map();
    const queues = new Map<string, QueueEntry[]>();

    await Promise.all([...versions.keys()].map(async (doctor_id) => {
        const kept = before?.queues.get(doctor_id);

        if (kept && doctor_id !== certain && old.get(doctor_id) === versions.get(doctor_id))
            queues.set(doctor_id, kept);
        else
            queues.set(doctor_id, await ask(api.GET("/api/v1/queue",
                { params: { query: { doctor_id, date } } })));
    }));
    void learnPatients(all.map((a) => a.patient_id));
    return { date, appointments: new Map(all.map((a) => [a.appointment_id, a])), queues };
}

function useNow(everyMs: number): Date {
    const [now, setNow] = useState(() => new Date());

    useEffect(() => {
        const timer = setInterval(() => setNow(new Date()), everyMs);

        return () => clearInterval(timer);
    }, []);
    return now;
}

export function Today() {
    const w = words.value;
    const here = branch.value;
    const now = useNow(10000);
    const date = here ? today(here.time_zone) : "";
    const last = useRef<Day | undefined>(undefined);
    const certain = useRef<string | null>(null);
    const [walkIn, setWalkIn] = useState<string | null>(null);
    const [help, setHelp] = useState(false);
    const loaded = useLoad(async () => {
        const mine = here?.branch_id ?? "";
        const doctor = certain.current;

        certain.current = null;
        last.current = await readDay(mine, date, last.current, doctor);
        return last.current;
    }, [here?.branch_id, date]);

    useLive((change) => {
        if (change && (change.branch_id !== here?.branch_id || change.date !== date))
            return;
        certain.current = change?.doctor_id ?? null;
        loaded.reload();
    });
    /* Wherever the focus is, also nowhere: what had it may be gone. */
    useEffect(() => {
        const ask = (event: KeyboardEvent) => {
            if (event.key === "?" && !(event.target instanceof HTMLInputElement)
                    && document.querySelector("dialog[open]") === null)
                setHelp(true);
        };

        addEventListener("keydown", ask);
        return () => removeEventListener("keydown", ask);
    }, []);
    if (!here)
        return <Empty icon="branch" title={w.today.noBranch} />;
    return (
        <div>
            <div class="page-head">
                <h1>{w.today.title} <span class="sub">{weekday(date)}, {shown(date)}</span></h1>
                <div class="page-tools">
                    <span class={mode.value === "live" ? "live now" : "live"}>{w.today.live[mode.value]}</span>
                    <DepartmentChoice />
                    <button type="button" class="for-keys" onClick={() => setHelp(true)}>
                        <kbd>?</kbd>{w.today.keys}</button>
                    {may("appointments:write") && (
                        <button type="button" class="primary"
                            onClick={() => setWalkIn(doctorsOf(department.value)[0]?.doctor_id ?? "")}>
                            <Icon name="plus" />{w.today.walkIn}
                        </button>
                    )}
                </div>
            </div>
            <Shown loaded={loaded}>
                {(day) => (
                    <>
                        <Counts day={day} now={now} />
                        <Queues day={day} now={now} zone={here.time_zone} onChanged={(doctor) => {
                            certain.current = doctor;
                            loaded.reload();
                        }} onWalkIn={setWalkIn} />
                    </>
                )}
            </Shown>
            {walkIn !== null && (
                <WalkIn doctor={walkIn} onClose={() => setWalkIn(null)} onDone={loaded.reload} />
            )}
            {help && <Keys onClose={() => setHelp(false)} />}
        </div>
    );
}

function Counts({ day, now }: { day: Day; now: Date }) {
    const w = words.value.today;
    const mine = new Set(doctorsOf(department.value).map((d) => d.doctor_id));
    const all = [...day.appointments.values()].filter((a) => department.value === "" || mine.has(a.doctor_id));
    const waiting = all.filter((a) => a.status === "checked_in");
    const longest = Math.max(0, ...waiting.map((a) => minutesBetween(a.checked_in_at ?? now, now)));
    const figures: [string, number | string, string][] = [
        [w.booked, all.filter((a) => a.status !== "cancelled").length, ""],
        [w.arrived, all.filter((a) => a.checked_in_at !== null).length, ""],
        [w.waiting, waiting.length, ""],
        [w.longestWait, waiting.length === 0 ? "–" : w.minutes(longest), longest >= LONG_WAIT_MIN ? "warn" : ""],
        [w.noShow, all.filter((a) => a.status === "no_show").length, ""],
    ];

    return (
        <dl class="counts" aria-label={w.counts}>
            {figures.map(([name, figure, kind]) => (
                <div key={name} class={`count ${kind}`}><dt>{name}</dt><dd>{figure}</dd></div>
            ))}
        </dl>
    );
}

interface QueuesProps {
    day: Day;
    now: Date;
    zone: string;
    onChanged: (doctor: string) => void;
    onWalkIn: (doctor: string) => void;
}

function Queues(props: QueuesProps) {
    const w = words.value.today;
    const list = doctorsOf(department.value);
    const all = [...props.day.appointments.values()].filter((a) => a.status !== "cancelled");
    const busy = list.filter((d) => all.some((a) => a.doctor_id === d.doctor_id));
    const idle = list.filter((d) => !busy.includes(d));

    return (
        <>
            {busy.length === 0 && <Empty icon="calendar" title={w.nobody} />}
            <div class="queues">
                {busy.map((doctor) => <Queue key={doctor.doctor_id} doctor={doctor} {...props} />)}
            </div>
            {busy.length > 0 && idle.length > 0 && (
                <p class="muted">{w.idle(idle.map((d) => d.name).join(", "))}</p>
            )}
        </>
    );
}

function Queue({ doctor, day, now, zone, onChanged, onWalkIn }: QueuesProps & { doctor: Doctor }) {
    const w = words.value;
    const here = branch.value?.branch_id;
    const entries = (day.queues.get(doctor.doctor_id) ?? []).filter((e) => e.branch_id === here);
    const coming = entries.filter((e) => deedsOf[e.status].length > 0);
    const over = [...day.appointments.values()]
        .filter((a) => a.doctor_id === doctor.doctor_id && ["completed", "no_show"].includes(a.status));
    const [open, setOpen] = useState<string | null>(null);
    const list = useRef<HTMLElement>(null);
    const write = may("appointments:write");
    const changed = () => onChanged(doctor.doctor_id);
    const nameOf = async (id: string) => {
        await learnPatients([id]);
        return patients.value.get(id)?.name ?? id;
    };
    const next = () => void callNext(doctor.doctor_id, day.date, (a) => nameOf(a.patient_id), changed);
    const act = (entry: QueueEntry, deed: Deed) => void nameOf(entry.patient_id).then((who) =>
        perform(deed === "priority" && entry.priority > 0 ? "ordinary" : deed,
            entry.appointment_id, entry.status, who, changed));
    const onKeyDown = (event: KeyboardEvent) => {
        const key = event.key.toLowerCase();
        const rows = [...list.current?.querySelectorAll<HTMLElement>(".row-main") ?? []];
        const at = rows.findIndex((row) => row.parentElement?.contains(document.activeElement));

        if (event.ctrlKey || event.metaKey || event.altKey || at < 0 || (event.target as Element).closest("dialog"))
            return;
        if (key === "arrowdown" || key === "arrowup") {
            rows[at + (key === "arrowdown" ? 1 : -1)]?.focus();
            event.preventDefault();
            return;
        }
        if (!write)
            return;
        const entry = entries.find((e) => e.appointment_id === rows[at].dataset.id);
        if (key === "n")
            next();
        else if (key === "w")
            onWalkIn(doctor.doctor_id);
        else if (key === "u")
            undoLast();
        else if (entry && KEYS[key] && deedsOf[entry.status].includes(KEYS[key]))
            act(entry, KEYS[key]);
        else
            return;
        event.preventDefault();
    };

    return (
        <section ref={list} class="card queue" aria-labelledby={`q-${doctor.doctor_id}`} onKeyDown={onKeyDown}>
            <header>
                <div>
                    <h2 id={`q-${doctor.doctor_id}`}>{doctor.name}</h2>
                    <small>{[doctor.specialty, w.today.waitingCount(coming.filter((e) =>
                        e.status === "checked_in").length)].filter(Boolean).join(" · ")}</small>
                </div>
                {write && (
                    <button type="button" class="small" disabled={!coming.some((e) => e.status === "checked_in")}
                        onClick={next}>{w.today.callNext}</button>
                )}
            </header>
            {coming.length === 0 && <p class="muted empty-queue">{w.today.allDone}</p>}
            <ol>
                {coming.map((entry) => (
                    <Row key={entry.appointment_id} entry={entry} now={now} zone={zone} write={write}
                        appointment={day.appointments.get(entry.appointment_id)}
                        open={open === entry.appointment_id}
                        onOpen={() => setOpen(open === entry.appointment_id ? null : entry.appointment_id)}
                        onDeed={(deed) => act(entry, deed)} />
                ))}
            </ol>
            {over.length > 0 && (
                <details>
                    <summary>{w.today.over(over.length)}</summary>
                    <ol>
                        {over.map((a) => <Over key={a.appointment_id} appointment={a} zone={zone} />)}
                    </ol>
                </details>
            )}
        </section>
    );
}

interface RowProps {
    entry: QueueEntry;
    appointment: Appointment | undefined;
    now: Date;
    zone: string;
    write: boolean;
    open: boolean;
    onOpen: () => void;
    onDeed: (deed: Deed) => void;
}

/* The deed that comes next for most. */
const NEXT: Partial<Record<QueueEntry["status"], Deed>> = {
    booked: "checkIn", checked_in: "start", in_consultation: "complete",
};

function Row({ entry, appointment, now, zone, write, open, onOpen, onDeed }: RowProps) {
    const w = words.value;
    const patient = patients.value.get(entry.patient_id);
    const first = NEXT[entry.status];
    const others = deedsOf[entry.status].filter((deed) => deed !== first
        && deed !== (entry.priority > 0 ? "priority" : "ordinary")
        && (deed !== "recall" || entry.skipped || entry.status === "in_consultation"));

    return (
        <li class={`row ${entry.status}${open ? " open" : ""}`}>
            <button type="button" class="row-main" data-id={entry.appointment_id} aria-expanded={open}
                onClick={onOpen}>
                <span class="token"><span class="hidden">{w.common.token} </span>{entry.token_number}</span>
                <span class="row-who">
                    <span class="row-name">{patient?.name ?? entry.patient_id}
                        {patient?.age != null && <small> {w.patient.years(patient.age)}</small>}</span>
                    <span class="row-state">
                        <span class={`chip ${entry.status}`}>{w.status[entry.status]}</span>
                        <small>{rowNote(entry, appointment, now, zone)}</small>
                    </span>
                </span>
                <span class="row-time">
                    <span class="number">{timeOf(entry.slot_start, zone)}</span>
                    {entry.estimated_start && minutesBetween(entry.slot_start, entry.estimated_start) !== 0 && (
                        <small class="number">{w.today.estimate(timeOf(entry.estimated_start, zone))}</small>
                    )}
                </span>
            </button>
            {write && first && (
                <button type="button" class="small next" aria-keyshortcuts={KEY_OF[first]}
                    onClick={() => onDeed(first)}>{w.deeds.names[first]}<kbd>{KEY_OF[first]}</kbd></button>
            )}
            {open && (
                <div class="row-more">
                    <p class="muted dots">{[visitTypeName(appointment?.visit_type ?? null), patient?.phone,
                        entry.patient_id, entry.appointment_id].filter(Boolean).map((one) =>
                        <span key={one}>{one}</span>)}</p>
                    {appointment?.notes && <p class="row-notes">{appointment.notes}</p>}
                    <div class="row-deeds">
                        {write && others.map((deed) => (
                            <button key={deed} type="button" class={deed === "noShow" ? "small danger" : "small"}
                                onClick={() => onDeed(deed)}>{w.deeds.names[deed]}
                                <kbd>{KEY_OF[deed === "ordinary" ? "priority" : deed]}</kbd></button>
                        ))}
                        <RecordButton appointment_id={entry.appointment_id} class="small" />
                    </div>
                </div>
            )}
        </li>
    );
}

/* One who is done with. */
function Over({ appointment, zone }: { appointment: Appointment; zone: string }) {
    const w = words.value;

    return (
        <li class="row over">
            <span class="token">{appointment.token_number}</span>
            <span class="row-name">{patients.value.get(appointment.patient_id)?.name ?? appointment.patient_id}</span>
            <span class={`chip ${appointment.status}`}>{w.status[appointment.status]}</span>
            <span class="number">{timeOf(appointment.slot_start, zone)}</span>
        </li>
    );
}

/* How long who waits has waited, and what else the desk should know. */
function rowNote(entry: QueueEntry, appointment: Appointment | undefined, now: Date, zone: string): string {
    const w = words.value.today;
    const notes: string[] = [];

    if (entry.status === "checked_in" && entry.checked_in_at)
        notes.push(w.waited(minutesBetween(entry.checked_in_at, now)));
    if (entry.status === "in_consultation" && appointment?.started_at)
        notes.push(w.since(timeOf(appointment.started_at, zone)));
    if (entry.priority > 0)
        notes.push(w.isPriority);
    if (entry.skipped)
        notes.push(w.isSkipped);
    if (entry.late)
        notes.push(w.isLate);
    return notes.join(" · ");
}

function Keys({ onClose }: { onClose: () => void }) {
    const w = words.value;
    const keys: [string, string][] = [
        ["↑ ↓", w.today.keyMove], ["Enter", w.today.keyOpen],
        ...Object.entries(KEYS).map(([key, deed]): [string, string] =>
            [key.toUpperCase(), w.deeds.names[deed]]),
        ["N", w.today.callNext], ["W", w.today.walkIn], ["U", w.today.keyUndo],
    ];

    return (
        <Dialog title={w.today.keys} onClose={onClose}>
            <p class="muted">{w.today.keysLead}</p>
            <dl class="keys">
                {keys.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}
            </dl>
        </Dialog>
    );
}
