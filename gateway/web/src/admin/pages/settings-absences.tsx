/*
 * settings-absences.tsx
 *		Settings > Time off and > Closures: when a doctor is away or a branch
 *		closed, which visits that falls on, and what becomes of them.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ask, askAll, once, type Appointment, type Schemas } from "../api";
import { branch, branches, chooseBranch, doctorName, learnPatients, patients } from "../clinic";
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { settingsWords } from "../i18n/settings";
import { Confirm } from "../parts/ask";
import { RadioField } from "../parts/choices";
import { Dialog } from "../parts/dialog";
import { CheckField, FormError, SelectField, TextField } from "../parts/field";
import { useForm, type Values } from "../parts/form";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { toast } from "../parts/toast";
import { dateOf, instantOf, shown, shownInstant, timeOf, today, wall } from "../time";
import { chosenDoctor, DoctorChoice, doctorZone } from "./settings-hours";

interface Absence {
    id: string; starts_at: string; ends_at: string; reason: string | null; version: number;
}

type Body = Schemas["TimeOffRequest"];

/* What time off and closures differ in. */
interface Kind {
    kind: string;
    words: { title: string; lead: string; add: string; none: string; noun: string; savedNoun: string };
    /* Whose visits it falls on. */
    filter: { doctor_id?: string; branch_id?: string };
    zone: string;
    read: (date_from?: string) => Promise<Absence[]>;
    create: (body: Body, key: string) => Promise<{ displaced: number }>;
    update: (row: Absence, body: Body, key: string) => Promise<unknown>;
    remove: (row: Absence) => Promise<unknown>;
}

export function TimeOff() {
    const doctor_id = chosenDoctor();
    const path = { doctor_id };
    const one = (row: Absence) => ({ params: { path: { doctor_id, time_off_id: row.id } } });

    return <Absences key={doctor_id} choice={<DoctorChoice />} of={{
        kind: `time-off/${doctor_id}`, words: clinicWords.value.off, filter: { doctor_id },
        zone: doctorZone(doctor_id),
        read: async (date_from) => (await askAll((page) => api.GET("/api/v1/doctors/{doctor_id}/time-off",
            { params: { path, query: { date_from, ...page } } }))).map((row) => ({ ...row, id: row.time_off_id })),
        create: (body, key) => ask(api.POST("/api/v1/doctors/{doctor_id}/time-off",
            { params: { path }, body, ...once(key) })),
        update: (row, body, key) => ask(api.PATCH("/api/v1/doctors/{doctor_id}/time-off/{time_off_id}",
            { ...one(row), body, ...once(key, row.version) })),
        remove: (row) => ask(api.DELETE("/api/v1/doctors/{doctor_id}/time-off/{time_off_id}", one(row))),
    }} />;
}

export function Closures() {
    const branch_id = branch.value?.branch_id ?? "";
    const path = { branch_id };
    const one = (row: Absence) => ({ params: { path: { branch_id, closure_id: row.id } } });

    return <Absences key={branch_id} choice={
        <SelectField label={words.value.common.branch} value={branch_id} onValue={chooseBranch}
            choices={branches.value.map((b) => ({ value: b.branch_id, label: b.name }))} />
    } of={{
        kind: `closure/${branch_id}`, words: clinicWords.value.closures, filter: { branch_id },
        zone: branch.value?.time_zone ?? "UTC",
        read: async (date_from) => (await askAll((page) => api.GET("/api/v1/branches/{branch_id}/closures",
            { params: { path, query: { date_from, ...page } } }))).map((row) => ({ ...row, id: row.closure_id })),
        create: (body, key) => ask(api.POST("/api/v1/branches/{branch_id}/closures",
            { params: { path }, body, ...once(key) })),
        update: (row, body, key) => ask(api.PATCH("/api/v1/branches/{branch_id}/closures/{closure_id}",
            { ...one(row), body, ...once(key, row.version) })),
        remove: (row) => ask(api.DELETE("/api/v1/branches/{branch_id}/closures/{closure_id}", one(row))),
    }} />;
}

