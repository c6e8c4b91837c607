/*
 * settings-opening.tsx
 *		Settings > Branches > opening hours: when a branch is open, its week at
 *		a glance. The week is put together here and saved as a whole, since half
 *		of one would close the branch while doctors are in it.
 *
 *		settings/branches/ID/hours
 */
import { useState } from "preact/hooks";
import { api, ApiError, ask, refusedHere, type Schemas } from "../api";
import { branches, doctorName } from "../clinic";
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { settingsWords } from "../i18n/settings";
import { ChecksField } from "../parts/choices";
import { Dialog } from "../parts/dialog";
import { FormError, SelectField, TextField } from "../parts/field";
import { useForm, type Values } from "../parts/form";
import { Heading } from "../parts/heading";
import { useLoad } from "../parts/load";
import { Shown } from "../parts/states";
import { toast } from "../parts/toast";
import { useVersioned } from "../parts/versioned";
import { DAYS, dayName, Week } from "../parts/week";
import { href } from "../router";
import { validity } from "./settings-hours";

type Opening = Schemas["OperatingHours"];
type Hours = Opening["operating_hours"][number];

export function OpeningHours({ branch_id }: { branch_id: string }) {
    const w = clinicWords.value.opening;
    const name = branches.value.find((b) => b.branch_id === branch_id)?.name ?? branch_id;
    const read = () => ask(api.GET("/api/v1/branches/{branch_id}/operating-hours",
        { params: { path: { branch_id } } }));
    const loaded = useLoad<Opening>(read, [branch_id]);

    return (
        <>
            <Heading back={{ href: href("settings/branches"), text: clinicWords.value.branches.title }}
                title={w.title} sub={`${name}. ${w.lead}`} />
            <Shown loaded={loaded}>
                {(opening) => <TheWeek key={branch_id} opening={opening} read={read} />}
            </Shown>
        </>
    );
}

/* The list is one value: it is kept, compared and sent as a whole. */
type WeekValues = Values & { hours: string };

const valuesOf = (opening?: Opening): WeekValues => ({ hours: JSON.stringify(opening?.operating_hours ?? []) });

function TheWeek({ opening, read }: { opening: Opening; read: () => Promise<Opening> }) {
    const w = clinicWords.value.opening;
    const { branch_id } = opening;
    const form = useVersioned({ row: opening, valuesOf, read, draft: `opening/${branch_id}` });
    const [editing, setEditing] = useState<{ weekday: number } | { at: number } | null>(null);
    const hours = JSON.parse(form.values.hours) as Hours[];
    const set = (now: Hours[]) => form.text("hours").onValue(JSON.stringify(now));
    const save = async () => {
        const body = { operating_hours: hours };

        if (await form.change(body, (headers) => ask(api.PUT("/api/v1/branches/{branch_id}/operating-hours",
            { params: { path: { branch_id } }, body, ...headers }))))
            toast(w.saved);
    };

    return (
        <form onSubmit={(event) => {
            event.preventDefault();
            void save();
        }}>
            {hours.length === 0 && <p class="draft">{w.none}</p>}
            <Week label={w.title} none={hours.length === 0 ? w.noLimit : w.closed} add={w.add} onAdd={(weekday) => setEditing({ weekday })}
                onEdit={(id) => setEditing({ at: Number(id) })}
                stretches={hours.map((one, n) => ({ id: String(n), weekday: one.weekday, from: one.opens,
                    to: one.closes, notes: validity(one.valid_from, one.valid_to) }))} />
            <Outside error={form.error} />
            {form.stale && <p class="draft">{settingsWords.value.stale}</p>}
            {form.dirty && (
                <div class="buttons">
                    <span class="unsaved" role="status">{w.unsaved}</span>
                    <button type="button" onClick={form.discard}>{w.discard}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{words.value.common.save}</button>
                </div>
            )}
            {editing && (
                <HoursDialog hours={"at" in editing ? hours[editing.at] : undefined}
                    weekday={"weekday" in editing ? editing.weekday : 1} onClose={() => setEditing(null)}
                    onDone={(now) => {
                        set([...hours.filter((_, n) => !("at" in editing) || n !== editing.at), ...now]);
                        setEditing(null);
                    }} />
            )}
        </form>
    );
}

