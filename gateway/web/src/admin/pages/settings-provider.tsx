/*
 * settings-provider.tsx
 *		Adds a provider of SMS or WhatsApp: one that is known, by the few
 *		things that a clinic has of it, or another, by its request as JSON.
 */
import { api, ask, base, once, refusedHere, type Schemas } from "../api";
import { clinicWords } from "../i18n/clinic-settings";
import { words } from "../i18n";
import { messageWords } from "../i18n/messages";
import { settingsWords } from "../i18n/settings";
import { Dialog } from "../parts/dialog";
import { AreaField, CheckField, FormError, SelectField, TextField } from "../parts/field";
import { useForm } from "../parts/form";
import { toast } from "../parts/toast";
import { presets, settingsOf, type Preset } from "../presets";

const OTHER = "other";

type Fields = Record<string, string | boolean>;

const BEGIN: Fields = { preset: "twilio", channel_id: "", kind: "sms", settings: "", secret: "", callback_secret: "",
    active: true, address: `${location.origin}${base}` };

/* Where the provider sends its reports. */
const reportsTo = (values: Fields): string => `${String(values.address).trim().replace(/\/$/, "")
}/api/v1/notifications/callbacks/${encodeURIComponent(String(values.channel_id).trim())}`;

function ownOf(preset: Preset, values: Fields): Record<string, string> {
    return Object.fromEntries(preset.fields.map(({ name }) => [name, String(values[`own.${name}`] ?? "").trim()]));
}

function settingsFrom(values: Fields): Record<string, unknown> {
    const preset = presets[String(values.preset)];

    if (preset)
        return settingsOf(preset, ownOf(preset, values), reportsTo(values));
    try {
        return JSON.parse(String(values.settings));
    } catch {
        throw refusedHere("settings", messageWords.value.channels.notJson);
    }
}

export function ProviderDialog({ onClose, onChanged }: { onClose: () => void; onChanged: () => void }) {
    const w = messageWords.value;
    const p = w.provider;
    const form = useForm<Fields>({ ...BEGIN, ...Object.fromEntries(Object.values(presets).flatMap(({ fields }) =>
        fields.map(({ name }) => [`own.${name}`, ""]))) }, "channel-other/new");
    const { values } = form;
    const preset: Preset | undefined = presets[String(values.preset)];
    const save = async () => {
        const secretOf = (name: string) => (values[name] === "" ? {} : { [name]: values[name] });
        const done = await form.submit(values, (key) => ask(api.POST("/api/v1/notification-channels", {
            body: {
                channel_id: String(values.channel_id).trim(), kind: preset?.kind ?? values.kind, active: values.active,
                settings: settingsFrom(values), ...secretOf("secret"), ...secretOf("callback_secret"),
            } as Schemas["NotificationChannelRequest"], ...once(key) })));

        if (done) {
            toast(settingsWords.value.saved);
            onChanged();
            onClose();
        }
    };

    return (
        <Dialog title={w.channels.addOther} onClose={onClose} wide>
            <form onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <div class="fields">
                    <SelectField label={p.provider} {...form.text("preset")} choices={[
                        ...Object.entries(presets).map(([value, { name }]) => ({ value, label: name })),
                        { value: OTHER, label: p.other }]} />
                    <TextField label={clinicWords.value.code} hint={clinicWords.value.codeHint} required
                        autocomplete="off" {...form.text("channel_id")} />
                    {preset ? preset.fields.map(({ name, called }) => (
                        <TextField key={name} label={p.fields[name]} hint={p.called(called)} required autocomplete="off"
                            {...form.text(`own.${name}`)} />
                    )) : (
                        <SelectField label={w.channels.kind} {...form.text("kind")} choices={(["sms", "whatsapp"] as const)
                            .map((value) => ({ value, label: w.kinds[value] }))} />
                    )}
                    <TextField label={w.channels.secret} type="password" autocomplete="new-password"
                        required={preset !== undefined} optional={preset === undefined}
                        hint={`${preset ? `${p.called(preset.secret)} ` : ""}${p.secretHint}`} {...form.text("secret")} />
                    {!preset && <AreaField label={w.channels.settings} hint={w.channels.settingsHint} rows={10}
                        {...form.text("settings")} />}
                </div>
                <fieldset class="reports-of">
                    <legend>{p.reports}</legend>
                    <p class="hint">{p.reportsLead}</p>
                    <div class="fields">
                        <TextField label={p.address} type="url" required autocomplete="off" hint={p.addressHint}
                            {...form.text("address")} />
                        {(!preset || preset.callback_secret !== undefined) && (
                            <TextField label={p.callbackSecret} type="password" autocomplete="new-password" optional
                                hint={preset?.settings.callback.signature === "token" ? p.tokenHint
                                    : preset?.callback_secret ? p.called(preset.callback_secret) : p.secretHint}
                                {...form.text("callback_secret")} />
                        )}
                    </div>
                    {values.channel_id !== "" && (
                        <p class="hint">{p.reportsTo} <code>{reportsTo(values)}</code></p>
                    )}
                </fieldset>
                <CheckField label={clinicWords.value.activeField} {...form.check("active")} />
                <FormError error={form.error} />
                <div class="buttons">
                    <button type="button" onClick={() => {
                        form.discard();
                        onClose();
                    }}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{words.value.common.save}</button>
                </div>
            </form>
        </Dialog>
    );
}
