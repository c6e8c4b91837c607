/*
 * settings-staff.tsx
 *		Settings > Staff: the accounts of those who sign in, and who is signed
 *		in now.
 *
 *		settings/staff              both lists        .../new
 *		settings/staff/ID           one of them       .../ID/edit
 *
 *		A password is in no draft: it is gone with its form.
 */
import { useState } from "preact/hooks";
import { api, ask, askAll, askPage, once, refusedHere, type Schemas } from "../api";
import { branch, branches, departments, doctorName, doctors } from "../clinic";
import { words } from "../i18n";
import { accountWords } from "../i18n/account";
import { languageName } from "../i18n/own";
import { settingsWords } from "../i18n/settings";
import { staffWords } from "../i18n/staff";
import { Confirm } from "../parts/ask";
import { Dialog } from "../parts/dialog";
import { CheckField, FormError, SelectField, TextField } from "../parts/field";
import { useForm } from "../parts/form";
import { Heading } from "../parts/heading";
import { History } from "../parts/history";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import {
    branchesValues, BranchesField, branchIds, changesOf, departmentIds, DepartmentsField, departmentsValues,
    type BranchesValues, type DepartmentsValues,
} from "../parts/scope-of";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { toast } from "../parts/toast";
import { useVersioned } from "../parts/versioned";
import { go, href } from "../router";
import { session } from "../session";
import { shownInstant } from "../time";

type Person = Schemas["Staff"];
type SignIn = Schemas["SignIn"];
type Role = Person["role"];

const PATH = "settings/staff";
const ROLES: Role[] = ["admin", "reception", "doctor"];
const LANGUAGES = ["en", "hi"];

const pathOf = (id: string, what = ""): string => `${PATH}/${encodeURIComponent(id)}${what}`;
const when = (instant: string): string => shownInstant(instant, branch.value?.time_zone ?? "UTC");
const roleName = (role: Role): string => words.value.shell.roles[role];

export function Staff({ rest }: { rest: string[] }) {
    const [id, what] = rest;

    if (id === undefined)
        return <Lists />;
    if (id === "new")
        return <Fields />;
    return <One key={id} id={id} editing={what === "edit"} />;
}

function branchesOf(person: Person): string {
    return person.branch_ids?.map((id) => branches.value.find((b) => b.branch_id === id)?.name ?? id)
        .join(", ") ?? settingsWords.value.allBranches;
}

/* Whom somebody in that role sees who is limited to no departments. */
const everyDoctor = (role: Role): string => role === "doctor" ? staffWords.value.ownOnly : staffWords.value.everyDoctor;

function doctorsSeen(person: Person): string {
    return person.department_ids?.map((id) => departments.value.find((d) => d.department_id === id)?.name ?? id)
        .join(", ") ?? everyDoctor(person.role);
}

function Status({ person }: { person: Person }) {
    const w = staffWords.value;

    return <span class={person.active ? "chip in_consultation" : "chip no_show"}>
        {person.active ? w.active : w.inactive}</span>;
}

function Lists() {
    const w = staffWords.value;
    const loaded = useLoad(() => askAll((page) =>
        api.GET("/api/v1/staff", { params: { query: page } })), []);

    return (
        <>
            <Heading title={w.title} sub={w.lead}>
                <button type="button" class="primary" onClick={() => go(`${PATH}/new`)}>
                    <Icon name="plus" />{w.add}</button>
            </Heading>
            <Shown loaded={loaded}>
                {(staff) => staff.length === 0 ? <Empty icon="user" title={w.none} /> : (
                    <div class="card list-card">
                        <Table caption={w.title} rows={staff} id={(person) => person.staff_id} columns={[
                            { title: w.name, cell: (person) => (
                                <span><a class="row-link" href={href(pathOf(person.staff_id))}>{person.name}</a>
                                    <small class="line">{person.account}</small></span>
                            ) },
                            { title: w.role, cell: (person) => (
                                <span>{roleName(person.role)}{person.doctor_id
                                    && <small class="line">{doctorName(person.doctor_id)}</small>}</span>
                            ) },
                            { title: settingsWords.value.branches, cell: branchesOf },
                            { title: w.codes, cell: (person) => person.totp_enrolled ? w.on : w.off },
                            { title: w.lastIn, cell: (person) =>
                                person.last_sign_in_at ? when(person.last_sign_in_at) : w.never },
                            { title: w.status, cell: (person) => <Status person={person} /> },
                        ]} />
                    </div>
                )}
            </Shown>
            <SignedIn />
        </>
    );
}

