/*
 * settings-messages.tsx
 *		Settings > Channels and > Templates: by which ways and in which words
 *		patients are told.
 */
import { useState } from "preact/hooks";
import { api, ask, askAll, once, refusedHere, type Schemas } from "../api";
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { messageWords } from "../i18n/messages";
import { languageName } from "../i18n/own";
import { Dialog } from "../parts/dialog";
import { FormError, TextField } from "../parts/field";
import { useForm, type Values } from "../parts/form";
import { Heading } from "../parts/heading";
import { useLoad, type Loaded } from "../parts/load";
import { ResourceList, type Field } from "../parts/resource";
import { ProviderDialog } from "./settings-provider";

type Channel = Schemas["NotificationChannel"];
type Template = Schemas["NotificationTemplate"];
type Body = Record<string, unknown>;

/* A channel with its settings as fields: "settings.host". */
type Row = Record<string, unknown> & Pick<Channel, "channel_id" | "kind" | "active" | "version" | "has_secret">;

const rowOf = (channel: Channel): Row => ({
    ...channel,
    settings: JSON.stringify(channel.settings, null, 2),
    ...Object.fromEntries(Object.entries(channel.settings).map(([name, value]) => [`settings.${name}`, value])),
    secret: "",
    callback_secret: "",
});

/* Of a provider's address what tells it from others. */
function hostOf(url: unknown): string {
    try {
        return new URL(String(url)).host;
    } catch {
        return String(url ?? "");
    }
}

/* The settings as a whole, as they are replaced as a whole. */
function withSettings(body: Body, row?: Row): Body {
    const { secret, callback_secret, settings, ...others } = body;
    const before = row ? JSON.parse(row.settings as string) as object : {};
    const after = typeof settings === "string" ? parsed(settings)
        : Object.fromEntries(Object.entries({ ...before, ...settings as object })
            .filter(([, value]) => value !== null)
            .map(([name, value]) => [name, name === "port" ? Number(value) : value]));

    return { ...others, ...(settings === undefined ? {} : { settings: after }),
        ...(secret === null || secret === undefined ? {} : { secret }),
        ...(callback_secret === null || callback_secret === undefined ? {} : { callback_secret }) };
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        throw refusedHere("settings", messageWords.value.channels.notJson);
    }
}