const OUTSIDE = /^(.*?: )(\S.*? of [^,.]+(?:, .*? of [^,.]+)*)(?: and (\d+) more)?\.$/;

/* The server's sentence; the sessions it names, each leading to its doctor's hours. */
function Outside({ error }: { error: unknown }) {
    const w = clinicWords.value.opening;
    const found = error instanceof ApiError && error.code === "affects_sessions"
        ? error.message.match(OUTSIDE) : null;

    if (!found)
        return <FormError error={error} />;
    const [, sentence, sessions, more] = found;
    return (
        <>
            <FormError error={new ApiError(409, "affects_sessions", sentence.trim(), [])} />
            <div class="affected">
                <ul>
                    {sessions.split(", ").map((session) => {
                        const [when, doctor] = session.split(" of ");

                        return (
                            <li key={session}><span class="number">{when}</span>
                                <a class="cell-link" href={href("settings/hours/week", { doctor })}>
                                    {doctorName(doctor)}</a></li>
                        );
                    })}
                    {more && <li class="muted">{w.more(Number(more))}</li>}
                </ul>
                <p class="muted">{w.affected}</p>
            </div>
        </>
    );
}

const END_OF_DAY = "24:00";
const MIDNIGHT = "00:00";

/* One stretch is changed, or one added to several days. */
function HoursDialog({ hours, weekday, onClose, onDone }: {
    hours?: Hours; weekday: number; onClose: () => void; onDone: (now: Hours[]) => void;
}) {
    const w = clinicWords.value;
    const o = w.opening;
    const form = useForm<Values>({
        weekday: String(hours?.weekday ?? weekday), weekdays: [String(weekday)],
        opens: hours?.opens ?? "09:00",
        closes: hours?.closes === END_OF_DAY ? MIDNIGHT : hours?.closes ?? "13:00",
        valid_from: hours?.valid_from ?? "", valid_to: hours?.valid_to ?? "",
    });
    const v = form.values;
    const days = DAYS.map((n) => ({ value: String(n), label: dayName(n) }));
    const done = () => {
        const closes = v.closes === MIDNIGHT ? END_OF_DAY : String(v.closes);
        const bad = String(v.opens) >= closes ? { field: "closes", message: o.order }
            : v.valid_from && v.valid_to && v.valid_from > v.valid_to ? { field: "valid_to", message: o.dates }
                : !hours && (v.weekdays as string[]).length === 0 ? { field: "weekdays", message: o.noDay } : null;

        if (bad) {
            form.setError(refusedHere(bad.field, bad.message));
            return;
        }
        onDone((hours ? [String(v.weekday)] : v.weekdays as string[]).map((day) => ({
            weekday: Number(day), opens: String(v.opens), closes,
            valid_from: String(v.valid_from) || null, valid_to: String(v.valid_to) || null,
        })));
    };

    return (
        <Dialog title={hours ? o.change : o.add} onClose={onClose} wide>
            <form onSubmit={(event) => {
                event.preventDefault();
                event.stopPropagation();
                done();
            }}>
                {hours
                    ? <SelectField label={w.hours.weekday} choices={days} {...form.text("weekday")} />
                    : <ChecksField label={w.hours.weekdays} choices={days} {...form.list("weekdays")} />}
                <div class="fields">
                    <TextField label={o.opens} type="time" required {...form.text("opens")} />
                    <TextField label={o.closes} hint={o.closesHint} type="time" required {...form.text("closes")} />
                    <TextField label={w.hours.validFrom} hint={w.hours.always} type="date" optional
                        {...form.text("valid_from")} />
                    <TextField label={w.hours.validTo} hint={w.hours.always} type="date" optional
                        {...form.text("valid_to")} />
                </div>
                <FormError error={form.error} />
                <div class="buttons">
                    {hours && <button type="button" class="danger apart" onClick={() => onDone([])}>
                        {settingsWords.value.remove}</button>}
                    <button type="button" onClick={onClose}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary">{o.take}</button>
                </div>
            </form>
        </Dialog>
    );
}
