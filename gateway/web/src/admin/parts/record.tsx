/*
 * record.tsx
 *		What happened to an appointment and by whom, and, for who manages
 *		messages, what its patient was told, will be, and why not.
 */
import { useState } from "preact/hooks";
import { api, ask, type Schemas } from "../api";
import { branches, doctorName, visitTypeName } from "../clinic";
import { language } from "../i18n";
import { apiWords } from "../i18n/api-access";
import { historyWords } from "../i18n/history";
import { may } from "../session";
import { shownInstant } from "../time";
import { Dialog } from "./dialog";
import { actorName } from "./history";
import { useLoad } from "./load";
import { Shown } from "./states";
import { Table } from "./table";

type Event = Schemas["HistoryEvent"];

export function RecordButton({ appointment_id, class: name }: { appointment_id: string; class?: string }) {
    const w = historyWords.value;
    const [open, setOpen] = useState(false);

    return (
        <>
            <button type="button" class={name} onClick={() => setOpen(true)}>
                {w.title}<span class="hidden"> {appointment_id}</span></button>
            {open && <Record appointment_id={appointment_id} onClose={() => setOpen(false)} />}
        </>
    );
}

function Record({ appointment_id, onClose }: { appointment_id: string; onClose: () => void }) {
    const w = historyWords.value;
    const path = { params: { path: { appointment_id } } };
    const loaded = useLoad(async () => {
        const [events, told] = await Promise.all([
            ask(api.GET("/api/v1/appointments/{appointment_id}/history", path)),
            may("notifications:manage")
                ? ask(api.GET("/api/v1/appointments/{appointment_id}/notifications", path)) : null,
        ]);

        return { events, told };
    }, [appointment_id]);

    return (
        <Dialog title={w.of(appointment_id)} onClose={onClose} wide>
            <Shown loaded={loaded}>
                {({ events, told }) => (
                    <>
                        <Table caption={w.title} rows={events} id={(e) => e.event_id} columns={[
                            { title: w.when, class: "number", cell: (e) => shownInstant(e.timestamp, zoneOf(e)) },
                            { title: w.what, cell: (e) => <What event={e} zone={zoneOf(e)} /> },
                            { title: w.by, cell: (e) => actorName(e.actor) },
                        ]} />
                        {told && (
                            <section aria-labelledby="told" class="told">
                                <h3 id="told">{w.told}</h3>
                                {told.explanation.length === 0 ? <p class="muted">{w.nothingTold}</p> : (
                                    <ul lang={language.value === "en" ? undefined : "en"}>
                                        {told.explanation.map((sentence) => <li key={sentence}>{sentence}</li>)}
                                    </ul>
                                )}
                            </section>
                        )}
                    </>
                )}
            </Shown>
        </Dialog>
    );
}

/* The zone of the branch where the visit then was. */
const zoneOf = ({ appointment }: Event): string =>
    branches.value.find((b) => b.branch_id === appointment.branch_id)?.time_zone ?? "UTC";

function What({ event, zone }: { event: Event; zone: string }) {
    const w = historyWords.value;
    const lines = [...changesOf(event, zone), event.reason, !event.notify && w.untold].filter(Boolean);

    return (
        <span>{(event.change && w.changes[event.change]) ?? apiWords.value.hooks.eventNames[event.event] ?? event.event}
            {lines.map((line) => <small key={String(line)} class="line">{line}</small>)}</span>
    );
}

/* From and to, of what a desk knows by name. */
function changesOf(event: Event, zone: string): string[] {
    const w = historyWords.value;
    const says: Record<string, (value: unknown) => string> = {
        slot_start: (value) => shownInstant(String(value), zone),
        doctor_id: (value) => doctorName(String(value)),
        token_number: (value) => w.token(Number(value)),
        visit_type: (value) => value === null ? "–" : visitTypeName(String(value)),
        patient_id: String,
    };

    return Object.entries(event.changes).filter(([name, { from }]) => name in says && from !== null)
        .map(([name, { from, to }]) => `${says[name](from)} → ${says[name](to)}`);
}
