/*
 * settings-hours.tsx
 *		Settings > Working hours: a doctor's week at a glance, and the extra
 *		sessions on single dates.
 */
import { useState } from "preact/hooks";
import { api, ask, askAll, once, type Schemas } from "../api";
import { branch, branches, doctors } from "../clinic";
import { weekday } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { Heading } from "../parts/heading";
import { SelectField } from "../parts/field";
import { useLoad } from "../parts/load";
import { ResourceDialog, ResourceList, type Field, type Resource } from "../parts/resource";
import { Shown } from "../parts/states";
import { DAYS, dayName, Week, type Stretch } from "../parts/week";
import { place, refine } from "../router";
import { shown, today } from "../time";

type Hours = Schemas["WorkingHours"];
type Extra = Schemas["ExtraSession"];

const branchName = (id: string): string => branches.value.find((b) => b.branch_id === id)?.name ?? id;

/* The doctor in the address, or the first. */
export function chosenDoctor(): string {
    const asked = place.value.query.doctor;

    return doctors.value.find((d) => d.doctor_id === asked)?.doctor_id ?? doctors.value[0]?.doctor_id ?? "";
}

/* In which a doctor's time off is shown: the first branch's where he works. */
export function doctorZone(doctor_id: string): string {
    const works = doctors.value.find((d) => d.doctor_id === doctor_id)?.branch_ids ?? [];
    const all = [...branches.value].sort((a, b) => (a.branch_id < b.branch_id ? -1 : 1));

    return (all.find((b) => works.includes(b.branch_id)) ?? all[0])?.time_zone ?? "UTC";
}

export function DoctorChoice() {
    return (
        <SelectField label={clinicWords.value.hours.doctor} value={chosenDoctor()}
            onValue={(to) => refine({ doctor: to })}
            choices={doctors.value.map((d) => ({ value: d.doctor_id, label: d.name }))} />
    );
}

/* Start, end, length, capacity: of weekly hours and of extra sessions. */
function common(): Field[] {
    const w = clinicWords.value;

    return [
        { name: "branch_id", label: w.hours.branch, kind: "select", begin: branch.value?.branch_id ?? "",
            choices: branches.value.map((b) => ({ value: b.branch_id, label: b.name })) },
        { name: "start_time", label: w.hours.from, kind: "time", required: true, begin: "09:00" },
        { name: "end_time", label: w.hours.to, kind: "time", required: true, begin: "13:00" },
        { name: "slot_min", label: w.slot, kind: "number", hint: w.slotDefault, min: 5, max: 480 },
        { name: "capacity", label: w.hours.capacity, kind: "number", min: 1, max: 100, begin: "1" },
    ];
}

/* From and until when it counts, if not always. */
export const validity = (from: string | null, to: string | null): string[] =>
    [from && clinicWords.value.hours.since(shown(from)), to && clinicWords.value.hours.until(shown(to))]
        .filter((text): text is string => Boolean(text));

function stretchOf(row: Hours): Stretch {
    const w = clinicWords.value;

    return {
        id: row.working_hours_id, weekday: row.weekday, from: row.start_time, to: row.end_time,
        notes: [branchName(row.branch_id), [row.capacity > 1 && w.hours.capacityOf(row.capacity),
            row.slot_min !== null && w.minutes(row.slot_min), ...validity(row.valid_from, row.valid_to)]
            .filter(Boolean).join(", ")].filter((note) => note !== ""),
    };
}