export function Channels() {
    const w = messageWords.value;
    const c = w.channels;
    const loaded = useLoad<Row[]>(async () => (await askAll((page) =>
        api.GET("/api/v1/notification-channels", { params: { query: page } }))).map(rowOf), []);
    const [testing, setTesting] = useState<string | null>(null);
    const only = (mail: boolean): Loaded<Row[]> => ({ ...loaded,
        data: loaded.data?.filter(({ kind }) => (kind === "email") === mail) });
    const active: Field = { name: "active", label: clinicWords.value.activeField, kind: "check" };
    const code: Field = { name: "channel_id", label: clinicWords.value.code,
        hint: clinicWords.value.codeHint, required: true, fixed: true };
    const secret: Field = { name: "secret", label: c.secret, hint: c.secretHint };
    const common = {
        id: (row: Row) => row.channel_id, name: (row: Row) => row.channel_id,
        version: (row: Row) => row.version, caption: c.title,
        columns: [
            { title: clinicWords.value.code, cell: (row: Row) => (
                <span><strong>{row.channel_id}</strong><small class="line">{w.kinds[row.kind]}</small></span>
            ) },
            { title: c.where, cell: (row: Row) => String(row["settings.host"] ?? hostOf(row["settings.url"])) },
            { title: clinicWords.value.status, cell: (row: Row) => (
                <span class={row.active ? "chip in_consultation" : "chip"}>
                    {row.active ? clinicWords.value.active : clinicWords.value.inactive}</span>
            ) },
            { title: c.test, class: "end", cell: (row: Row) => (
                <button type="button" class="small" onClick={() => setTesting(row.channel_id)}>
                    {c.test}<span class="hidden"> {row.channel_id}</span></button>
            ) },
        ],
        update: (row: Row, body: Body, key: string) => ask(api.PATCH(
            "/api/v1/notification-channels/{channel_id}", { params: { path: { channel_id: row.channel_id } },
                body: withSettings(body, row) as Schemas["NotificationChannelChange"], ...once(key, row.version) })),
        remove: (row: Row) => ask(api.DELETE("/api/v1/notification-channels/{channel_id}",
            { params: { path: { channel_id: row.channel_id } } })),
    };
    const create = (body: Body, key: string) => ask(api.POST("/api/v1/notification-channels",
        { body: withSettings(body) as Schemas["NotificationChannelRequest"], ...once(key) }));

    return (
        <>
            <Heading title={c.title} sub={c.lead} />
            <ResourceList within title={c.mail} loaded={only(true)} of={{
                ...common, kind: "channel-mail", add: c.addMail, none: c.noMail,
                create: (body, key) => create({ ...body, kind: "email" }, key),
                fields: [
                    code, { name: "settings.host", label: c.host, required: true },
                    { name: "settings.port", label: c.port, hint: c.portHint, kind: "number", min: 1, max: 65535 },
                    { name: "settings.security", label: c.security, kind: "select", begin: "starttls",
                        choices: (["starttls", "tls", "none"] as const).map((value) =>
                            ({ value, label: c.securities[value] })) },
                    { name: "settings.username", label: c.user }, secret,
                    { name: "settings.from", label: c.from, required: true },
                    { name: "settings.from_name", label: c.fromName },
                    { name: "settings.reply_to", label: c.replyTo }, active,
                ],
            }} />
            <ResourceList within title={c.other} loaded={only(false)} of={{
                ...common, kind: "channel-other", add: c.addOther, none: c.noOther, create,
                adding: (onClose, onChanged) => <ProviderDialog onClose={onClose} onChanged={onChanged} />,
                fields: [
                    secret, { name: "callback_secret", label: w.provider.callbackSecret, hint: c.secretHint },
                    { name: "settings", label: c.settings, hint: c.settingsHint, kind: "area", required: true },
                    active,
                ],
            }} />
            {testing !== null && <Test channel_id={testing} onClose={() => setTesting(null)} />}
        </>
    );
}

const LOOK_MS = 700;
const LOOKS = 40;

/* Sends one and waits for what becomes of it. */
function Test({ channel_id, onClose }: { channel_id: string; onClose: () => void }) {
    const c = messageWords.value.channels;
    const form = useForm({ to: "" });
    const [sent, setSent] = useState<Schemas["Notification"] | null>(null);
    const send = async () => {
        const body = { to: form.values.to.trim() };

        setSent(null);
        await form.submit({ body, at: Date.now() }, async (key) => {
            let message = await ask(api.POST("/api/v1/notification-channels/{channel_id}/test",
                { params: { path: { channel_id } }, body, ...once(key) }));

            for (let n = 0; n < LOOKS && message.finished_at === null; n++) {
                await new Promise((done) => setTimeout(done, LOOK_MS));
                message = await ask(api.GET("/api/v1/notifications/{notification_id}",
                    { params: { path: { notification_id: message.notification_id } } }));
            }
            setSent(message);
        });
    };
    const last = sent?.attempt_log[sent.attempt_log.length - 1];

    return (
        <Dialog title={c.testTitle(channel_id)} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                void send();
            }}>
                <TextField label={c.to} hint={c.toHint} required autocomplete="off" {...form.text("to")} />
                <div role="status">
                    {form.busy && <p class="muted">{c.sending}</p>}
                    {sent && <p><strong>{c.result(sent.status)}</strong></p>}
                    {last && <code class="answer">{[last.status, last.error ?? last.answer].filter(Boolean).join(" ")}</code>}
                </div>
                <FormError error={form.error} />
                <div class="buttons">
                    <button type="button" onClick={onClose}>{words.value.common.close}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{c.send}</button>
                </div>
            </form>
        </Dialog>
    );
}

const LINK = "https://visits.clinic.example/v/1.APT-2026-000123…";

