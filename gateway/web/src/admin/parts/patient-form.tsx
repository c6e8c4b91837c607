/*
 * patient-form.tsx
 *		What is known of a patient, as fields; for registering and editing. The
 *		first of them are what the desk asks for.
 */
import type { ComponentChildren } from "preact";
import { api, ask, askPage, type Patient, type PatientSummary } from "../api";
import { branch, branches } from "../clinic";
import { language, words } from "../i18n";
import { languageName } from "../i18n/own";
import { patientWords } from "../i18n/patients";
import { RadioField } from "./choices";
import { CheckField, SelectField, TextField } from "./field";
import type { Form, Values } from "./form";

const GENDERS = ["female", "male", "other", "undisclosed"];
const BLOOD_GROUPS = ["A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-"];
const LANGUAGES = ["en", "hi", "bn", "gu", "kn", "ml", "mr", "or", "pa", "ta", "te", "ur"];

export type PatientValues = Values & Record<PatientText, string>
    & { date_of_birth_estimated: boolean; active: boolean };
type PatientText = "first_name" | "last_name" | "date_of_birth" | "gender" | "phone" | "email"
    | "blood_group" | "abha_id" | "aadhaar" | "consent" | "language" | "branch_id"
    | "address.line1" | "address.line2" | "address.city" | "address.state" | "address.pincode"
    | "address.country" | "insurance.provider" | "insurance.number" | "emergency_contact.name"
    | "emergency_contact.phone" | "emergency_contact.relationship";

export function emptyPatient(): PatientValues {
    return {
        first_name: "", last_name: "", date_of_birth: "", date_of_birth_estimated: false,
        gender: "", phone: "", email: "", blood_group: "", abha_id: "", aadhaar: "",
        consent: "", language: language.value, branch_id: branch.value?.branch_id ?? "",
        "address.line1": "", "address.line2": "", "address.city": "", "address.state": "",
        "address.pincode": "", "address.country": "", "insurance.provider": "",
        "insurance.number": "", "emergency_contact.name": "", "emergency_contact.phone": "",
        "emergency_contact.relationship": "", active: true,
    };
}

/* Aadhaar is shown masked and stays blank: what is typed replaces it. */
export function patientValues(p: Patient): PatientValues {
    return {
        first_name: p.first_name, last_name: p.last_name ?? "",
        date_of_birth: p.date_of_birth ?? "",
        date_of_birth_estimated: p.date_of_birth_estimated, gender: p.gender ?? "",
        phone: p.phone ?? "", email: p.email ?? "", blood_group: p.blood_group ?? "",
        abha_id: p.abha_id ?? "", aadhaar: "",
        consent: p.consent === null ? "" : String(p.consent), language: p.language,
        branch_id: p.branch_id ?? "",
        "address.line1": p.address?.line1 ?? "", "address.line2": p.address?.line2 ?? "",
        "address.city": p.address?.city ?? "", "address.state": p.address?.state ?? "",
        "address.pincode": p.address?.pincode ?? "", "address.country": p.address?.country ?? "",
        "insurance.provider": p.insurance.provider ?? "",
        "insurance.number": p.insurance.number ?? "",
        "emergency_contact.name": p.emergency_contact.name ?? "",
        "emergency_contact.phone": p.emergency_contact.phone ?? "",
        "emergency_contact.relationship": p.emergency_contact.relationship ?? "",
        active: p.active,
    };
}

/* Consent as the API has it; unasked is null. */
export function consentOf(text: string): boolean | null {
    return text === "" ? null : text === "true";
}

/* What tells two patients apart, in one line. */
export type Chosen = Pick<PatientSummary, "patient_id" | "name" | "age" | "phone" | "gender">;

export function patientLine(patient: Chosen): string {
    const w = words.value.patient;

    return [patient.age !== null && w.years(patient.age), patient.gender && w.gender[patient.gender],
        patient.phone, patient.patient_id].filter(Boolean).join(" · ");
}

const plain = { autocomplete: "off" } as const;

function NameAndBirth({ form: { text } }: { form: Form<PatientValues> }) {
    const w = words.value;

    return (
        <>
            <TextField label={w.patient.firstName} required {...plain} {...text("first_name")} />
            <TextField label={w.patient.lastName} {...plain} {...text("last_name")} />
            <TextField label={w.patient.born} type="date" {...plain} {...text("date_of_birth")} />
            <SelectField label={w.patient.genderLabel} {...text("gender")}
                choices={[{ value: "", label: w.patient.notSaid }, ...GENDERS.map((value) =>
                    ({ value, label: w.patient.gender[value] }))]} />
        </>
    );
}

function Telephone({ form }: { form: Form<PatientValues> }) {
    return <TextField label={words.value.patient.phone} type="tel" {...plain} {...form.text("phone")} />;
}

/* Who it is, in a few words. */
export function PersonFields({ form }: { form: Form<PatientValues> }) {
    return (
        <>
            <p class="muted">{patientWords.value.needed}</p>
            <div class="fields"><NameAndBirth form={form} /><Telephone form={form} /></div>
        </>
    );
}

