/*
 * settings-access.tsx
 *		Admin > Settings > API > API Access: the programs that may use the API.
 *
 *		settings/api/access              the list      .../new
 *		settings/api/access/ID           one of them   .../ID/edit
 */
import { useState } from "preact/hooks";
import { api, ask, askAll, askPage, once, type Schemas } from "../api";
import { branch, branches } from "../clinic";
import { words } from "../i18n";
import { apiWords } from "../i18n/api-access";
import { settingsWords } from "../i18n/settings";
import { Confirm, Copy, SecretOnce } from "../parts/ask";
import { ChecksField } from "../parts/choices";
import { AreaField, FormError, TextField } from "../parts/field";
import { Heading } from "../parts/heading";
import { History } from "../parts/history";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { branchesValues, BranchesField, branchIds, changesOf, type BranchesValues } from "../parts/scope-of";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { toast } from "../parts/toast";
import { useVersioned } from "../parts/versioned";
import { go, href } from "../router";
import { session } from "../session";
import { shownInstant } from "../time";

type Client = Schemas["Client"];
type ClientWithSecret = Schemas["ClientWithSecret"];
type Scope = Client["scopes"][number];

const PATH = "settings/api/access";
const SCOPES: Scope[] = [
    "appointments:read", "appointments:write", "appointments:override", "patients:read",
    "patients:write", "schedule:read", "schedule:manage", "webhooks:manage",
    "notifications:manage", "clients:manage", "reports:read",
];

const pathOf = (id: string, what = ""): string => `${PATH}/${encodeURIComponent(id)}${what}`;
const when = (instant: string): string => shownInstant(instant, branch.value?.time_zone ?? "UTC");
const scopeName = (scope: string): string => apiWords.value.access.scopeNames[scope] ?? scope;

export function Access({ rest }: { rest: string[] }) {
    const [id, what] = rest;

    if (id === undefined)
        return <List />;
    if (id === "new")
        return <Fields />;
    return <One key={id} id={id} editing={what === "edit"} />;
}

function branchesOf(client: Client): string {
    return client.branch_ids?.map((id) => branches.value.find((b) => b.branch_id === id)?.name ?? id)
        .join(", ") ?? settingsWords.value.allBranches;
}

function Status({ client }: { client: Client }) {
    const w = apiWords.value.access;

    return <span class={client.active ? "chip in_consultation" : "chip no_show"}>
        {client.active ? w.active : w.inactive}</span>;
}

function List() {
    const w = apiWords.value.access;
    const loaded = useLoad(() => askAll((page) =>
        api.GET("/api/v1/clients", { params: { query: page } })), []);

    return (
        <>
            <Heading title={w.title} sub={w.lead}>
                <button type="button" class="primary" onClick={() => go(`${PATH}/new`)}>
                    <Icon name="plus" />{w.add}</button>
            </Heading>
            <Shown loaded={loaded}>
                {(clients) => clients.length === 0 ? <Empty icon="user" title={w.none} /> : (
                    <div class="card list-card">
                        <Table caption={w.title} rows={clients} id={(client) => client.client_id} columns={[
                            { title: w.name, cell: (client) => (
                                <span><a class="row-link" href={href(pathOf(client.client_id))}>{client.name}</a>
                                    {client.description && <small class="line">{client.description}</small>}</span>
                            ) },
                            { title: w.scopes, cell: (client) => (
                                <span>{client.scopes.map((scope) =>
                                    <code key={scope} class="scope">{scope}</code>)}</span>
                            ) },
                            { title: settingsWords.value.branches, cell: branchesOf },
                            { title: w.lastToken, class: "number", cell: (client) =>
                                client.last_token_at ? when(client.last_token_at) : w.never },
                            { title: w.status, cell: (client) => <Status client={client} /> },
                        ]} />
                    </div>
                )}
            </Shown>
        </>
    );
}

/* ---- add, edit ------------------------------------------------------------------ */

