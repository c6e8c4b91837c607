/*
 * presets.ts
 *		Providers of SMS and WhatsApp whose requests and answers are known: the
 *		files of deploy/channels, which the tests hold against what the
 *		providers document. What a clinic fills in stands in each under "fields",
 *		with the sample that it takes the place of.
 */
import exotel from "../../../../deploy/channels/exotel.json";
import gupshup from "../../../../deploy/channels/gupshup.json";
import meta from "../../../../deploy/channels/meta.json";
import msg91 from "../../../../deploy/channels/msg91.json";
import twilioContent from "../../../../deploy/channels/twilio-content.json";
import twilio from "../../../../deploy/channels/twilio.json";
import type { messageWords } from "./i18n/messages";

type FieldName = keyof typeof messageWords.value.provider.fields;

export interface Preset {
    name: string;
    kind: "sms" | "whatsapp";
    /* What the provider calls the secret, and that of its reports. */
    secret: string;
    callback_secret?: string;
    /* called: by the provider. */
    fields: { name: FieldName; called: string; sample: string }[];
    settings: { url: string; callback: { signature: string; url?: string } };
}

export const presets = {
    twilio, "twilio-content": twilioContent, meta, msg91, gupshup, exotel,
} as Record<string, Preset>;

/* The same with each sample replaced, wherever it stands in a text. */
function replaced(value: unknown, pairs: [string, string][]): unknown {
    if (typeof value === "string")
        return pairs.reduce((text, [sample, own]) => text.replaceAll(sample, own), value);
    if (Array.isArray(value))
        return value.map((one) => replaced(one, pairs));
    if (value !== null && typeof value === "object")
        return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, replaced(one, pairs)]));
    return value;
}

/* The settings of a clinic's own channel: its fields filled in, reports sent to an address. */
export function settingsOf(preset: Preset, own: Record<string, string>, reports: string): Record<string, unknown> {
    const pairs = preset.fields.map(({ name, sample }): [string, string] => [sample, own[name] ?? ""]);
    const settings = replaced(preset.settings, pairs) as Preset["settings"];

    return { ...settings, callback: { ...settings.callback,
        ...(settings.callback.url !== undefined && { url: reports }) } };
}