/* warning: what is to be said once name and telephone are there. */
export function PatientFields({ form, aadhaar, fresh, warning }: {
    form: Form<PatientValues>; aadhaar?: string | null; fresh?: boolean;
    warning?: ComponentChildren;
}) {
    const p = patientWords.value;
    const { text, check } = form;
    const tongues = [...new Set([form.values.language, ...LANGUAGES])];

    return (
        <div class="form-sections">
            <fieldset>
                <legend>{p.person}</legend>
                <div class="fields">
                    <NameAndBirth form={form} />
                    <SelectField label={p.bloodGroup} {...text("blood_group")}
                        choices={[{ value: "", label: p.notKnown },
                            ...BLOOD_GROUPS.map((value) => ({ value, label: value.replace("-", "−") }))]} />
                </div>
                <CheckField label={p.estimated} {...check("date_of_birth_estimated")} />
            </fieldset>
            <fieldset>
                <legend>{p.contact}</legend>
                <div class="fields">
                    <Telephone form={form} />
                    <TextField label={p.email} type="email" {...plain} {...text("email")} />
                </div>
                {warning}
            </fieldset>
            <fieldset>
                <legend>{p.address}</legend>
                <div class="fields">
                    <TextField label={p.line1} {...plain} {...text("address.line1")} />
                    <TextField label={p.line2} {...plain} {...text("address.line2")} />
                    <TextField label={p.city} {...plain} {...text("address.city")} />
                    <TextField label={p.state} {...plain} {...text("address.state")} />
                    <TextField label={p.pincode} {...plain} {...text("address.pincode")} />
                    <TextField label={p.country} {...plain} {...text("address.country")} />
                </div>
            </fieldset>
            <fieldset>
                <legend>{p.identifiers}</legend>
                <div class="fields">
                    <TextField label={p.abha} hint={p.abhaHint} inputMode="numeric" {...plain}
                        {...text("abha_id")} />
                    <TextField label={p.aadhaar} hint={aadhaar ? p.aadhaarKept(aadhaar) : p.aadhaarHint}
                        inputMode="numeric" {...plain} {...text("aadhaar")} />
                    <TextField label={p.insurer} {...plain} {...text("insurance.provider")} />
                    <TextField label={p.policy} {...plain} {...text("insurance.number")} />
                </div>
            </fieldset>
            <fieldset>
                <legend>{p.emergency}</legend>
                <div class="fields">
                    <TextField label={p.contactName} {...plain} {...text("emergency_contact.name")} />
                    <TextField label={p.contactPhone} type="tel" {...plain} {...text("emergency_contact.phone")} />
                    <TextField label={p.relationship} hint={p.relationshipHint} {...plain}
                        {...text("emergency_contact.relationship")} />
                </div>
            </fieldset>
            <fieldset>
                <legend>{p.consentTitle}</legend>
                <RadioField label={p.consent} {...text("consent")} choices={[
                    { value: "true", label: p.consents.yes }, { value: "false", label: p.consents.no },
                    { value: "", label: p.consents.unasked }]} />
                <div class="fields">
                    <SelectField label={p.language} {...text("language")}
                        choices={tongues.map((value) => ({ value, label: languageName(value) }))} />
                    <SelectField label={p.home} {...text("branch_id")}
                        choices={[{ value: "", label: p.noBranch }, ...branches.value.map((b) =>
                            ({ value: b.branch_id, label: b.name }))]} />
                </div>
                {!fresh && <CheckField label={p.active} hint={p.activeHint} {...check("active")} />}
            </fieldset>
        </div>
    );
}

/* ---- who might be the same ------------------------------------------------ */

export type Same = "name" | "phone" | "birth";
export interface Alike { patient: PatientSummary; same: Same[] }

const PHONE_DIGITS = 8;
const ROWS = 5;

const digits = (text: string): string => text.replace(/\D/g, "");

/* What two spellings of a name have in common: letters alone, without accents. */
function letters(name: string): string {
    return name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();
}

/* Registered patients with the same name or telephone, the most alike first. */
export async function whoIsAlike(values: PatientValues): Promise<Alike[]> {
    const name = `${values.first_name} ${values.last_name}`.trim();
    const phone = digits(values.phone).slice(-PHONE_DIGITS);
    const searches = [name.length >= 2 ? name : "", phone.length === PHONE_DIGITS ? phone : ""];
    const found = await Promise.all(searches.filter((s) => s !== "").map((search) =>
        askPage(api.GET("/api/v1/patients", { params: { query: { search, per_page: ROWS } } }))));
    const rows = new Map(found.flatMap((f) => f.rows).map((row) => [row.patient_id, row]));
    const alike = await Promise.all([...rows.values()].map(async (patient): Promise<Alike> => {
        const same: Same[] = [];

        if (letters(patient.name) === letters(name))
            same.push("name");
        if (phone.length === PHONE_DIGITS && digits(patient.phone ?? "").endsWith(phone))
            same.push("phone");
        if (values.date_of_birth !== "" && same.length > 0) {
            const { date_of_birth } = await ask(api.GET("/api/v1/patients/{patient_id}",
                { params: { path: { patient_id: patient.patient_id } } }));

            if (date_of_birth === values.date_of_birth)
                same.push("birth");
        }
        return { patient, same };
    }));

    return alike.filter(({ same }) => same.length > 0)
        .sort((a, b) => b.same.length - a.same.length);
}
