/*
 * patient-choice.tsx
 *		The patient of a visit: found, or registered in a few words. Before
 *		somebody is registered, who might be the same is shown.
 */
import { useState } from "preact/hooks";
import { api, ask, askPage, Deed, once, type PatientSummary } from "../api";
import { branch, knowPatient } from "../clinic";
import { language, words } from "../i18n";
import { FormError, SelectField, TextField } from "./field";
import { Icon } from "./icon";
import { useBusy } from "./load";
import { PatientSearch } from "./patient-search";

export type Chosen = Pick<PatientSummary, "patient_id" | "name" | "age" | "phone" | "gender">;

/* What tells two patients apart, in one line. */
export function patientLine(patient: Chosen): string {
    const w = words.value.patient;

    return [patient.age !== null && w.years(patient.age), patient.gender && w.gender[patient.gender],
        patient.phone, patient.patient_id].filter(Boolean).join(" · ");
}

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

const digits = (text: string): string => text.replace(/\D/g, "");

/* Who has the name or the telephone number already. */
async function alike(first: string, last: string, phone: string): Promise<PatientSummary[]> {
    const searches = [[first, last].filter(Boolean).join(" "), digits(phone).slice(-8)]
        .filter((search) => search.length >= 2);
    const found = await Promise.all(searches.map((search) =>
        askPage(api.GET("/api/v1/patients", { params: { query: { search, per_page: 5 } } }))));
    const byId = new Map(found.flatMap(({ rows }) => rows).map((row) => [row.patient_id, row]));

    return [...byId.values()].slice(0, 6);
}

function Register({ onDone, onBack }: { onDone: (patient: Chosen) => void; onBack: () => void }) {
    const w = words.value;
    const [first, setFirst] = useState("");
    const [last, setLast] = useState("");
    const [phone, setPhone] = useState("");
    const [born, setBorn] = useState("");
    const [gender, setGender] = useState("");
    const [doubles, setDoubles] = useState<PatientSummary[] | null>(null);
    const [error, setError] = useState<unknown>(null);
    const [deed] = useState(() => new Deed());
    const [busy, run] = useBusy();
    const create = async () => {
        const body = {
            first_name: first.trim(), last_name: last.trim() || null, phone: phone.trim() || null,
            date_of_birth: born || null, gender: (gender || null) as "male" | null,
            branch_id: branch.value?.branch_id, language: language.value,
        };

        try {
            const patient = await ask(api.POST("/api/v1/patients", { body, ...once(deed.for(body)) }));

            deed.settled();
            knowPatient(patient);
            onDone(patient);
        } catch (problem) {
            deed.settled(problem);
            setError(problem);
        }
    };
    const check = () => run(async () => {
        setError(null);
        try {
            const found = await alike(first.trim(), last.trim(), phone);

            if (found.length > 0)
                setDoubles(found);
            else
                await create();
        } catch (problem) {
            setError(problem);
        }
    });
    const change = (set: (value: string) => void) => (value: string) => {
        set(value);
        setDoubles(null);
    };

    return (
        <form class="register" aria-label={w.patient.registerNew} onSubmit={(event) => {
            event.preventDefault();
            event.stopPropagation();
            void check();
        }}>
            <div class="fields">
                <TextField label={w.patient.firstName} name="first_name" required autocomplete="off"
                    value={first} onValue={change(setFirst)} error={error} />
                <TextField label={w.patient.lastName} name="last_name" optional autocomplete="off"
                    value={last} onValue={change(setLast)} error={error} />
                <TextField label={w.patient.phone} name="phone" type="tel" optional autocomplete="off"
                    value={phone} onValue={change(setPhone)} error={error} />
                <TextField label={w.patient.born} name="date_of_birth" type="date" optional
                    value={born} onValue={change(setBorn)} error={error} />
                <SelectField label={w.patient.genderLabel} name="gender" value={gender} onValue={setGender}
                    error={error} choices={[{ value: "", label: w.patient.notSaid },
                        ...["female", "male", "other", "undisclosed"].map((value) =>
                            ({ value, label: w.patient.gender[value] }))]} />
            </div>
            {doubles && (
                <div class="doubles" role="alert">
                    <p><Icon name="alert" />{w.patient.doubles}</p>
                    <ul>
                        {doubles.map((patient) => (
                            <li key={patient.patient_id}>
                                <span><strong>{patient.name}</strong><small>{patientLine(patient)}</small></span>
                                <button type="button" class="small" onClick={() => {
                                    knowPatient(patient);
                                    onDone(patient);
                                }}>{w.patient.useThis}</button>
                            </li>
                        ))}
                    </ul>
                </div>
            )}
            <FormError error={error} />
            <div class="buttons">
                <button type="button" onClick={onBack}>{w.common.back}</button>
                {doubles
                    ? <button type="button" class="danger" onClick={() => void run(create)}>{w.patient.registerAnyway}</button>
                    : <button type="submit" class="primary" aria-disabled={busy}>{w.patient.register}</button>}
            </div>
        </form>
    );
}