type ClientValues = BranchesValues
    & { name: string; description: string; scopes: string[]; requests_per_minute: string };

function valuesOf(client?: Client): ClientValues {
    return {
        name: client?.name ?? "", description: client?.description ?? "",
        scopes: client?.scopes ?? [], ...branchesValues(client?.branch_ids),
        requests_per_minute: client?.requests_per_minute?.toString() ?? "",
    };
}

function Fields({ client, onSaved, onStale }: {
    client?: Client; onSaved?: (now: Client) => void; onStale?: () => Promise<Client>;
}) {
    const w = apiWords.value.access;
    const form = useVersioned({ row: client, valuesOf, read: onStale,
        draft: `client/${client?.client_id ?? "new"}` });
    const [made, setMade] = useState<ClientWithSecret | null>(null);
    const v = form.values;
    const back = client ? { href: href(pathOf(client.client_id)), text: client.name }
        : { href: href(PATH), text: w.back };
    const scopes = [...new Set([...SCOPES, ...session.value?.scopes ?? [], ...v.scopes])];
    const body: Schemas["ClientRequest"] = {
        name: v.name.trim(), description: v.description.trim() || null, scopes: v.scopes as Scope[],
        branch_ids: branchIds(v),
        requests_per_minute: v.requests_per_minute === "" ? null : Number(v.requests_per_minute),
    };
    const create = () => form.submit(body, async (key) => {
        setMade(await ask(api.POST("/api/v1/clients", { body, ...once(key) })));
    });
    const update = (client_id: string) => {
        const changes = changesOf(form, body);

        return form.change(changes, async (headers) => onSaved?.(await ask(
            api.PATCH("/api/v1/clients/{client_id}",
                { params: { path: { client_id } }, body: changes, ...headers }))));
    };

    return (
        <>
            <Heading back={back} title={client ? settingsWords.value.edit : w.add} />
            <form class="card" onSubmit={(event) => {
                event.preventDefault();
                void (client ? update(client.client_id) : create());
            }}>
                <TextField label={w.name} hint={w.nameHint} required autocomplete="off" {...form.text("name")} />
                <AreaField label={w.description} optional {...form.text("description")} />
                <ChecksField label={w.scopes} {...form.list("scopes")} choices={scopes.map((scope) =>
                    ({ value: scope, label: scopeName(scope), hint: scope }))} />
                <BranchesField form={form} />
                <TextField label={w.limit} hint={w.limitHint} type="number" optional min={1} step={1}
                    {...form.text("requests_per_minute")} />
                <FormError error={form.error} />
                {form.stale && <p class="draft">{settingsWords.value.stale}</p>}
                <div class="buttons sticky">
                    <a class="button" href={back.href} onClick={form.discard}>{words.value.common.cancel}</a>
                    <button type="submit" class="primary" aria-disabled={form.busy}>
                        {client ? words.value.common.save : w.add}</button>
                </div>
            </form>
            {made && <Secret client={made} onClose={() => go(pathOf(made.client_id))} />}
        </>
    );
}

function Secret({ client, onClose }: { client: ClientWithSecret; onClose: () => void }) {
    const w = apiWords.value.access;

    return (
        <SecretOnce title={w.created(client.name)} onClose={onClose} fields={[
            { label: w.clientId, text: client.client_id }, { label: w.secret, text: client.client_secret }]} />
    );
}

/* ---- one of them ------------------------------------------------------------------ */

function One({ id, editing }: { id: string; editing: boolean }) {
    const read = () => ask(api.GET("/api/v1/clients/{client_id}", { params: { path: { client_id: id } } }));
    const loaded = useLoad(read, [id]);

    return (
        <Shown loaded={loaded}>
            {(client) => editing
                ? <Fields client={client} onStale={read} onSaved={(now) => {
                    loaded.set(now);
                    toast(settingsWords.value.saved);
                    go(pathOf(id));
                }} />
                : <Read client={client} onChanged={loaded.set} />}
        </Shown>
    );
}

