/*
 * patients.tsx
 *		Patients: found while one types, registered, edited; their visits.
 *
 *		patients                 the list       patients/new
 *		patients/ID              one of them    patients/ID/edit
 */
import { useEffect, useRef, useState } from "preact/hooks";
import {
    api, ask, askPage, healed, type Patient, type PatientSummary, type Schemas,
} from "../api";
import { branch, branches, doctorName, knowPatients, visitTypeName } from "../clinic";
import { words } from "../i18n";
import { historyWords } from "../i18n/history";
import { languageName } from "../i18n/own";
import { patientWords } from "../i18n/patients";
import { FormError, CheckField } from "../parts/field";
import { toBody, type Values } from "../parts/form";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { consentOf, PatientFields, patientValues, type PatientValues } from "../parts/patient-form";
import { RecordButton } from "../parts/record";
import { Doubles, Draft, RegisterButton, useRegistration, type Created } from "../parts/registration";
import { Empty, Failed, Loading, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { toast } from "../parts/toast";
import { useVersioned } from "../parts/versioned";
import { go, href, place, refine } from "../router";
import { may } from "../session";
import { dateOf, shown } from "../time";
import { Accesses } from "./patient-accesses";

type Profile = Schemas["PatientProfile"];

export function Patients({ rest }: { rest: string[] }) {
    const [id, what] = rest;

    if (id === undefined)
        return <List />;
    if (id === "new" && may("patients:write"))
        return <Register />;
    return <One key={id} id={id} editing={what === "edit" && may("patients:write")} />;
}

/* ---- the list -------------------------------------------------------------- */

const PAUSE_MS = 200;
const PER_PAGE = 20;

interface Found { rows: PatientSummary[]; total: number; pages: number; of: string }

/* The first pages of a search; those of the one before stay until it answers. */
function useSearch(search: string, branch_id: string | undefined) {
    const of = JSON.stringify([search, branch_id]);
    const [found, setFound] = useState<Found | null>(null);
    const [error, setError] = useState<Error | null>(null);
    const [again, setAgain] = useState(0);
    const turn = useRef(0);
    const page = (n: number) => askPage(api.GET("/api/v1/patients", {
        params: { query: { search: search || undefined, branch_id, page: n, per_page: PER_PAGE } },
    }));

    useEffect(() => {
        const mine = ++turn.current;
        const timer = setTimeout(() => {
            page(1).then(({ rows, total }) => {
                if (mine !== turn.current)
                    return;
                setFound({ rows, total, pages: 1, of });
                setError(null);
            }, (problem) => mine === turn.current && setError(problem));
        }, found === null ? 0 : PAUSE_MS);

        return () => clearTimeout(timer);
    }, [of, again, healed.value]);
    const isCurrent = found?.of === of;

    return {
        found, isCurrent, error,
        retry: () => setAgain((n) => n + 1),
        more: async () => {
            const mine = turn.current;

            if (!found || !isCurrent)
                return;
            try {
                const { rows, total } = await page(found.pages + 1);

                if (mine === turn.current)
                    setFound({ rows: [...found.rows, ...rows], total, pages: found.pages + 1, of });
            } catch (problem) {
                setError(problem as Error);
            }
        },
    };
}

function List() {
    const w = words.value;
    const p = patientWords.value;
    const { q = "", here = "" } = place.value.query;
    const [search, setSearch] = useState(q);
    const { found, isCurrent, error, retry, more } = useSearch(search.trim(),
        here === "" ? undefined : branch.value?.branch_id);

    useEffect(() => setSearch(q), [q]);
    return (
        <div class="page patients">
            <div class="page-head">
                <h1>{p.title}</h1>
                {may("patients:write") && (
                    <button type="button" class="primary" onClick={() => go("patients/new")}>
                        <Icon name="plus" />{p.register}</button>
                )}
            </div>
            <div class="card list-card">
                <form class="search-bar" role="search" onSubmit={(event) => event.preventDefault()}>
                    <label class="search-box">
                        <span class="hidden">{w.patient.search}</span>
                        <Icon name="search" />
                        <input type="search" name="search" autocomplete="off" value={search}
                            placeholder={w.patient.searchHint} onInput={(event) => {
                                setSearch(event.currentTarget.value);
                                refine({ q: event.currentTarget.value });
                            }} />
                    </label>
                    {branches.value.length > 1 && branch.value && (
                        <CheckField label={p.onlyHere(branch.value.name)} checked={here !== ""}
                            onValue={(on) => refine({ here: on ? "1" : "" })} />
                    )}
                </form>
                <p class="list-count" role="status">{found && p.count(found.rows.length, found.total)}</p>
                {error && <Failed error={error} onRetry={retry} />}
                {!error && (!found || found.rows.length === 0 && !isCurrent) && <Loading />}
                {found && isCurrent && found.rows.length === 0 && !error && (
                    <Empty icon="search" title={search.trim() === "" ? p.none : p.nobody(search.trim())} />
                )}
                {found && found.rows.length > 0 && (
                    <Table caption={p.title} rows={found.rows} id={(row) => row.patient_id} columns={[
                        { title: p.name, cell: (row) => (
                            <a class="row-link" href={href(`patients/${encodeURIComponent(row.patient_id)}`)}>
                                {row.name}</a>
                        ) },
                        { title: p.ageGender, cell: ageGender },
                        { title: w.patient.phone, class: "number", cell: (row) => row.phone ?? "" },
                        { title: p.number, class: "number", cell: (row) => row.patient_id },
                        { title: p.lastVisit, class: "number", cell: (row) => row.last_visit_date
                            ? shown(row.last_visit_date) : <span class="muted">{p.noVisit}</span> },
                    ]} />
                )}
                {found && found.rows.length < found.total && found.rows.length > 0 && (
                    <p class="more"><button type="button" onClick={() => void more()}>{p.more}</button></p>
                )}
            </div>
        </div>
    );
}

function ageGender(row: Pick<PatientSummary, "age" | "gender">): string {
    const w = words.value.patient;

    return [row.age !== null && w.years(row.age), row.gender && w.gender[row.gender]]
        .filter(Boolean).join(", ");
}

/* ---- register ---------------------------------------------------------------- */

function Register() {
    const w = words.value;
    const p = patientWords.value;
    const registration = useRegistration("patient/new");
    const { form, alike, register } = registration;
    const [created, setCreated] = useState<Created | null>(null);
    const leave = (patient: Created) => {
        toast(p.registered(patient.name, patient.patient_id));
        go(`patients/${encodeURIComponent(patient.patient_id)}`);
    };
    const save = () => register((patient) => {
        if (patient.possible_duplicates.length > 0 && alike.length === 0)
            setCreated(patient);
        else
            leave(patient);
    });

    return (
        <div class="page patients">
            <Heading back={{ href: href("patients"), text: p.back }} title={p.register} />
            {created ? (
                <div class="card" role="alert">
                    <h2>{p.afterwards(created.name)}</h2>
                    <ul class="doubles">
                        {created.possible_duplicates.map((double) => (
                            <li key={double.patient_id}>
                                <span><strong>{double.name ?? double.patient_id}</strong>
                                    <small>{[double.patient_id, `${p.alikeSame} ${(double.same ?? [])
                                        .map((s) => p.sameWords[s] ?? s).join(", ")}`].join(" · ")}</small></span>
                                <a href={href(`patients/${encodeURIComponent(double.patient_id)}`)}>{p.open}</a>
                            </li>
                        ))}
                    </ul>
                    <div class="buttons">
                        <button type="button" class="primary" onClick={() => leave(created)}>{p.keepNew}</button>
                    </div>
                </div>
            ) : (
                <form class="card" onSubmit={(event) => {
                    event.preventDefault();
                    void save();
                }}>
                    <p class="muted">{p.needed}</p>
                    <Draft form={form} />
                    <PatientFields form={form} fresh
                        warning={<Doubles alike={alike} action={(patient) => (
                            <a class="button small" href={href(`patients/${encodeURIComponent(patient.patient_id)}`)}>
                                {p.open}</a>
                        )} />} />
                    <FormError error={form.error} />
                    <div class="buttons sticky">
                        <a class="button" href={href("patients")} onClick={form.discard}>{w.common.cancel}</a>
                        <RegisterButton {...registration} />
                    </div>
                </form>
            )}
        </div>
    );
}

/* ---- one of them --------------------------------------------------------------- */

function One({ id, editing }: { id: string; editing: boolean }) {
    const loaded = useLoad<Profile>(() => ask(api.GET("/api/v1/patients/{patient_id}",
        { params: { path: { patient_id: id } } })), [id]);

    return (
        <div class="page patients">
            <Shown loaded={loaded}>
                {(patient) => editing
                    ? <Edit patient={patient} onSaved={(now) => {
                        loaded.set({ ...now, visit_history: patient.visit_history });
                        go(`patients/${encodeURIComponent(id)}`);
                    }} />
                    : <Read patient={patient} />}
            </Shown>
        </div>
    );
}

function Read({ patient }: { patient: Profile }) {
    const w = words.value;
    const p = patientWords.value;
    const zone = branch.value?.time_zone ?? "UTC";
    const address = patient.address;
    const contact = patient.emergency_contact;
    const insurance = [patient.insurance.provider, patient.insurance.number].filter(Boolean).join(" · ");
    const consent = patient.consent === null ? p.consents.unasked
        : [patient.consent ? p.consents.yes : p.consents.no, patient.consent_at
            && p.consentSince(shown(dateOf(patient.consent_at, zone)))].filter(Boolean).join(", ");

    return (
        <>
            <Heading back={{ href: href("patients"), text: p.back }} title={patient.name}
                sub={[ageGender(patient), patient.patient_id].filter(Boolean).join(" · ")}>
                {!patient.active && <span class="chip no_show">{p.inactive}</span>}
                <div class="head-deeds">
                    {may("patients:write") && (
                        <a class="button" href={href(`patients/${encodeURIComponent(patient.patient_id)}/edit`)}>
                            {p.edit}</a>
                    )}
                    {may("appointments:write") && patient.active && (
                        <a class="button primary" href={href("calendar", { patient: patient.patient_id })}>
                            <Icon name="calendar" />{p.book}</a>
                    )}
                </div>
            </Heading>
            <div class="profile">
                <div class="facts">
                    <Facts title={p.contact} facts={[
                        [w.patient.phone, patient.phone && <a href={`tel:${patient.phone_e164
                            ?? patient.phone.replace(/[^+\d]/g, "")}`}>{patient.phone}</a>],
                        [p.email, patient.email],
                        [p.address, address && [address.line1, address.line2,
                            [address.city, address.pincode].filter(Boolean).join(" "), address.state,
                            address.country].filter(Boolean).join(", ")],
                        [p.emergency, [contact.name && (contact.relationship
                            ? `${contact.name} (${contact.relationship})` : contact.name), contact.phone]
                            .filter(Boolean).join(" · ")],
                    ]} />
                    <Facts title={p.person} facts={[
                        [w.patient.born, patient.date_of_birth && [shown(patient.date_of_birth),
                            patient.date_of_birth_estimated && p.estimatedShort].filter(Boolean).join(" ")],
                        [p.bloodGroup, patient.blood_group?.replace("-", "−")],
                        [p.abha, patient.abha_id],
                        [p.aadhaar, patient.aadhaar],
                        [p.insurer, insurance],
                    ]} />
                    <Facts title={p.consentTitle} facts={[
                        [p.consentShort, consent],
                        [p.language, languageName(patient.language)],
                        [p.home, branches.value.find((b) => b.branch_id === patient.branch_id)?.name
                            ?? patient.branch_id],
                        [p.registeredOn, shown(dateOf(patient.registered_at, zone))],
                    ]} />
                </div>
                <section class="card visits" aria-labelledby="visits">
                    <h2 id="visits">{p.visits}</h2>
                    {patient.visit_history.length === 0
                        ? <Empty icon="calendar" title={p.noVisits} /> : (
                            <>
                                <p class="muted">{p.visitsLead}</p>
                                <Visits visits={patient.visit_history} />
                            </>
                        )}
                </section>
            </div>
            {may("staff:manage") && <Accesses patient_id={patient.patient_id} />}
        </>
    );
}

function Visits({ visits }: { visits: Profile["visit_history"] }) {
    const w = words.value;

    return (
        <Table caption={patientWords.value.visits} rows={visits} id={(v) => v.appointment_id} columns={[
            { title: w.common.date, class: "number", cell: (v) => shown(v.date) },
            { title: w.common.doctor, cell: (v) => (
                <span>{doctorName(v.doctor_id)}<small class="line">{branches.value.find((b) =>
                    b.branch_id === v.branch_id)?.name ?? v.branch_id}</small></span>
            ) },
            { title: w.common.visitType, cell: (v) => (
                <span>{visitTypeName(v.visit_type)}<small class="line number">{v.appointment_id}</small></span>
            ) },
            { title: patientWords.value.status, cell: (v) => (
                <span class={`chip ${v.status}`}>{w.status[v.status as keyof typeof w.status] ?? v.status}</span>
            ) },
            { title: historyWords.value.title, class: "end", cell: (v) => (
                <RecordButton appointment_id={v.appointment_id} class="small" />
            ) },
        ]} />
    );
}

function Facts({ title, facts }: {
    title: string; facts: [string, preact.ComponentChildren][];
}) {
    return (
        <section class="card">
            <h2>{title}</h2>
            <dl>
                {facts.map(([name, fact]) => (
                    <div key={name}><dt>{name}</dt>
                        <dd>{fact || <span class="muted">{patientWords.value.notKnown}</span>}</dd></div>
                ))}
            </dl>
        </section>
    );
}

function Edit({ patient, onSaved }: { patient: Profile; onSaved: (now: Patient) => void }) {
    const w = words.value;
    const p = patientWords.value;
    const id = patient.patient_id;
    const form = useVersioned<PatientValues, Patient>({
        row: patient, valuesOf: (now = patient) => patientValues(now), draft: `patient/${id}`,
        read: () => ask(api.GET("/api/v1/patients/{patient_id}", { params: { path: { patient_id: id } } })),
    });
    const back = href(`patients/${encodeURIComponent(id)}`);
    const save = async () => {
        const { consent, ...others } = form.changed;
        const body = { ...toBody(others as Values), ...(consent === undefined ? {}
            : { consent: consentOf(consent) }) } as Schemas["PatientChange"];

        if (!form.dirty) {
            toast(p.nothingChanged);
            go(`patients/${encodeURIComponent(id)}`);
            return;
        }
        await form.change(body, async (headers) => {
            const now = await ask(api.PATCH("/api/v1/patients/{patient_id}",
                { params: { path: { patient_id: id } }, body, ...headers }));

            knowPatients([now]);
            toast(p.saved(now.name));
            onSaved(now);
        });
    };

    return (
        <>
            <Heading back={{ href: back, text: patient.name }} title={p.editOf(patient.name)} />
            <form class="card" onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <Draft form={form} />
                <PatientFields form={form} aadhaar={patient.aadhaar} />
                <FormError error={form.error} />
                {form.stale && <p class="draft">{p.stale}</p>}
                <div class="buttons sticky">
                    <a class="button" href={back} onClick={form.discard}>{w.common.cancel}</a>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{w.common.save}</button>
                </div>
            </form>
        </>
    );
}