function Absences({ of, choice }: { of: Kind; choice: preact.ComponentChildren }) {
    const w = clinicWords.value.absence;
    const s = settingsWords.value;
    const [past, setPast] = useState(false);
    const [editing, setEditing] = useState<Absence | "new" | null>(null);
    const loaded = useLoad(() => of.read(past ? undefined : today(of.zone)), [of.kind, past]);

    return (
        <>
            <Heading title={of.words.title} sub={`${of.words.lead} ${w.zone(of.zone)}`}>{choice}</Heading>
            <div class="list-deeds">
                <CheckField label={w.past} checked={past} onValue={setPast} />
                <button type="button" class="primary" onClick={() => setEditing("new")}>
                    <Icon name="plus" />{of.words.add}</button>
            </div>
            <Shown loaded={loaded}>
                {(rows) => rows.length === 0 ? <Empty icon="calendar" title={of.words.none} /> : (
                    <div class="card list-card">
                        <Table caption={of.words.title} rows={rows} id={(row) => row.id} columns={[
                            { title: w.from, class: "number", cell: (row) => shownInstant(row.starts_at, of.zone) },
                            { title: w.to, class: "number", cell: (row) => shownInstant(row.ends_at, of.zone) },
                            { title: w.reason, cell: (row) => row.reason ?? "" },
                            { title: s.edit, class: "end", cell: (row) => (
                                <button type="button" class="small" onClick={() => setEditing(row)}>
                                    {s.edit}<span class="hidden"> {shownInstant(row.starts_at, of.zone)}</span></button>
                            ) },
                        ]} />
                    </div>
                )}
            </Shown>
            {editing !== null && (
                <Change of={of} row={editing === "new" ? undefined : editing}
                    onClose={() => setEditing(null)} onChanged={loaded.reload} />
            )}
        </>
    );
}

interface AbsenceValues extends Values {
    whole: boolean; from: string; from_time: string; to: string; to_time: string; reason: string;
    displace: string;
}

const MIDNIGHT = "00:00";

function valuesOf(row: Absence | undefined, zone: string): AbsenceValues {
    if (!row)
        return { whole: true, from: today(zone), from_time: "09:00", to: today(zone), to_time: "13:00",
            reason: "", displace: "refuse" };
    const whole = timeOf(row.starts_at, zone) === MIDNIGHT && timeOf(row.ends_at, zone) === MIDNIGHT;
    /* Whole days end with the midnight after the last. */
    const last = whole ? dateOf(new Date(new Date(row.ends_at).getTime() - 60000), zone) : dateOf(row.ends_at, zone);

    return {
        whole, from: dateOf(row.starts_at, zone), to: last, reason: row.reason ?? "", displace: "refuse",
        from_time: timeOf(row.starts_at, zone), to_time: whole ? "23:59" : timeOf(row.ends_at, zone),
    };
}

