/*
 * patient-choice.tsx
 *		The patient of a visit: found, or registered in a few words. Before
 *		somebody is registered, who might be the same is shown.
 */
import { useState } from "preact/hooks";
import { knowPatients } from "../clinic";
import { words } from "../i18n";
import { FormError } from "./field";
import { Icon } from "./icon";
import { patientLine, PersonFields, type Chosen } from "./patient-form";
import { PatientSearch } from "./patient-search";
import { Doubles, Draft, RegisterButton, useRegistration } from "./registration";

export function PatientChoice({ chosen, onChoose }: {
    chosen: Chosen | null; onChoose: (patient: Chosen | null) => void;
}) {
    const w = words.value;
    const [registering, setRegistering] = useState(false);

    if (chosen) {
        return (
            <div class="chosen">
                <Icon name="user" />
                <span><strong>{chosen.name}</strong><small>{patientLine(chosen)}</small></span>
                <button type="button" class="small" onClick={() => onChoose(null)}>{w.patient.change}</button>
            </div>
        );
    }
    if (registering) {
        return <Register onDone={onChoose} onBack={() => setRegistering(false)} />;
    }
    return (
        <>
            <PatientSearch onChoose={onChoose} autofocus />
            <button type="button" class="link" onClick={() => setRegistering(true)}>
                {w.patient.registerNew}
            </button>
        </>
    );
}

function Register({ onDone, onBack }: { onDone: (patient: Chosen) => void; onBack: () => void }) {
    const w = words.value;
    const registration = useRegistration("patient/desk");
    const { form, alike, register } = registration;

    return (
        <form class="register" aria-label={w.patient.registerNew} onSubmit={(event) => {
            event.preventDefault();
            event.stopPropagation();
            void register(onDone);
        }}>
            <Draft form={form} />
            <PersonFields form={form} />
            <Doubles alike={alike} action={(patient) => (
                <button type="button" class="small" onClick={() => {
                    form.discard();
                    knowPatients([patient]);
                    onDone(patient);
                }}>{w.patient.useThis}</button>
            )} />
            <FormError error={form.error} />
            <div class="buttons">
                <button type="button" onClick={onBack}>{w.common.back}</button>
                <RegisterButton {...registration} />
            </div>
        </form>
    );
}