/* ---- who is signed in --------------------------------------------------------- */

const BROWSERS: [RegExp, string][] = [
    [/\bEdg\w*\/(\d+)/, "Edge"], [/\bOPR\/(\d+)/, "Opera"], [/SamsungBrowser\/(\d+)/, "Samsung Internet"],
    [/Firefox\/(\d+)/, "Firefox"], [/Chrome\/(\d+)/, "Chrome"], [/Version\/(\d+).*Safari/, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
    [/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS/, "macOS"],
    [/Linux/, "Linux"],
];

/* What people call it; what no browser of these sends, as it is. */
function browserOf(agent: string | null): string {
    const w = staffWords.value;

    for (const [pattern, name] of BROWSERS) {
        const version = agent?.match(pattern)?.[1];
        const system = SYSTEMS.find(([of]) => agent && of.test(agent))?.[1];

        if (version && system)
            return w.browserOn(`${name} ${version}`, system);
    }
    return agent ?? w.unknown;
}

function SignedIn() {
    const w = staffWords.value;
    const loaded = useLoad(() => askAll((page) =>
        api.GET("/api/v1/staff/sessions", { params: { query: page } })), []);
    const [ending, setEnding] = useState<SignIn | null>(null);

    return (
        <section class="below" aria-labelledby="signed-in">
            <div class="page-head"><h2 id="signed-in">{w.signedIn}</h2></div>
            <Shown loaded={loaded}>
                {(signIns) => signIns.length === 0 ? <Empty icon="user" title={w.nobodyIn} /> : (
                    <div class="card list-card">
                        <Table caption={w.signedIn} rows={signIns} id={(one) => one.sign_in_id} columns={[
                            { title: w.person, cell: (one) => (
                                <span><strong>{one.name}</strong><small class="line">{one.account}</small></span>
                            ) },
                            { title: w.since, cell: (one) => when(one.created_at) },
                            { title: w.lastUse, cell: (one) => when(one.last_used_at) },
                            { title: w.browser, cell: (one) => (
                                <span>{browserOf(one.user_agent)}
                                    <small class="line">{one.address ?? w.unknown}</small></span>
                            ) },
                            { title: w.end, class: "end", cell: (one) =>
                                one.sign_in_id === session.value?.sign_in_id ? w.here : (
                                    <button type="button" class="small danger" onClick={() => setEnding(one)}>
                                        {w.signOut}<span class="hidden"> {one.name}</span></button>
                                ) },
                        ]} />
                    </div>
                )}
            </Shown>
            {ending && (
                <Confirm title={w.signOutTitle(ending.name)} yes={w.signOut} danger
                    onClose={() => setEnding(null)} onYes={async () => {
                        await ask(api.DELETE("/api/v1/staff/sessions/{sign_in_id}",
                            { params: { path: { sign_in_id: ending.sign_in_id } } }));
                        toast(w.signedOut(ending.name));
                        loaded.reload();
                    }}><p>{w.signOutText}</p></Confirm>
            )}
        </section>
    );
}

/* ---- a password, twice ---------------------------------------------------------- */

interface Twice { password: string; again: string }

/* Refused here, as the server is told one of them. */
function requireSame({ password, again }: Twice): void {
    const message = staffWords.value.notSame;

    if (password !== again)
        throw refusedHere("again", message);
}

function PasswordFields({ value, onValue, error, hint }: {
    value: Twice; onValue: (value: Twice) => void; error: unknown; hint: string;
}) {
    const w = staffWords.value;

    return (
        <>
            <TextField label={w.password} name="password" type="password" required hint={hint}
                autocomplete="new-password" value={value.password} error={error}
                onValue={(password) => onValue({ ...value, password })} />
            <TextField label={w.again} name="again" type="password" required
                autocomplete="new-password" value={value.again} error={error}
                onValue={(again) => onValue({ ...value, again })} />
        </>
    );
}

function SetPassword({ person, onClose, onDone }: {
    person: Person; onClose: () => void; onDone: () => void;
}) {
    const w = staffWords.value;
    const form = useForm({ password: "", again: "" });
    const { password, again } = form.values;
    const save = () => form.submit({}, async () => {
        requireSame({ password, again });
        await ask(api.POST("/api/v1/staff/{staff_id}/password",
            { params: { path: { staff_id: person.staff_id } }, body: { password } }));
        toast(w.passwordSet(person.name));
        onDone();
        onClose();
    });

    return (
        <Dialog title={w.passwordTitle(person.name)} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <p>{w.passwordText}</p>
                <input type="text" hidden autocomplete="username" value={person.account} readOnly tabIndex={-1} />
                <PasswordFields value={{ password, again }} error={form.error} hint={accountWords.value.newHint}
                    onValue={(to) => {
                        form.text("password").onValue(to.password);
                        form.text("again").onValue(to.again);
                    }} />
                <FormError error={form.error} />
                <div class="buttons">
                    <button type="button" onClick={onClose}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{w.setPassword}</button>
                </div>
            </form>
        </Dialog>
    );
}

/* ---- add, edit ------------------------------------------------------------------ */

type PersonValues = BranchesValues & DepartmentsValues & {
    account: string; name: string; role: string; doctor_id: string; language: string; email: string;
    active: boolean;
};

function valuesOf(person?: Person): PersonValues {
    return {
        account: person?.account ?? "", name: person?.name ?? "", role: person?.role ?? "reception",
        ...branchesValues(person?.branch_ids), ...departmentsValues(person?.department_ids),
        doctor_id: person?.doctor_id ?? "", language: person?.language ?? "en",
        email: person?.email ?? "", active: person?.active ?? true,
    };
}

function Fields({ person, onSaved, onStale }: {
    person?: Person; onSaved?: (now: Person) => void; onStale?: () => Promise<Person>;
}) {
    const w = staffWords.value;
    const form = useVersioned({ row: person, valuesOf, read: onStale,
        draft: `staff/${person?.staff_id ?? "new"}` });
    const [secret, setSecret] = useState<Twice>({ password: "", again: "" });
    const v = form.values;
    const back = person ? { href: href(pathOf(person.staff_id)), text: person.name }
        : { href: href(PATH), text: w.back };
    const body = {
        name: v.name.trim(), role: v.role as Role,
        branch_ids: branchIds(v),
        doctor_id: v.role === "doctor" ? v.doctor_id || null : null,
        department_ids: v.role === "admin" ? null : departmentIds(v), language: v.language,
        email: v.email.trim() || null,
    };
    const create = () => form.submit(body, async () => {
        requireSame(secret);
        const made = await ask(api.POST("/api/v1/staff",
            { body: { ...body, account: v.account.trim(), password: secret.password } }));

        toast(w.added(made.name));
        go(pathOf(made.staff_id));
    });
    const update = (staff_id: string) => {
        const changes = changesOf(form, { ...body, active: v.active });

        return form.change(changes, async (headers) => onSaved?.(await ask(
            api.PATCH("/api/v1/staff/{staff_id}",
                { params: { path: { staff_id } }, body: changes, ...headers }))));
    };

    return (
        <>
            <Heading back={back} title={person ? settingsWords.value.edit : w.add} />
            <form class="card" onSubmit={(event) => {
                event.preventDefault();
                void (person ? update(person.staff_id) : create());
            }}>
                <TextField label={w.name} required autocomplete="off" {...form.text("name")} />
                {!person && <TextField label={w.account} hint={w.accountHint} required autocomplete="off"
                    autocapitalize="none" spellcheck={false} {...form.text("account")} />}
                <SelectField label={w.role} {...form.text("role")}
                    choices={ROLES.map((role) => ({ value: role, label: roleName(role) }))} />
                {v.role === "doctor" && (
                    <SelectField label={w.doctor} hint={w.doctorHint} {...form.text("doctor_id")}
                        choices={[{ value: "", label: w.chooseDoctor }, ...doctors.value.map((d) =>
                            ({ value: d.doctor_id, label: d.name }))]} />
                )}
                {v.role !== "admin" && departments.value.length > 0
                    && <DepartmentsField form={form} all={everyDoctor(v.role as Role)} />}
                <BranchesField form={form} />
                <SelectField label={w.language} {...form.text("language")}
                    choices={[...new Set([...LANGUAGES, v.language])].map((tag) =>
                        ({ value: tag, label: languageName(tag) }))} />
                <TextField label={w.email} hint={w.emailHint} type="email" autocomplete="off" {...form.text("email")} />
                {person
                    ? <CheckField label={w.mayIn} hint={w.mayInHint} {...form.check("active")} />
                    : <PasswordFields value={secret} onValue={setSecret} error={form.error}
                        hint={`${accountWords.value.newHint} ${w.firstPassword}`} />}
                <FormError error={form.error} />
                {form.stale && <p class="draft">{settingsWords.value.stale}</p>}
                <div class="buttons">
                    <a class="button" href={back.href} onClick={form.discard}>{words.value.common.cancel}</a>
                    <button type="submit" class="primary" aria-disabled={form.busy}>
                        {person ? words.value.common.save : w.add}</button>
                </div>
            </form>
        </>
    );
}

/* ---- one of them ------------------------------------------------------------------ */

function One({ id, editing }: { id: string; editing: boolean }) {
    const read = () => ask(api.GET("/api/v1/staff/{staff_id}", { params: { path: { staff_id: id } } }));
    const loaded = useLoad(read, [id]);

    return (
        <Shown loaded={loaded}>
            {(person) => editing
                ? <Fields person={person} onStale={read} onSaved={(now) => {
                    loaded.set(now);
                    toast(settingsWords.value.saved);
                    go(pathOf(id));
                }} />
                : <Read person={person} onChanged={loaded.set} onElse={loaded.reload} />}
        </Shown>
    );
}

/* onElse: what is there now is to be read. */
function Read({ person, onChanged, onElse }: {
    person: Person; onChanged: (now: Person) => void; onElse: () => void;
}) {
    const w = staffWords.value;
    const s = settingsWords.value;
    const at = { params: { path: { staff_id: person.staff_id } } };
    const [asking, setAsking] = useState<"password" | "reset" | "remove" | null>(null);
    const close = () => setAsking(null);

    return (
        <>
            <Heading back={{ href: href(PATH), text: w.back }} title={person.name}
                sub={person.account}><Status person={person} /></Heading>
            <div class="deeds">
                <a class="button" href={href(pathOf(person.staff_id, "/edit"))}>{s.edit}</a>
                {person.staff_id === session.value?.staff_id
                    ? <a class="button" href={href("account")}>{accountWords.value.title}</a>
                    : <button type="button" onClick={() => setAsking("password")}>{w.setPassword}</button>}
                {person.totp_enrolled && (
                    <button type="button" onClick={() => setAsking("reset")}>{w.reset}</button>
                )}
                <button type="button" class="danger" onClick={() => setAsking("remove")}>{w.remove}</button>
            </div>
            <div class="card">
                <dl class="facts-row">
                    <div><dt>{w.role}</dt><dd>{roleName(person.role)}</dd></div>
                    {person.doctor_id && <div><dt>{w.doctor}</dt><dd>{doctorName(person.doctor_id)}</dd></div>}
                    <div><dt>{w.whose}</dt><dd>{doctorsSeen(person)}</dd></div>
                    <div><dt>{s.branches}</dt><dd>{branchesOf(person)}</dd></div>
                    <div><dt>{w.codes}</dt><dd>{person.totp_enrolled ? w.on : w.off}</dd></div>
                    <div><dt>{w.language}</dt><dd>{languageName(person.language)}</dd></div>
                    {person.email && <div><dt>{w.email}</dt><dd>{person.email}</dd></div>}
                    <div><dt>{w.lastIn}</dt>
                        <dd>{person.last_sign_in_at ? when(person.last_sign_in_at) : w.never}</dd></div>
                    <div><dt>{w.createdAt}</dt><dd>{when(person.created_at)}</dd></div>
                </dl>
            </div>
            <History of={person.staff_id} version={person.version} actions={w.actions} members={w.members}
                self={{ actor: `staff:${person.account}`, name: w.self }}
                read={(page) => askPage(api.GET("/api/v1/staff/{staff_id}/audit",
                    { params: { ...at.params, query: page } }))} />
            {asking === "password" && <SetPassword person={person} onClose={close} onDone={onElse} />}
            {asking === "reset" && (
                <Confirm title={w.resetTitle(person.name)} yes={w.reset} danger onClose={close}
                    onYes={async (key) => {
                        onChanged(await ask(api.POST("/api/v1/staff/{staff_id}/reset-totp",
                            { ...at, ...once(key) })));
                        toast(w.resetDone(person.name));
                    }}><p>{w.resetText}</p></Confirm>
            )}
            {asking === "remove" && (
                <Confirm title={w.removeTitle(person.name)} yes={w.remove} danger onClose={close}
                    onYes={async () => {
                        await ask(api.DELETE("/api/v1/staff/{staff_id}",
                            { ...at, headers: { "If-Match": `"${person.version}"` } }));
                        toast(w.removed(person.name));
                        go(PATH);
                    }}><p>{w.removeText}</p></Confirm>
            )}
        </>
    );
}