export function WorkingHours() {
    const w = clinicWords.value.hours;
    const doctor_id = chosenDoctor();
    const loaded = useLoad<Hours[]>(() => askAll((page) => api.GET("/api/v1/doctors/{doctor_id}/working-hours",
        { params: { path: { doctor_id }, query: page } })), [doctor_id]);
    const [editing, setEditing] = useState<Hours | number | null>(null);
    const days = DAYS.map((n) => ({ value: String(n), label: dayName(n) }));
    const of: Resource<Hours> = {
        kind: `hours/${doctor_id}`, add: w.add, none: w.none, caption: w.title,
        id: (row) => row.working_hours_id, version: (row) => row.version,
        name: (row) => `${dayName(row.weekday)} ${row.start_time}–${row.end_time}`,
        columns: [],
        fields: [
            { name: "weekday", label: w.weekday, kind: "select", choices: days,
                begin: typeof editing === "number" ? String(editing) : "1" },
            ...common(),
            { name: "valid_from", label: w.validFrom, kind: "date", hint: w.always },
            { name: "valid_to", label: w.validTo, kind: "date", hint: w.always },
        ],
        create: (body, key) => ask(api.POST("/api/v1/doctors/{doctor_id}/working-hours", {
            params: { path: { doctor_id } },
            body: { ...body, weekday: Number(body.weekday) } as Schemas["WorkingHoursRequest"], ...once(key) })),
        update: (row, body, key) => ask(api.PATCH(
            "/api/v1/doctors/{doctor_id}/working-hours/{working_hours_id}", {
                params: { path: { doctor_id, working_hours_id: row.working_hours_id } },
                body: { ...body, ...(body.weekday === undefined ? {} : { weekday: Number(body.weekday) }) } as
                    Schemas["WorkingHoursChange"], ...once(key, row.version) })),
        remove: (row) => ask(api.DELETE("/api/v1/doctors/{doctor_id}/working-hours/{working_hours_id}",
            { params: { path: { doctor_id, working_hours_id: row.working_hours_id } } })),
    };

    return (
        <>
            <Heading title={w.title} sub={w.lead}><DoctorChoice /></Heading>
            <Shown loaded={loaded}>
                {(rows) => <Week label={w.week} none={w.none} add={w.add} stretches={rows.map(stretchOf)}
                    onAdd={setEditing} onEdit={(id) =>
                        setEditing(rows.find((row) => row.working_hours_id === id) ?? null)} />}
            </Shown>
            {editing !== null && (
                <ResourceDialog key={String(doctor_id)} of={of} row={typeof editing === "number" ? undefined : editing}
                    onClose={() => setEditing(null)} onChanged={loaded.reload} />
            )}
            <ExtraSessions doctor_id={doctor_id} />
        </>
    );
}

function ExtraSessions({ doctor_id }: { doctor_id: string }) {
    const w = clinicWords.value;
    const zone = doctorZone(doctor_id);
    const loaded = useLoad<Extra[]>(() => askAll((page) => api.GET("/api/v1/doctors/{doctor_id}/extra-sessions",
        { params: { path: { doctor_id }, query: { date_from: today(zone), ...page } } })), [doctor_id]);

    return (
        <section class="below">
            <ResourceList within title={w.extra.title} sub={w.extra.lead} loaded={loaded} of={{
                kind: `extra/${doctor_id}`, add: w.extra.add, none: w.extra.none, caption: w.extra.title,
                id: (row) => row.extra_session_id, version: (row) => row.version,
                name: (row) => `${shown(row.on_date)} ${row.start_time}–${row.end_time}`,
                columns: [
                    { title: w.extra.date, class: "number", cell: (row) => (
                        <span><strong>{shown(row.on_date)}</strong>
                            <small class="line">{weekday(row.on_date)}</small></span>
                    ) },
                    { title: w.hours.from, class: "number", cell: (row) => `${row.start_time}–${row.end_time}` },
                    { title: w.hours.branch, cell: (row) => branchName(row.branch_id) },
                ],
                fields: [
                    { name: "on_date", label: w.extra.date, kind: "date", required: true, begin: today(zone) },
                    ...common(),
                ],
                create: (body, key) => ask(api.POST("/api/v1/doctors/{doctor_id}/extra-sessions", {
                    params: { path: { doctor_id } }, body: body as Schemas["ExtraSessionRequest"], ...once(key) })),
                update: (row, body, key) => ask(api.PATCH(
                    "/api/v1/doctors/{doctor_id}/extra-sessions/{extra_session_id}", {
                        params: { path: { doctor_id, extra_session_id: row.extra_session_id } },
                        body: body as Schemas["ExtraSessionChange"], ...once(key, row.version) })),
                remove: (row) => ask(api.DELETE("/api/v1/doctors/{doctor_id}/extra-sessions/{extra_session_id}",
                    { params: { path: { doctor_id, extra_session_id: row.extra_session_id } } })),
            }} />
        </section>
    );
}
