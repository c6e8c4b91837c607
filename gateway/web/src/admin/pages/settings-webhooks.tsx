/*
 * settings-webhooks.tsx
 *		Admin > Settings > API > Webhooks: whom the clinic tells of what, and
 *		what became of it.
 *
 *		settings/api/webhooks              the list      .../new
 *		settings/api/webhooks/ID           one of them   .../ID/edit
 */
import { useEffect, useState } from "preact/hooks";
import { api, ask, askPage, once, type Schemas } from "../api";
import { branch } from "../clinic";
import { words } from "../i18n";
import { apiWords } from "../i18n/api-access";
import { settingsWords } from "../i18n/settings";
import { Confirm, SecretOnce } from "../parts/ask";
import { ChecksField, RadioField } from "../parts/choices";
import { FormError, SelectField, TextField } from "../parts/field";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { branchesValues, BranchesField, branchIds, type BranchesValues } from "../parts/scope-of";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { toast, toastError } from "../parts/toast";
import { useVersioned } from "../parts/versioned";
import { go, href } from "../router";
import { instantOf, shown, shownInstant, wall } from "../time";

type Webhook = Schemas["Webhook"];
type Delivery = Schemas["Delivery"];
type EventName = Webhook["events"][number];
type State = Delivery["state"];

const PATH = "settings/api/webhooks";
const EVENTS: EventName[] = [
    "appointment.booked", "appointment.rescheduled", "appointment.cancelled",
    "appointment.checked_in", "appointment.completed", "appointment.no_show",
    "appointment.updated", "visit.started", "visit.completed", "patient.created",
    "patient.updated", "webhook.failing", "webhook.disabled",
];

const pathOf = (id: string, what = ""): string => `${PATH}/${encodeURIComponent(id)}${what}`;
const zone = (): string => branch.value?.time_zone ?? "UTC";

export function Webhooks({ rest }: { rest: string[] }) {
    const [id, what] = rest;

    if (id === undefined)
        return <List />;
    if (id === "new")
        return <Fields />;
    return <One key={id} id={id} editing={what === "edit"} />;
}

/* ---- the list --------------------------------------------------------------- */

function List() {
    const w = apiWords.value.hooks;
    const loaded = useLoad(() => ask(api.GET("/api/v1/webhooks")), []);

    return (
        <>
            <Heading title={w.title} sub={w.lead}>
                <button type="button" class="primary" onClick={() => go(`${PATH}/new`)}>
                    <Icon name="plus" />{w.add}</button>
            </Heading>
            <Shown loaded={loaded}>
                {(hooks) => hooks.length === 0 ? <Empty icon="move" title={w.none} /> : (
                    <div class="card list-card">
                        <Table caption={w.title} rows={hooks} id={(hook) => hook.webhook_id} columns={[
                            { title: w.url, cell: (hook) => (
                                <span><a class="row-link" href={href(pathOf(hook.webhook_id))}>{hook.url}</a>
                                    {hook.description && <small class="line">{hook.description}</small>}</span>
                            ) },
                            { title: w.events, cell: eventsOf },
                            { title: w.status, cell: (hook) => <Status hook={hook} /> },
                        ]} />
                    </div>
                )}
            </Shown>
        </>
    );
}

function eventsOf(hook: Webhook): string {
    const w = apiWords.value.hooks;

    return hook.events.includes("*") ? w.allNow : w.count(hook.events.length);
}

function Status({ hook }: { hook: Webhook }) {
    const w = apiWords.value.hooks;

    if (hook.status === "disabled")
        return <span class="chip no_show">{hook.disabled_reason === null ? w.disabled
            : w.reasons[hook.disabled_reason] ?? w.disabled}</span>;
    if (hook.failing_since !== null)
        return <span class="chip checked_in">{w.failing(hook.failures, shownInstant(hook.failing_since, zone()))}</span>;
    return <span class="chip in_consultation">{w.enabled}</span>;
}

