/*
 * schema.ts
 *		Shows what an object has, as a table.
 */
import { refName, resolve, type Schema } from "./document";
import { make, type Child } from "./html";

/* A link to the object that the schema names, its type otherwise. */
export function typeOf(schema: Schema): Child {
    const name = refName(schema);

    if (name !== undefined)
        return make("a", { href: `#object-${name}` }, name);
    if (schema.items)
        return ["list of ", typeOf(schema.items)];
    if (schema.const !== undefined)
        return make("code", {}, schema.const);
    const kinds = [schema.type ?? "any"].flat().map((kind) =>
        kind === "string" && schema.format ? schema.format : kind);
    return kinds.join(" or ");
}

function bounds(schema: Schema): string {
    const said = [];

    if (schema.enum)
        said.push(`one of ${schema.enum.filter((v) => v !== null).join(", ")}`);
    if (schema.minimum !== undefined || schema.maximum !== undefined)
        said.push(`from ${schema.minimum ?? "any"} to ${schema.maximum ?? "any"}`);
    if (schema.maxLength !== undefined)
        said.push(`at most ${schema.maxLength} characters`);
    if (schema.default !== undefined)
        said.push(`${String(schema.default)} unless given`);
    return said.join("; ");
}

/* What there is to say of a value beside its type. */
export function wordsOf(schema: Schema, description?: string): string {
    const about = description ?? schema.description ?? resolve(schema).description;

    return [about, bounds(schema)].filter(Boolean).join("; ");
}

function row(name: string, schema: Schema, required: boolean): HTMLElement {
    return make("tr", {},
        make("td", {}, make("code", {}, name), required
            ? make("span", { class: "needed" }, " required") : null),
        make("td", {}, typeOf(schema)),
        make("td", {}, wordsOf(schema)));
}

/* The members of an object; those of objects within, under their names. */
export function members(schema: Schema): HTMLElement {
    const rows: HTMLElement[] = [];
    const list = (of: Schema, before: string): void => {
        for (const [name, member] of Object.entries(of.properties ?? {})) {
            rows.push(row(before + name, member, of.required?.includes(name) ?? false));
            if (!member.$ref && member.properties)
                list(member, `${before}${name}.`);
            if (member.items?.properties)
                list(member.items, `${before}${name}[].`);
        }
    };

    list(resolve(schema), "");
    if (rows.length === 0)
        return make("p", {}, wordsOf(resolve(schema)) || "Any value.");
    return make("table", {},
        make("thead", {}, make("tr", {}, ...["Member", "Type", "What it is"]
            .map((title) => make("th", { scope: "col" }, title)))),
        make("tbody", {}, rows));
}

export function json(value: unknown): HTMLElement {
    return make("pre", {}, JSON.stringify(value, null, 2));
}
