/*
 * history.tsx
 *		What was done to an account or a program and by whom, newest first.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { branch } from "../clinic";
import { historyWords } from "../i18n/history";
import { settingsWords } from "../i18n/settings";
import { shownInstant } from "../time";
import { useLoad } from "./load";
import { Empty, Shown } from "./states";
import { Table } from "./table";

export interface Entry {
    at: string;
    action: string;
    actor: string;
    address?: string | null;
    detail: string | null;
}

const PER_PAGE = 20;

/* staff:asha, client:cl_… and role:postgres in words. */
export function actorName(actor: string): string {
    const w = historyWords.value;
    const colon = actor.indexOf(":");

    if (actor === "patient link")
        return w.byLink;
    const name = actor.slice(colon + 1);

    switch (actor.slice(0, colon)) {
    case "client": return w.byClient(name);
    case "role": return w.byRole(name);
    default: return name;
    }
}

function changesOf(detail: string | null, names: Record<string, string>): string {
    return (detail ?? "").split(", ").filter(Boolean).map((name) => names[name] ?? name).join(", ");
}

/*
 * Read again with every version of what it is the history of. actions and
 * members name what was done and to what; self is the actor that it is itself,
 * and how that is said.
 */
export function History({ of, version, read, actions, members, self }: {
    of: string; version: number;
    read: (page: { page: number; per_page: number }) => Promise<{ rows: Entry[]; total: number }>;
    actions: Record<string, string>; members: Record<string, string>;
    self: { actor: string; name: string };
}) {
    const w = historyWords.value;
    const zone = branch.value?.time_zone ?? "UTC";
    const [pages, setPages] = useState(1);
    const loaded = useLoad(async () => {
        const got = await Promise.all(Array.from({ length: pages }, (_, n) =>
            read({ page: n + 1, per_page: PER_PAGE })));

        return { rows: got.flatMap(({ rows }) => rows), total: got[0].total };
    }, [of]);
    const first = useRef(true);

    useEffect(() => {
        if (!first.current)
            loaded.reload();
        first.current = false;
    }, [version, pages]);
    return (
        <section class="card history" aria-labelledby="history">
            <h2 id="history">{w.title}</h2>
            <Shown loaded={loaded}>
                {({ rows, total }) => rows.length === 0 ? <Empty icon="clock" title={w.none} /> : (
                    <>
                        <Table caption={w.title} rows={rows} id={(e) => `${rows.indexOf(e)}`} columns={[
                            { title: w.when, class: "number", cell: (e) => shownInstant(e.at, zone) },
                            { title: w.what, cell: (e) => (
                                <span>{actions[e.action] ?? e.action}
                                    {e.detail && <small class="line">{changesOf(e.detail, members)}</small>}</span>
                            ) },
                            { title: w.by, cell: (e) => (
                                <span>{e.actor === self.actor ? self.name : actorName(e.actor)}
                                    {e.address && <small class="line">{e.address}</small>}</span>
                            ) },
                        ]} />
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