/* ---- add, edit ---------------------------------------------------------------- */

type HookValues = BranchesValues & {
    url: string; description: string; all: string; events: string[]; signature: string; secret: string;
};

function valuesOf(hook?: Webhook): HookValues {
    const all = hook === undefined || hook.events.includes("*");

    return {
        url: hook?.url ?? "", description: hook?.description ?? "", all: all ? "all" : "some",
        events: all ? [] : hook.events, signature: "made", secret: "",
        ...branchesValues(hook?.branch_ids),
    };
}

function Fields({ hook, onSaved, onStale }: {
    hook?: Webhook; onSaved?: (now: Webhook) => void; onStale?: () => Promise<Webhook>;
}) {
    const w = apiWords.value.hooks;
    const form = useVersioned({ row: hook, valuesOf, read: onStale,
        draft: `webhook/${hook?.webhook_id ?? "new"}` });
    const [made, setMade] = useState<Schemas["WebhookWithSecret"] | null>(null);
    const v = form.values;
    const back = hook ? { href: href(pathOf(hook.webhook_id)), text: hook.url }
        : { href: href(PATH), text: w.back };
    const events = (v.all === "all" ? ["*"] : v.events) as EventName[];
    const branch_ids = branchIds(v);
    const create = () => {
        const body: Schemas["WebhookRequest"] = {
            url: v.url.trim(), description: v.description.trim() || null, events, branch_ids,
            ...(v.signature === "none" ? { signed: false } : {}),
            ...(v.signature === "own" ? { secret: v.secret.trim() } : {}),
        };

        return form.submit(body, async (key) => {
            const now = await ask(api.POST("/api/v1/webhooks", { body, ...once(key) }));

            toast(w.saved(now.url));
            if (now.secret === null || v.signature === "own")
                go(pathOf(now.webhook_id));
            else
                setMade(now);
        });
    };
    const update = (id: string) => {
        const has = (...names: string[]) => names.some((name) => name in form.changed);
        const body: Schemas["WebhookChange"] = {
            ...(has("url") ? { url: v.url.trim() } : {}),
            ...(has("description") ? { description: v.description.trim() || null } : {}),
            ...(has("all", "events") ? { events } : {}),
            ...(has("all_branches", "branch_ids") ? { branch_ids } : {}),
        };

        return form.change(body, async (headers) => onSaved?.(await ask(
            api.PATCH("/api/v1/webhooks/{webhook_id}",
                { params: { path: { webhook_id: id } }, body, ...headers }))));
    };

    return (
        <>
            <Heading back={back} title={hook ? settingsWords.value.edit : w.add} />
            <form class="card" onSubmit={(event) => {
                event.preventDefault();
                void (hook ? update(hook.webhook_id) : create());
            }}>
                <TextField label={w.url} hint={w.urlHint} type="url" required autocomplete="off"
                    placeholder="https://" {...form.text("url")} />
                <TextField label={w.description} optional autocomplete="off" {...form.text("description")} />
                <RadioField label={w.events} {...form.text("all")} choices={[
                    { value: "all", label: w.all }, { value: "some", label: w.some }]} />
                {v.all === "some" && (
                    <ChecksField quiet label={w.some} {...form.list("events")} choices={EVENTS.map((name) =>
                        ({ value: name, label: w.eventNames[name], hint: name }))} />
                )}
                <BranchesField hint={w.branchesHint} form={form} />
                {!hook && (
                    <RadioField label={w.signature} {...form.text("signature")}
                        choices={(["made", "own", "none"] as const).map((value) =>
                            ({ value, label: w.signatures[value], hint: w.signaturesHint[value] }))} />
                )}
                {!hook && v.signature === "own" && (
                    <TextField label={w.ownSecret} required spellcheck={false} autocomplete="off"
                        {...form.text("secret")} />
                )}
                <FormError error={form.error} />
                {form.stale && <p class="draft">{settingsWords.value.stale}</p>}
                <div class="buttons sticky">
                    <a class="button" href={back.href} onClick={form.discard}>{words.value.common.cancel}</a>
                    <button type="submit" class="primary" aria-disabled={form.busy}>
                        {hook ? words.value.common.save : w.save}</button>
                </div>
            </form>
            {made && (
                <SecretOnce title={w.created} fields={[{ label: w.secret, text: made.secret ?? "" }]}
                    onClose={() => go(pathOf(made.webhook_id))} />
            )}
        </>
    );
}