const SAMPLES: Record<string, string> = {
    appointment_id: "APT-2026-000123", branch_address: "12 Hill Road, Mumbai", branch_name: "Andheri Clinic",
    branch_phone: "+91 22 5550 0100", cancel_link: LINK, confirm_link: LINK, doctor_name: "Dr Asha Rao",
    move_link: LINK, offer_link: LINK, offer_until: "14/03/2026 14:00", patient_first_name: "Rajesh", patient_last_name: "Kumar", patient_name: "Rajesh Kumar",
    reason: "Conference", slot_date: "15/03/2026", slot_time: "10:00", token_number: "7",
    unsubscribe_link: LINK, view_link: LINK, visit_type_name: "Follow-up",
};

const filled = (text: string): string => text.replace(/\{\{\s*([a-z_]+)\s*\}\}/g, (whole, name) =>
    SAMPLES[name] ?? whole);

function Preview({ values }: { values: Values }) {
    const t = messageWords.value.templates;

    return (
        <div class="preview">
            <h3>{t.preview}</h3>
            {values.channel === "email" && <p><strong>{filled(String(values.subject))}</strong></p>}
            <p class="preview-text">{filled(String(values.body))}</p>
            <p class="hint">{t.previewNote} {t.placeholders}: {Object.keys(SAMPLES).map((name) =>
                `{{${name}}}`).join(" ")}</p>
        </div>
    );
}

export function Templates() {
    const w = messageWords.value;
    const t = w.templates;
    const loaded = useLoad<Template[]>(() => askAll((page) =>
        api.GET("/api/v1/notification-templates", { params: { query: page } })), []);
    const events = Object.entries(t.events).map(([value, label]) => ({ value, label }));
    const kinds = Object.entries(w.kinds).map(([value, label]) => ({ value, label }));

    return (
        <ResourceList title={t.title} sub={t.lead} loaded={loaded} of={{
            kind: "template", add: t.add, none: t.none, caption: t.title,
            id: (row) => row.notification_template_id, version: (row) => row.version,
            name: (row) => `${t.events[row.event]}, ${w.kinds[row.channel]}, ${row.language}`,
            columns: [
                { title: t.event, cell: (row) => <strong>{t.events[row.event]}</strong> },
                { title: t.channel, cell: (row) => w.kinds[row.channel] },
                { title: words.value.shell.language, cell: (row) => languageName(row.language) },
                { title: t.body, cell: (row) => (
                    <>
                        <span class="cut">{row.subject ?? row.body}</span>
                        {row.warnings.map((warning) => <span key={warning} class="hint">{warning}</span>)}
                    </>
                ) },
            ],
            fields: [
                { name: "event", label: t.event, kind: "select", begin: "booked", choices: events },
                { name: "channel", label: t.channel, kind: "select", begin: "email", choices: kinds },
                { name: "language", label: t.language, required: true, begin: "en" },
                { name: "category", label: t.category, kind: "select", begin: "transactional",
                    choices: ["transactional", "service_implicit", "service_explicit", "promotional"].map((value) =>
                        ({ value, label: value.replace("_", " ") })) },
                { name: "subject", label: t.subject }, { name: "body", label: t.body, kind: "area", required: true },
                { name: "provider_template", label: t.provider },
                { name: "provider_language", label: t.providerLanguage },
                { name: "dlt_template_id", label: t.dlt },
                { name: "active", label: clinicWords.value.activeField, kind: "check" },
            ],
            after: (values) => <Preview values={values} />, warnings: (saved) => saved.warnings,
            create: (body, key) => ask(api.POST("/api/v1/notification-templates",
                { body: body as Schemas["NotificationTemplateRequest"], ...once(key) })),
            update: (row, body, key) => ask(api.PATCH(
                "/api/v1/notification-templates/{notification_template_id}", {
                    params: { path: { notification_template_id: row.notification_template_id } },
                    body: body as Schemas["NotificationTemplateChange"], ...once(key, row.version) })),
            remove: (row) => ask(api.DELETE("/api/v1/notification-templates/{notification_template_id}",
                { params: { path: { notification_template_id: row.notification_template_id } } })),
        }} />
    );
}