function Read({ client, onChanged }: { client: Client; onChanged: (now: Client) => void }) {
    const w = apiWords.value.access;
    const s = settingsWords.value;
    const at = { params: { path: { client_id: client.client_id } } };
    const [asking, setAsking] = useState<"rotate" | "disable" | "remove" | null>(null);
    const [made, setMade] = useState<ClientWithSecret | null>(null);
    const close = () => setAsking(null);
    const activate = async (active: boolean, key: string) => {
        onChanged(await ask(api.PATCH("/api/v1/clients/{client_id}",
            { ...at, body: { active }, ...once(key) })));
        toast(active ? w.enabled(client.name) : w.disabled(client.name));
    };

    return (
        <>
            <Heading back={{ href: href(PATH), text: w.back }} title={client.name}
                sub={client.description ?? undefined}><Status client={client} /></Heading>
            <div class="deeds">
                <button type="button" onClick={() => setAsking("rotate")}>{w.rotate}</button>
                <button type="button" onClick={() => setAsking("disable")}>
                    {client.active ? w.disable : w.enable}</button>
                <a class="button" href={href(pathOf(client.client_id, "/edit"))}>{s.edit}</a>
                <button type="button" class="danger" onClick={() => setAsking("remove")}>{w.remove}</button>
            </div>
            <div class="card">
                <Copy label={w.clientId} text={client.client_id} />
                <dl class="facts-row">
                    <div class="whole"><dt>{w.scopes}</dt><dd><ul class="scope-list">
                        {client.scopes.map((scope) => (
                            <li key={scope}>{scopeName(scope)} <code class="scope">{scope}</code></li>
                        ))}</ul></dd></div>
                    <div><dt>{s.branches}</dt><dd>{branchesOf(client)}</dd></div>
                    <div><dt>{w.limit}</dt><dd>{client.requests_per_minute ?? s.none}</dd></div>
                    <div><dt>{w.lastToken}</dt>
                        <dd>{client.last_token_at ? when(client.last_token_at) : w.never}</dd></div>
                    <div><dt>{w.createdAt}</dt><dd>{when(client.created_at)}</dd></div>
                    <div><dt>{w.changedAt}</dt><dd>{when(client.updated_at)}</dd></div>
                </dl>
            </div>
            <History of={client.client_id} version={client.version} actions={w.actions} members={w.members}
                self={{ actor: `client:${client.client_id}`, name: w.itself }}
                read={(page) => askPage(api.GET("/api/v1/clients/{client_id}/audit",
                    { params: { path: { client_id: client.client_id }, query: page } }))} />
            {asking === "rotate" && (
                <Confirm title={w.rotateTitle} yes={w.rotate} danger onClose={close} onYes={async (key) => {
                    const now = await ask(api.POST("/api/v1/clients/{client_id}/rotate-secret",
                        { ...at, ...once(key) }));

                    setMade(now);
                    onChanged(now);
                }}><p>{w.rotateText}</p></Confirm>
            )}
            {asking === "disable" && (client.active
                ? <Confirm title={w.disableTitle(client.name)} yes={w.disable} danger onClose={close}
                    onYes={(key) => activate(false, key)}><p>{w.disableText}</p></Confirm>
                : <Confirm title={`${w.enable}: ${client.name}`} yes={w.enable} onClose={close}
                    onYes={(key) => activate(true, key)} />)}
            {asking === "remove" && (
                <Confirm title={w.removeTitle(client.name)} yes={w.remove} danger onClose={close}
                    onYes={async () => {
                        await ask(api.DELETE("/api/v1/clients/{client_id}",
                            { ...at, headers: { "If-Match": `"${client.version}"` } }));
                        toast(w.removed(client.name));
                        go(PATH);
                    }}><p>{w.removeText}</p></Confirm>
            )}
            {made && <Secret client={made} onClose={() => setMade(null)} />}
        </>
    );
}