/* ---- one of them ---------------------------------------------------------------- */

function One({ id, editing }: { id: string; editing: boolean }) {
    const at = { params: { path: { webhook_id: id } } };
    const read = () => ask(api.GET("/api/v1/webhooks/{webhook_id}", at));
    const loaded = useLoad(read, [id]);

    return (
        <Shown loaded={loaded}>
            {(hook) => editing
                ? <Fields hook={hook} onStale={read} onSaved={(now) => {
                    loaded.set(now);
                    toast(settingsWords.value.saved);
                    go(pathOf(id));
                }} />
                : <Read hook={hook} onChanged={loaded.reload} />}
        </Shown>
    );
}

type Asking = "rotate" | "enable" | "disable" | "replay" | "remove";

function Read({ hook, onChanged }: { hook: Webhook; onChanged: () => void }) {
    const w = apiWords.value.hooks;
    const s = settingsWords.value;
    const at = { params: { path: { webhook_id: hook.webhook_id } } };
    const [asking, setAsking] = useState<Asking | null>(null);
    const [secret, setSecret] = useState<string | null>(null);
    const [news, setNews] = useState(0);
    const [since, setSince] = useState({ date: wall(new Date(), zone()).slice(0, 10), time: "00:00" });
    const changed = () => {
        setNews((n) => n + 1);
        onChanged();
    };
    const close = () => setAsking(null);
    const ping = async () => {
        try {
            await ask(api.POST("/api/v1/webhooks/{webhook_id}/ping", at));
            toast(w.pinged);
            changed();
        } catch (error) {
            toastError(error);
        }
    };

    return (
        <>
            <Heading back={{ href: href(PATH), text: w.back }} title={hook.description ?? hook.url}
                sub={hook.description === null ? undefined : hook.url}>
                <Status hook={hook} />
            </Heading>
            <div class="deeds">
                <button type="button" onClick={() => void ping()}>{w.ping}</button>
                <button type="button" onClick={() => setAsking("replay")}>{w.replay}</button>
                <button type="button" onClick={() => setAsking("rotate")}>{w.rotate}</button>
                {hook.status === "disabled"
                    ? <button type="button" class="primary" onClick={() => setAsking("enable")}>{w.enable}</button>
                    : <button type="button" onClick={() => setAsking("disable")}>{w.disable}</button>}
                <a class="button" href={href(pathOf(hook.webhook_id, "/edit"))}>{s.edit}</a>
                <button type="button" class="danger" onClick={() => setAsking("remove")}>{w.remove}</button>
            </div>
            <dl class="card facts-row">
                <div><dt>{w.events}</dt><dd>{hook.events.includes("*") ? w.allNow
                    : hook.events.map((name) => w.eventNames[name] ?? name).join(", ")}</dd></div>
                <div><dt>{s.branches}</dt><dd>{hook.branch_ids?.join(", ") ?? s.allBranches}</dd></div>
                <div><dt>{w.signed}</dt><dd>{hook.signed ? s.yes : s.no}</dd></div>
                <div><dt>{w.createdAt}</dt><dd>{shownInstant(hook.created_at, zone())}</dd></div>
            </dl>
            <Deliveries hook={hook} news={news} />
            {asking === "rotate" && (
                <Confirm title={w.rotateTitle} yes={w.rotate} onClose={close} onYes={async (key) => {
                    const now = await ask(api.POST("/api/v1/webhooks/{webhook_id}/rotate-secret",
                        { ...at, body: {}, ...once(key) }));

                    setSecret(now.secret);
                    changed();
                }}><p>{w.rotateText}</p></Confirm>
            )}
            {(asking === "enable" || asking === "disable") && (
                <Confirm title={w[`${asking}Title`]} yes={w[asking]} danger={asking === "disable"}
                    onClose={close} onYes={async (key) => {
                        await (asking === "enable"
                            ? ask(api.POST("/api/v1/webhooks/{webhook_id}/enable", { ...at, ...once(key) }))
                            : ask(api.PATCH("/api/v1/webhooks/{webhook_id}",
                                { ...at, body: { status: "disabled" }, ...once(key) })));
                        changed();
                    }}><p>{w[`${asking}Text`]}</p></Confirm>
            )}
            {asking === "replay" && (
                <Confirm title={w.replayTitle} yes={w.replay} onClose={close} onYes={async (key) => {
                    const { queued } = await ask(api.POST("/api/v1/webhooks/{webhook_id}/replay", {
                        params: { ...at.params, query: { since: instantOf(`${since.date}T${since.time}`, zone()) } },
                        ...once(key),
                    }));

                    toast(w.replayed(queued));
                    changed();
                }}>
                    <p>{w.replayText}</p>
                    <div class="fields">
                        <TextField label={words.value.common.date} type="date" required value={since.date}
                            onValue={(date) => setSince({ ...since, date })} />
                        <TextField label={words.value.common.time} type="time" required value={since.time}
                            onValue={(time) => setSince({ ...since, time })} />
                    </div>
                </Confirm>
            )}
            {asking === "remove" && (
                <Confirm title={w.removeTitle} yes={w.remove} danger onClose={close} onYes={async () => {
                    await ask(api.DELETE("/api/v1/webhooks/{webhook_id}", at));
                    toast(w.removed);
                    go(PATH);
                }}><p>{w.removeText(hook.url)}</p></Confirm>
            )}
            {secret !== null && (
                <SecretOnce title={w.rotated} fields={[{ label: w.secret, text: secret }]}
                    onClose={() => setSecret(null)} />
            )}
        </>
    );
}

