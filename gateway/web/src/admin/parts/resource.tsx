/*
 * resource.tsx
 *		A list of what the clinic configured, with a dialog to add and change
 *		one: only changed fields are sent, for the version that was shown.
 */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { ApiError, Deed } from "../api";
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { settingsWords } from "../i18n/settings";
import { Confirm } from "./ask";
import { ChecksField } from "./choices";
import { Dialog } from "./dialog";
import { AreaField, CheckField, FormError, SelectField, TextField } from "./field";
import { toBody, useForm, type Value, type Values } from "./form";
import { Heading } from "./heading";
import { Icon } from "./icon";
import type { Loaded } from "./load";
import { Empty, Shown } from "./states";
import { Table, type Column } from "./table";
import { toast } from "./toast";

export interface Field {
    name: string;
    label: string;
    kind?: "text" | "area" | "number" | "check" | "select" | "date" | "time" | "tel" | "url" | "days";
    hint?: string;
    required?: boolean;
    /* Only when one is added. */
    fixed?: boolean;
    /* Only when one is changed. */
    later?: boolean;
    choices?: { value: string; label: string }[];
    begin?: Value;
    min?: number;
    max?: number;
}

type Body = Record<string, unknown>;

export interface Resource<Row> {
    /* Its name among drafts. */
    kind: string;
    add: string;
    none: string;
    caption: string;
    fields: Field[];
    columns: Column<Row>[];
    id: (row: Row) => string;
    name: (row: Row) => string;
    version: (row: Row) => number;
    create: (body: Body, key: string) => Promise<unknown>;
    update: (row: Row, body: Body, key: string) => Promise<unknown>;
    remove?: (row: Row) => Promise<unknown>;
    changed?: () => void;
    /* What the answer says of one that was saved all the same. */
    warnings?: (saved: Row) => string[];
    /* What adds one, in the place of the dialog that changes one. */
    adding?: (onClose: () => void, onChanged: () => void) => ComponentChildren;
    /* What stands below the fields, for what is typed. */
    after?: (values: Values) => ComponentChildren;
}

function valueOf(field: Field, row?: unknown): Value {
    const value = (row as Record<string, unknown> | undefined)?.[field.name];

    if (field.kind === "check")
        return (value ?? field.begin ?? true) as boolean;
    if (field.kind === "days")
        return (field.begin ?? []) as string[];
    return value === null || value === undefined ? (row ? "" : field.begin ?? "") : String(value);
}

/* What is sent: numbers as numbers. */
export function bodyOf(fields: Field[], values: Values): Body {
    const body = toBody(values);

    for (const { name, kind } of fields)
        if (kind === "number" && typeof body[name] === "string")
            body[name] = Number(body[name]);
    return body;
}

/* within: it is a part of a page that has a heading of its own. */
export function ResourceList<Row>({ of, loaded, title, sub, within }: {
    of: Resource<Row>; loaded: Loaded<Row[]>; title: string; sub?: string; within?: boolean;
}) {
    const s = settingsWords.value;
    const [editing, setEditing] = useState<Row | "new" | null>(null);
    const changed = () => {
        loaded.reload();
        of.changed?.();
    };

    return (
        <>
            <Heading title={title} sub={sub} within={within}>
                <button type="button" class="primary" onClick={() => setEditing("new")}>
                    <Icon name="plus" />{of.add}</button>
            </Heading>
            <Shown loaded={loaded}>
                {(rows) => rows.length === 0 ? <Empty title={of.none} icon="list" /> : (
                    <div class="card list-card">
                        <Table caption={of.caption} rows={rows} id={of.id} columns={[...of.columns, {
                            title: s.edit, class: "end", cell: (row) => (
                                <button type="button" class="small" onClick={() => setEditing(row)}>
                                    {s.edit}<span class="hidden"> {of.name(row)}</span></button>
                            ),
                        }]} />
                    </div>
                )}
            </Shown>
            {editing === "new" && of.adding ? of.adding(() => setEditing(null), changed) : editing !== null && (
                <ResourceDialog of={of} row={editing === "new" ? undefined : editing}
                    latest={(row) => loaded.data?.find((r) => of.id(r) === of.id(row)) ?? row}
                    onClose={() => setEditing(null)} onChanged={changed} />
            )}
        </>
    );
}

