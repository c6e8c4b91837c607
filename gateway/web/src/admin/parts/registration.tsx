/*
 * registration.tsx
 *		A patient is registered: in a few words at the desk or with all that is
 *		known. Who might be the same is looked for while it is typed, and no
 *		later than before it is sent.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { api, ask, once, type PatientSummary, type Schemas } from "../api";
import { knowPatients } from "../clinic";
import { words } from "../i18n";
import { patientWords } from "../i18n/patients";
import { toBody, useForm, type Form } from "./form";
import { Icon } from "./icon";
import { consentOf, emptyPatient, patientLine, whoIsAlike, type Alike, type PatientValues } from "./patient-form";

export type Created = Schemas["PatientCreated"];

const PAUSE_MS = 400;
/* A click that comes sooner was meant for what was there before. */
const UNSEEN_MS = 700;

export interface Registration {
    form: Form<PatientValues>;
    alike: Alike[];
    /* They have only just come: nobody can have said yet that it is none of them. */
    isUnseen: boolean;
    /* Registers, unless somebody alike has not been seen yet. */
    register: (done: (patient: Created) => void) => Promise<void>;
}

/* draft: its name among them. */
export function useRegistration(draft: string): Registration {
    const form = useForm<PatientValues>(emptyPatient(), draft);
    const [alike, setAlike] = useState<Alike[]>([]);
    const { first_name, last_name, phone, date_of_birth } = form.values;
    const key = JSON.stringify([first_name, last_name, phone, date_of_birth]);
    const who = alike.map(({ patient }) => patient.patient_id).join();
    const [seen, setSeen] = useState("");
    const isUnseen = who !== "" && who !== seen;
    const lookedFor = useRef("");
    const latest = useRef(key);

    latest.current = key;
    /* That it fails keeps nobody waiting. */
    const look = async (): Promise<Alike[]> => {
        const found = await whoIsAlike(form.values).catch(() => []);

        if (latest.current === key) {
            lookedFor.current = key;
            setAlike(found);
        }
        return found;
    };
    useEffect(() => {
        const timer = setTimeout(() => void look(), PAUSE_MS);

        return () => clearTimeout(timer);
    }, [key]);
    useEffect(() => {
        const timer = setTimeout(() => setSeen(who), UNSEEN_MS);

        return () => clearTimeout(timer);
    }, [who]);
    const register = async (done: (patient: Created) => void) => {
        if (isUnseen || (lookedFor.current !== key && (await look()).length > 0))
            return;
        const body = { ...toBody(form.values), consent: consentOf(form.values.consent) } as
            Schemas["PatientRequest"];

        await form.submit(body, async (deed) => {
            const patient = await ask(api.POST("/api/v1/patients", { body, ...once(deed) }));

            knowPatients([patient]);
            done(patient);
        });
    };

    return { form, alike, isUnseen, register };
}

/* Who might be the same, and by what; action: what can be done with one. */
export function Doubles({ alike, action }: {
    alike: Alike[]; action: (patient: PatientSummary) => ComponentChildren;
}) {
    const p = patientWords.value;

    if (alike.length === 0)
        return null;
    return (
        <div class="doubles" role="alert">
            <p><Icon name="alert" />{p.alike}</p>
            <ul>
                {alike.map(({ patient, same }) => (
                    <li key={patient.patient_id}>
                        <span><strong>{patient.name}</strong><small>{patientLine(patient)}</small>
                            <small>{p.alikeSame} {same.map((s) => p.sames[s]).join(", ")}</small></span>
                        {action(patient)}
                    </li>
                ))}
            </ul>
        </div>
    );
}

/* The button that registers, all the same where somebody is alike. */
export function RegisterButton({ form, alike, isUnseen }: Registration) {
    return (
        <button type="submit" class={alike.length > 0 ? "danger" : "primary"} aria-disabled={form.busy || isUnseen}>
            {alike.length > 0 ? patientWords.value.anyway : words.value.patient.register}</button>
    );
}

/* What was typed before is there again. */
export function Draft({ form }: { form: Form<PatientValues> }) {
    const p = patientWords.value;

    if (!form.isDraft || !form.dirty)
        return null;
    return (
        <p class="draft" role="status"><Icon name="clock" />{p.draft}
            <button type="button" class="link" onClick={form.discard}>{p.discard}</button></p>
    );
}