/* ---- deliveries ------------------------------------------------------------------- */

const STATES: State[] = ["pending", "in_flight", "delivered", "dead", "held"];
const STATE_CLASS: Record<State, string> = {
    pending: "booked", in_flight: "booked", delivered: "in_consultation", dead: "no_show",
    held: "checked_in",
};
const PER_PAGE = 20;
const LOOK_MS = 1500;
const LOOKS = 20;

/* What is under way is looked at again for a while. */
function Deliveries({ hook, news }: { hook: Webhook; news: number }) {
    const w = apiWords.value.hooks;
    const [state, setState] = useState<State | "">("");
    const [pages, setPages] = useState(1);
    const [looks, setLooks] = useState(0);
    const loaded = useLoad(async () => {
        const got = await Promise.all(Array.from({ length: pages }, (_, n) =>
            askPage(api.GET("/api/v1/webhooks/{webhook_id}/deliveries", { params: {
                path: { webhook_id: hook.webhook_id },
                query: { state: state || undefined, page: n + 1, per_page: PER_PAGE },
            } }))));

        return { rows: got.flatMap(({ rows }) => rows), total: got[0].total };
    }, [hook.webhook_id, state]);
    const underWay = loaded.data?.rows.some((d) => d.state === "in_flight"
        || (d.state === "pending" && d.attempts === 0)) ?? false;

    useEffect(() => {
        if (news > 0 || pages > 1) {
            setLooks(0);
            loaded.reload();
        }
    }, [news, pages]);
    useEffect(() => {
        if (!underWay || looks >= LOOKS || loaded.loading)
            return undefined;
        const timer = setTimeout(() => {
            setLooks(looks + 1);
            loaded.reload();
        }, LOOK_MS);

        return () => clearTimeout(timer);
    }, [underWay, looks, loaded.loading]);
    const again = async (delivery: Delivery) => {
        try {
            await ask(api.POST("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
                { params: { path: { webhook_id: hook.webhook_id, delivery_id: delivery.delivery_id } } }));
            toast(w.redelivered);
            setLooks(0);
            loaded.reload();
        } catch (error) {
            toastError(error);
        }
    };

    return (
        <section class="card deliveries" aria-labelledby="deliveries">
            <header>
                <h2 id="deliveries">{w.deliveries}</h2>
                <SelectField label={w.status} value={state} onValue={(to) => {
                    setPages(1);
                    setState(to as State | "");
                }} choices={[{ value: "", label: w.anyState }, ...STATES.map((value) =>
                    ({ value, label: w.states[value] }))]} />
            </header>
            <Shown loaded={loaded}>
                {({ rows, total }) => rows.length === 0 ? <Empty icon="move" title={w.noDeliveries} /> : (
                    <>
                        <ul>{rows.map((delivery) => (
                            <DeliveryRow key={delivery.delivery_id} delivery={delivery} onAgain={() => again(delivery)} />
                        ))}</ul>
                        {rows.length < total && (
                            <p class="more"><button type="button" onClick={() => setPages(pages + 1)}>
                                {settingsWords.value.more}</button></p>
                        )}
                    </>
                )}
            </Shown>
        </section>
    );
}

