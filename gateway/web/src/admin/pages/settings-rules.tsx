/*
 * settings-rules.tsx
 *		Settings > Rules: windows, limits, reminders; for the whole clinic, a
 *		branch or a doctor; by subject, and found by any word.
 */
import { useState } from "preact/hooks";
import { api, ask, askAll, once, type Schemas } from "../api";
import { branches, doctors } from "../clinic";
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { ruleWords } from "../i18n/rules";
import { Dialog } from "../parts/dialog";
import { FormError, SelectField, TextField } from "../parts/field";
import { useForm } from "../parts/form";
import { Heading } from "../parts/heading";
import { useLoad } from "../parts/load";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { toast } from "../parts/toast";
import { place, refine } from "../router";

type Setting = Schemas["Setting"];
type For = { branch_id?: string; doctor_id?: string };

type Subject = keyof typeof clinicWords.value.rules.subjects;

/* What belongs together; what none of them has comes last. */
const SUBJECTS: [Subject, string[]][] = [
    ["booking", ["horizon_days", "lead_time_min", "max_duration_min", "doctor_daily_limit", "patient_daily_limit",
        "hold_min", "offer_min", "holds_per_client"]],
    ["changes", ["cancellation_window_min", "reschedule_window_min"]],
    ["arrival", ["check_in_before_min", "late_after_min", "board_notice"]],
    ["messages", ["notification_order", "reminder_lead_min", "follow_up_days", "quiet_from", "quiet_to", "settle_s",
        "fallback_after_min", "default_language", "calling_code", "public_url"]],
    ["people", ["staff_idle_min", "staff_sign_in_hours", "totp_roles", "patient_access_days"]],
    ["numbers", ["appointment_id_prefix", "patient_id_prefix", "webhooks_per_client"]],
];

const subjectOf = (name: string): Subject =>
    SUBJECTS.find(([, names]) => names.includes(name))?.[0] ?? "others";

/* Each subject with its rules, in its order, that have all the words. */
function grouped(rows: Setting[], sought: string): [Subject, Setting[]][] {
    const { subjects } = clinicWords.value.rules;
    const parts = sought.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const found = rows.filter((row) => {
        const text = [row.name, row.name.replaceAll("_", " "), meaning(row), subjects[subjectOf(row.name)],
            shownValue(row.value)].join(" ").toLocaleLowerCase();

        return parts.every((part) => text.includes(part));
    });

    return [...SUBJECTS, ["others", []] as [Subject, string[]]].map(([subject, names]) => [subject,
        found.filter(({ name }) => subjectOf(name) === subject)
            .sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))] as [Subject, Setting[]])
        .filter(([, of]) => of.length > 0);
}

/* Whom the rules shown are for, in the address. */
function whom(): For {
    const [kind, id] = (place.value.query.of ?? "").split(/:(.*)/);

    return kind === "branch" ? { branch_id: id } : kind === "doctor" ? { doctor_id: id } : {};
}

const shownValue = (value: Setting["value"]): string => typeof value === "boolean"
    ? (value ? clinicWords.value.rules.yes : clinicWords.value.rules.no) : String(value);

const meaning = ({ name, description }: Setting): string => ruleWords.value[name] ?? description;

/* Whether it was set right here, and can be taken back here. */
function isOwn(setting: Setting, of: For): boolean {
    return setting.source === (of.doctor_id ? "doctor" : of.branch_id ? "branch" : "global");
}

export function Rules() {
    const w = clinicWords.value.rules;
    const of = whom();
    const [editing, setEditing] = useState<Setting | null>(null);
    const [sought, setSought] = useState("");
    const loaded = useLoad<Setting[]>(() => askAll((page) =>
        api.GET("/api/v1/settings", { params: { query: { ...of, ...page } } })), [of]);

    return (
        <>
            <Heading title={w.title} sub={w.lead}>
                <SelectField label={w.counts} value={place.value.query.of ?? ""}
                    onValue={(to) => refine({ of: to })} choices={[
                        { value: "", label: w.forAll },
                        ...branches.value.map((b) => ({ value: `branch:${b.branch_id}`, label: w.forBranch(b.name) })),
                        ...doctors.value.map((d) => ({ value: `doctor:${d.doctor_id}`, label: w.forDoctor(d.name) })),
                    ]} />
            </Heading>
            <Shown loaded={loaded}>
                {(rows) => <Found rows={rows} sought={sought} onSought={setSought} onEdit={setEditing} />}
            </Shown>
            {editing && (
                <Change setting={editing} of={of} onClose={() => setEditing(null)} onChanged={loaded.reload} />
            )}
        </>
    );
}