function Change({ of, row, onClose, onChanged }: {
    of: Kind; row?: Absence; onClose: () => void; onChanged: () => void;
}) {
    const w = clinicWords.value.absence;
    const s = settingsWords.value;
    const form = useForm<AbsenceValues>(valuesOf(row, of.zone), row ? undefined : `${of.kind}/new`);
    const [asking, setAsking] = useState(false);
    const v = form.values;
    const ready = v.from !== "" && v.to !== "" && v.from <= v.to;
    const start = `${v.from}T${v.whole ? MIDNIGHT : v.from_time}:00`;
    const end = v.whole ? `${v.to}T24:00:00` : `${v.to}T${v.to_time}:00`;
    const affected = useAffected(of, ready ? { from: v.from, to: v.to, start, end } : null);
    const body = (): Body => ({
        ...(v.whole ? { date_from: v.from, date_to: v.to } : {
            starts_at: instantOf(`${v.from}T${v.from_time}`, of.zone),
            ends_at: instantOf(`${v.to}T${v.to_time}`, of.zone),
        }),
        reason: v.reason.trim() || null,
    });
    const save = async () => {
        const sent = row ? body() : { ...body(), displace: v.displace as "refuse" };
        let displaced = 0;
        const done = await form.submit({ sent, version: row?.version }, async (key) => {
            if (row)
                await of.update(row, sent, key);
            else
                displaced = (await of.create(sent, key)).displaced;
        });

        if (done) {
            toast([of.words.savedNoun, displaced > 0 && w.displaced(displaced)].filter(Boolean).join(" "));
            onChanged();
            onClose();
        }
    };

    if (asking && row) {
        return (
            <Confirm title={w.deleteTitle} yes={s.remove} danger onClose={() => setAsking(false)}
                onYes={async () => {
                    await of.remove(row);
                    toast(w.deleted);
                    onChanged();
                    onClose();
                }}><p>{w.deleteText}</p></Confirm>
        );
    }
    return (
        <Dialog title={row ? `${s.edit}: ${of.words.noun}` : of.words.add} onClose={onClose} wide>
            <form onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <CheckField label={w.wholeDays} {...form.check("whole")} />
                <div class="fields">
                    <TextField label={v.whole ? w.firstDay : w.from} type="date" required {...form.text("from")}
                        name={v.whole ? "date_from" : "starts_at"} />
                    {!v.whole && <TextField label={w.fromTime} type="time" required {...form.text("from_time")} />}
                    <TextField label={v.whole ? w.lastDay : w.to} type="date" required {...form.text("to")}
                        name={v.whole ? "date_to" : "ends_at"} />
                    {!v.whole && <TextField label={w.toTime} type="time" required {...form.text("to_time")} />}
                </div>
                <TextField label={w.reason} hint={w.reasonHint} autocomplete="off"
                    required={v.displace !== "refuse"} optional={v.displace === "refuse"} {...form.text("reason")} />
                {!row && ready && <Affected visits={affected} zone={of.zone} />}
                {!row && (affected?.length ?? 0) > 0 && (
                    <RadioField label={w.what} {...form.text("displace")}
                        choices={(["refuse", "move", "cancel"] as const).map((value) =>
                            ({ value, label: w.ways[value], hint: w.waysHint[value] }))} />
                )}
                <FormError error={form.error} />
                <div class="buttons">
                    {row && <button type="button" class="danger apart" onClick={() => setAsking(true)}>{s.remove}</button>}
                    <button type="button" onClick={() => {
                        form.discard();
                        onClose();
                    }}>{words.value.common.cancel}</button>
                    <button type="submit" class={v.displace === "cancel" ? "danger" : "primary"}
                        aria-disabled={form.busy}>{words.value.common.save}</button>
                </div>
            </form>
        </Dialog>
    );
}

const PAUSE_MS = 300;

/* The booked visits in a stretch on the branch's clock; undefined: not known yet. */
function useAffected(of: Kind, span: { from: string; to: string; start: string; end: string } | null):
    Appointment[] | undefined {
    const key = JSON.stringify([of.filter, span]);
    const [found, setFound] = useState<{ key: string; visits: Appointment[] } | undefined>(undefined);
    const turn = useRef(0);

    useEffect(() => {
        const mine = ++turn.current;

        if (!span)
            return undefined;
        const timer = setTimeout(() => {
            askAll((page) => api.GET("/api/v1/appointments", { params: { query: {
                ...of.filter, status: "booked", date_from: span.from, date_to: span.to, ...page,
            } } })).then((rows) => {
                if (mine !== turn.current)
                    return;
                setFound({ key, visits: rows.filter((a) => wall(a.slot_start, of.zone) < span.end
                    && wall(a.slot_end, of.zone) > span.start) });
                void learnPatients(rows.map((a) => a.patient_id));
            }, () => undefined);
        }, PAUSE_MS);

        return () => clearTimeout(timer);
    }, [key]);
    return found?.key === key ? found.visits : undefined;
}

function Affected({ visits, zone }: { visits: Appointment[] | undefined; zone: string }) {
    const w = clinicWords.value.absence;

    return (
        <div class="affected" role="status">
            {visits === undefined ? <p class="muted">{w.checking}</p>
                : visits.length === 0 ? <p class="muted"><Icon name="check" />{w.free}</p> : (
                    <>
                        <p><Icon name="alert" />{w.affected(visits.length)}</p>
                        <ul tabIndex={0} aria-label={w.affected(visits.length)}>
                            {visits.map((a) => (
                                <li key={a.appointment_id}>
                                    <strong class="number">{shown(dateOf(a.slot_start, zone))} {timeOf(a.slot_start, zone)}</strong>
                                    <span>{patients.value.get(a.patient_id)?.name ?? a.patient_id}</span>
                                    <small>{doctorName(a.doctor_id)}</small>
                                </li>
                            ))}
                        </ul>
                    </>
                )}
        </div>
    );
}