/* DD/MM/YYYY HH:MM:SS. */
function toTheSecond(instant: string): string {
    const at = wall(instant, zone());

    return `${shown(at.slice(0, 10))} ${at.slice(11)}`;
}

function DeliveryRow({ delivery, onAgain }: { delivery: Delivery; onAgain: () => Promise<void> }) {
    const w = apiWords.value.hooks;
    const last = delivery.attempt_log[delivery.attempt_log.length - 1];

    return (
        <li>
            <details>
                <summary>
                    <span class={`chip ${STATE_CLASS[delivery.state]}`}>{w.states[delivery.state]}</span>
                    <span class="what"><strong>{w.eventNames[delivery.event] ?? delivery.event}</strong>
                        <small>{delivery.event}</small></span>
                    <span class="when"><span class="number">{toTheSecond(delivery.created_at)}</span>
                        <small>{[w.attempts(delivery.attempts), last && (last.status ?? w.noAnswer),
                            delivery.state === "pending" && delivery.attempts > 0
                                && delivery.next_attempt_at && w.nextAt(toTheSecond(delivery.next_attempt_at))]
                            .filter(Boolean).join(" · ")}</small></span>
                    <Icon name="down" />
                </summary>
                <div class="attempts">
                    <p class="muted">{w.eventId} <code>{delivery.event_id}</code> · {w.deliveryId}{" "}
                        <code>{delivery.delivery_id}</code></p>
                    {delivery.attempt_log.length > 0 && (
                        <Table caption={w.attempts(delivery.attempts)} rows={delivery.attempt_log}
                            id={(attempt) => attempt.at} columns={[
                                { title: w.at, class: "number", cell: (a) => toTheSecond(a.at) },
                                { title: w.answer, cell: (a) => (
                                    <span><strong>{a.status ?? w.noAnswer}</strong>
                                        {(a.error ?? a.answer) && <code class="answer">{a.error ?? a.answer}</code>}
                                    </span>
                                ) },
                                { title: w.took, class: "number", cell: (a) =>
                                    a.duration_ms === null ? "" : w.ms(a.duration_ms) },
                            ]} />
                    )}
                    <button type="button" class="small" onClick={() => void onAgain()}>{w.redeliver}</button>
                </div>
            </details>
        </li>
    );
}