export function FieldOf({ field, form }: { field: Field; form: ReturnType<typeof useForm<Values>> }) {
    const { kind = "text", label, hint, required, name } = field;

    if (kind === "check")
        return <CheckField label={label} hint={hint} {...form.check(name)} />;
    if (kind === "select")
        return <SelectField label={label} hint={hint} choices={field.choices ?? []} {...form.text(name)} />;
    if (kind === "days")
        return <ChecksField label={label} hint={hint} choices={field.choices ?? []} {...form.list(name)} />;
    if (kind === "area")
        return <AreaField label={label} hint={hint} optional={!required} {...form.text(name)} />;
    return (
        <TextField label={label} hint={hint} type={kind} required={required} optional={!required}
            autocomplete="off" min={field.min} max={field.max} {...form.text(name)} />
    );
}

/* Adds one, or changes the one that is given. */
export function ResourceDialog<Row>({ of, row, latest, onClose, onChanged }: {
    of: Resource<Row>; row?: Row; latest?: (row: Row) => Row; onClose: () => void;
    onChanged: () => void;
}) {
    const w = clinicWords.value;
    const s = settingsWords.value;
    const fields = of.fields.filter((field) => !(row ? field.fixed : field.later));
    const valuesOf = (of?: Row) => Object.fromEntries(fields.map((field) => [field.name, valueOf(field, of)]));
    const form = useForm<Values>(valuesOf(row), `${of.kind}/${row ? of.id(row) : "new"}`);
    const now = row && latest ? latest(row) : row;
    /* The version that was refused, as somebody else was faster; and what is there now is read by then. */
    const [refused, setRefused] = useState<number>();
    const stale = refused !== undefined && now !== undefined && of.version(now) !== refused;
    const [asking, setAsking] = useState(false);
    const [deed] = useState(() => new Deed());
    const save = async () => {
        const body = bodyOf(fields, (row ? form.changed : form.values) as Values);

        if (row && !form.dirty) {
            onClose();
            return;
        }
        if (refused !== undefined && !stale) {
            onChanged();
            return;
        }
        setRefused(undefined);
        let warnings: string[] = [];
        const done = await form.submit({ body, version: now && of.version(now) }, async (key) => {
            try {
                const saved = await (now ? of.update(now, body, key) : of.create(body, key));

                warnings = of.warnings?.(saved as Row) ?? [];
            } catch (error) {
                if (error instanceof ApiError && error.status === 412) {
                    setRefused(now && of.version(now));
                    onChanged();
                }
                throw error;
            }
        });

        if (done) {
            toast([row ? w.savedOne(of.name(row)) : s.saved, ...warnings].join(" "));
            onChanged();
            onClose();
        }
    };

    /* In the frame that says so. */
    useLayoutEffect(() => {
        if (stale)
            form.rebase(valuesOf(now));
    }, [stale]);
    if (asking && row && of.remove) {
        const remove = of.remove;

        return (
            <Confirm title={w.deleteTitle(of.name(row))} yes={s.remove} danger onClose={() => setAsking(false)}
                onYes={async () => {
                    await remove(row);
                    deed.settled();
                    toast(w.deleted(of.name(row)));
                    onChanged();
                    onClose();
                }}><p>{w.deleteText}</p></Confirm>
        );
    }
    return (
        <Dialog title={row ? `${s.edit}: ${of.name(row)}` : of.add} onClose={onClose} wide>
            <form onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <div class="fields">
                    {fields.filter(({ kind }) => kind !== "check" && kind !== "days").map((field) =>
                        <FieldOf key={field.name} field={field} form={form} />)}
                </div>
                {fields.filter(({ kind }) => kind === "check" || kind === "days").map((field) =>
                    <FieldOf key={field.name} field={field} form={form} />)}
                {of.after?.(form.values)}
                <FormError error={form.error} />
                {stale && <p class="draft">{s.stale}</p>}
                <div class="buttons">
                    {row && of.remove && (
                        <button type="button" class="danger apart" onClick={() => setAsking(true)}>{s.remove}</button>
                    )}
                    <button type="button" onClick={() => {
                        form.discard();
                        onClose();
                    }}>{words.value.common.cancel}</button>
                    <button type="submit" class="primary" aria-disabled={form.busy}>{words.value.common.save}</button>
                </div>
            </form>
        </Dialog>
    );
}
