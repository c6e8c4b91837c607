/*
 * call.ts
 *		One call: what it takes and answers, and a form that sends it. What it
 *		needs is filled in, so that it works at the first click: dates lie three
 *		weeks ahead, ids are those that came in an answer before.
 */
import { parametersOf, resolve, type Answer, type Call, type Parameter, type Schema } from "./document";
import { make, type Child } from "./html";
import { members, typeOf, wordsOf } from "./schema";
import { authorization } from "./token";

const AHEAD_DAYS = 21;

/* By the member's name: what the last answer with one had. */
const seen: Record<string, string> = {};

/* The days of examples, moved to some that are to come. */
function toCome(text: string): string {
    const days = [...new Set(text.match(/\d{4}-\d\d-\d\d/g) ?? [])].sort();

    if (days.length === 0)
        return text;
    const first = Date.parse(`${days[0]}T00:00Z`);
    return text.replace(/\d{4}-\d\d-\d\d/g, (day) => {
        const at = new Date();

        at.setDate(at.getDate() + AHEAD_DAYS
            + (Date.parse(`${day}T00:00Z`) - first) / 86400000);
        return [at.getFullYear(), at.getMonth() + 1, at.getDate()]
            .map((n) => String(n).padStart(2, "0")).join("-");
    });
}

function remember(body: unknown): void {
    const first = Array.isArray(body) ? body[0] : body;

    for (const [name, value] of Object.entries((first ?? {}) as object)) {
        if (name.endsWith("_id") && typeof value === "string")
            seen[name] = value;
    }
}

function startValue(parameter: Parameter): string {
    const example = parameter["x-try"] ?? parameter.example;

    if (parameter.in === "path" && seen[parameter.name] !== undefined)
        return seen[parameter.name];
    return example === undefined ? "" : toCome(String(example));
}

function control(parameter: Parameter, id: string): HTMLInputElement | HTMLSelectElement {
    const schema = parameter.schema;
    const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : undefined);
    const value = startValue(parameter);
    const attributes: Record<string, string> = { id, "data-name": parameter.name, "data-in": parameter.in };

    if (parameter.required)
        attributes.required = "";
    if (!choices)
        return make("input", { ...attributes, value });
    const select = make("select", attributes,
        parameter.required ? null : make("option", { value: "" }, "(not given)"),
        choices.map((choice) => make("option", {}, String(choice))));
    select.value = value;
    return select;
}

function field(parameter: Parameter, id: string): HTMLElement {
    const hint = `${id}-hint`;
    const input = control(parameter, id);

    input.setAttribute("aria-describedby", hint);
    return make("div", { class: "field" },
        make("label", { for: id }, parameter.name, parameter.required
            ? make("span", { class: "needed" }, " required") : null),
        input,
        make("span", { class: "hint", id: hint }, wordsOf(parameter.schema, parameter.description)));
}

function exampleBody(schema: Schema, type: string): string {
    const example = resolve(schema).examples?.[0] ?? {};

    if (type === "application/json")
        return toCome(JSON.stringify(example, null, 2));
    return new URLSearchParams(example as Record<string, string>).toString();
}

/* The address and what goes with it, as the form says. */
function request(call: Call, form: HTMLFormElement): [string, RequestInit] {
    const headers: Record<string, string> = authorization();
    const query = new URLSearchParams();
    let path = call.path;

    for (const input of form.querySelectorAll<HTMLInputElement>("[data-name]")) {
        const name = input.dataset.name as string;

        if (input.dataset.in === "path")
            path = path.replace(`{${name}}`, encodeURIComponent(input.value));
        else if (input.value !== "" && input.dataset.in === "query")
            query.append(name, input.value);
        else if (input.value !== "")
            headers[name] = input.value;
    }
    const body = form.querySelector("textarea");
    if (body)
        headers["Content-Type"] = body.dataset.type as string;
    const asked = query.toString();
    return [path.slice(1) + (asked === "" ? "" : `?${asked}`),
        { method: call.method, headers, body: body?.value }];
}

async function send(call: Call, form: HTMLFormElement, result: HTMLElement): Promise<void> {
    const [path, options] = request(call, form);
    const began = performance.now();
    const answer = await fetch(path, options);
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    let shown = text;

    if (/json/.test(answer.headers.get("content-type") ?? "")) {
        const body: unknown = JSON.parse(text);

        shown = JSON.stringify(body, null, 2);
        if (answer.ok)
            remember(body);
    }
    result.replaceChildren(
        make("p", { class: `status ${answer.ok ? "good" : "bad"}` },
            `${answer.status} ${answer.statusText}`),
        make("p", { class: "muted" }, `${call.method} /${path}, ${took} ms`),
        shown === "" ? make("p", {}, "Without a body.") : make("pre", { tabindex: "0" }, shown));
}

function tryForm(call: Call, id: string): HTMLElement {
    const body = Object.entries(call.operation.requestBody?.content ?? {})[0];
    const result = make("div", { role: "status", class: "result" });
    const form = make("form", { class: "try", autocomplete: "off" },
        make("h3", {}, "Try it out"),
        parametersOf(call.operation).map((p, n) => field(p, `${id}-${n}`)),
        body ? [
            make("p", {}, make("label", { for: `${id}-body` }, `Body, ${body[0]}`)),
            make("textarea", { id: `${id}-body`, "data-type": body[0], spellcheck: "false" },
                exampleBody(body[1].schema, body[0])),
        ] : null,
        make("p", {}, make("button", {}, "Send")));

    form.addEventListener("submit", (event) => {
        event.preventDefault();
        send(call, form, result).catch((error: Error) => {
            result.replaceChildren(make("p", { class: "status bad" }, `It could not be sent: ${error.message}`));
        });
    });
    return make("div", {}, form, result);
}

function answerRow(status: string, said: Answer): HTMLElement {
    const answer = resolve(said);
    const content = Object.values(answer.content ?? {})[0];
    const codes = Object.keys(content?.examples ?? {});

    return make("tr", {},
        make("td", {}, status),
        make("td", {}, answer.description,
            codes.length > 0 ? make("span", { class: "said" }, codes.join(", ")) : null),
        make("td", {}, content ? typeOf(content.schema) : "–"));
}

function scopes(call: Call): Child {
    const needed = call.operation.security.flatMap((way) => way.oauth2 ?? []);

    return needed.length === 0 ? null
        : make("p", { class: "muted" }, "Needs the scope ", make("code", {}, needed.join(" ")), ".");
}

/* Everything about the call below its summary. */
export function details(call: Call): HTMLElement {
    const id = `call-${call.operation.operationId}`;
    const body = Object.values(call.operation.requestBody?.content ?? {})[0];

    return make("div", {},
        call.operation.description ? make("p", { class: "about" }, call.operation.description) : null,
        scopes(call),
        tryForm(call, id),
        body ? [make("h3", {}, "What the body has"), members(body.schema)] : null,
        make("h3", {}, "Answers"),
        make("table", {},
            make("thead", {}, make("tr", {}, ["Status", "What it means", "Body"]
                .map((title) => make("th", { scope: "col" }, title)))),
            make("tbody", {}, Object.entries(call.operation.responses)
                .map(([status, answer]) => answerRow(status, answer)))));
}