function Found({ rows, sought, onSought, onEdit }: {
    rows: Setting[]; sought: string; onSought: (text: string) => void; onEdit: (setting: Setting) => void;
}) {
    const w = clinicWords.value.rules;
    const groups = grouped(rows, sought);
    const count = groups.reduce((sum, [, of]) => sum + of.length, 0);

    return (
        <>
            <div class="rule-find">
                <TextField label={w.find} type="search" autocomplete="off" value={sought} onValue={onSought} />
                <p class="muted" role="status">{sought.trim() !== "" && w.found(count, rows.length)}</p>
            </div>
            {groups.length === 0 && <Empty title={w.notFound(sought.trim())} icon="search" />}
            {groups.map(([subject, of]) => (
                <section key={subject} class="rule-group" aria-labelledby={`rules-${subject}`}>
                    <h2 id={`rules-${subject}`}>{w.subjects[subject]}</h2>
                    <div class="card list-card">
                        <Table caption={w.subjects[subject]} rows={of} id={(row) => row.name} columns={[
                            { title: w.rule, cell: (row) => (
                                <span><strong>{meaning(row)}</strong><small class="line">{row.name}</small></span>
                            ) },
                            { title: w.value, class: "number value", cell: (row) => (
                                <span><strong>{shownValue(row.value)}</strong>
                                    <small class="line">{w.sources[row.source]}</small></span>
                            ) },
                            { title: w.set, class: "end", cell: (row) => (
                                <button type="button" class="small" onClick={() => onEdit(row)}>
                                    {w.set}<span class="hidden"> {row.name}</span></button>
                            ) },
                        ]} />
                    </div>
                </section>
            ))}
        </>
    );
}

function Change({ setting, of, onClose, onChanged }: {
    setting: Setting; of: For; onClose: () => void; onChanged: () => void;
}) {
    const w = clinicWords.value.rules;
    const form = useForm({ value: String(setting.value) });
    const own = isOwn(setting, of);
    const hint = [setting.min !== null && setting.max !== null && w.between(setting.min, setting.max),
        w.isDefault(shownValue(setting.default))].filter(Boolean).join(" ");
    const at = { params: { path: { name: setting.name }, query: of } };
    const finish = (done: boolean, text: string) => {
        if (!done)
            return;
        toast(text);
        onChanged();
        onClose();
    };
    const save = async () => {
        const text = form.values.value.trim();
        const value = setting.kind === "integer" && /^-?\d+$/.test(text) ? Number(text)
            : setting.kind === "boolean" ? text === "true" : text;

        finish(await form.submit({ value, own }, (key) => own
            ? ask(api.PATCH("/api/v1/settings/{name}",
                { ...at, body: { value }, ...once(key, setting.version ?? undefined) }))
            : ask(api.POST("/api/v1/settings",
                { body: { name: setting.name, value, ...of }, ...once(key) }))),
        clinicWords.value.savedOne(setting.name));
    };
    const reset = async () => finish(await form.submit("reset", () =>
        ask(api.DELETE("/api/v1/settings/{name}", at))), w.resetDone);

    return (
        <Dialog title={setting.name} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <p>{meaning(setting)}</p>
                {setting.kind === "boolean"
                    ? <SelectField label={w.value} hint={hint} {...form.text("value")} choices={[
                        { value: "true", label: w.yes }, { value: "false", label: w.no }]} />
                    : <TextField label={w.value} hint={hint} autocomplete="off" required
                        inputMode={setting.kind === "integer" ? "numeric" : "text"} {...form.text("value")} />}
                <FormError error={form.error} />
                <div class="buttons">
                    {own && <button type="button" class="apart" onClick={() => void reset()}>{w.reset}</button>}
                    <button type="button" onClick={onClose}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{words.value.common.save}</button>
                </div>
            </form>
        </Dialog>
    );
}
