/*
 * settings-boards.tsx
 *		Settings > Queue boards: the waiting rooms' televisions, each with a
 *		token of its own that is shown once and can be revoked.
 */
import { useState } from "preact/hooks";
import { api, ask, askAll, base, once, type Schemas } from "../api";
import { branch, branches } from "../clinic";
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { messageWords } from "../i18n/messages";
import { Confirm, SecretOnce } from "../parts/ask";
import { Dialog } from "../parts/dialog";
import { FormError, SelectField, TextField } from "../parts/field";
import { useForm } from "../parts/form";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icon";
import { useLoad } from "../parts/load";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { shownInstant } from "../time";

type Board = Schemas["Board"];
type Made = Schemas["BoardWithToken"];

export function Boards() {
    const w = messageWords.value.boards;
    const loaded = useLoad<Board[]>(() => askAll((page) =>
        api.GET("/api/v1/boards", { params: { query: page } })), []);
    const [adding, setAdding] = useState(false);
    const [made, setMade] = useState<Made | null>(null);
    const [revoking, setRevoking] = useState<Board | null>(null);
    const zone = branch.value?.time_zone ?? "UTC";

    return (
        <>
            <Heading title={w.title} sub={w.lead}>
                <button type="button" class="primary" onClick={() => setAdding(true)}><Icon name="plus" />{w.add}</button>
            </Heading>
            <Shown loaded={loaded}>
                {(rows) => rows.length === 0 ? <Empty icon="today" title={w.none} /> : (
                    <div class="card list-card">
                        <Table caption={w.title} rows={rows} id={(row) => row.board_id} columns={[
                            { title: w.name, cell: (row) => <strong>{row.name}</strong> },
                            { title: words.value.common.branch, cell: (row) => branches.value.find((b) =>
                                b.branch_id === row.branch_id)?.name ?? row.branch_id },
                            { title: w.seen, class: "number", cell: (row) => row.last_seen_at
                                ? shownInstant(row.last_seen_at, zone) : w.never },
                            { title: clinicWords.value.status, class: "end", cell: (row) => row.revoked_at
                                ? <span class="chip no_show">{w.revoked}</span>
                                : <button type="button" class="small danger" onClick={() => setRevoking(row)}>
                                    {w.revoke}<span class="hidden"> {row.name}</span></button> },
                        ]} />
                    </div>
                )}
            </Shown>
            {adding && <Add onClose={() => setAdding(false)} onMade={(board) => {
                setAdding(false);
                setMade(board);
                loaded.reload();
            }} />}
            {made && <SecretOnce title={w.made(made.name)} onClose={() => setMade(null)} fields={[{
                label: w.link, text: `${location.origin}${base}/board/${made.branch_id}#${made.board_token}` }]} />}
            {revoking && (
                <Confirm title={w.revokeTitle(revoking.name)} yes={w.revoke} danger onClose={() => setRevoking(null)}
                    onYes={async () => {
                        await ask(api.DELETE("/api/v1/boards/{board_id}",
                            { params: { path: { board_id: revoking.board_id } } }));
                        loaded.reload();
                    }}><p>{w.revokeText}</p></Confirm>
            )}
        </>
    );
}

function Add({ onClose, onMade }: { onClose: () => void; onMade: (board: Made) => void }) {
    const w = messageWords.value.boards;
    const form = useForm({ name: "", branch_id: branch.value?.branch_id ?? "" });
    const save = () => form.submit(form.values, async (key) =>
        onMade(await ask(api.POST("/api/v1/boards", { body: { ...form.values }, ...once(key) }))));

    return (
        <Dialog title={w.add} onClose={onClose}>
            <form onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <TextField label={w.name} required autocomplete="off" {...form.text("name")} />
                <SelectField label={words.value.common.branch} {...form.text("branch_id")}
                    choices={branches.value.map((b) => ({ value: b.branch_id, label: b.name }))} />
                <FormError error={form.error} />
                <div class="buttons">
                    <button type="button" onClick={onClose}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{w.add}</button>
                </div>
            </form>
        </Dialog>
    );
}
