/*
 * docs.ts
 *		The REST reference: every call of the gateway's own OpenAPI document, to
 *		read and to try, the events that webhooks are told, and the objects.
 *
 *		Nothing is asked of any other host. What is closed costs nothing: a
 *		call's form and tables are made when it is opened.
 */
import { details } from "./call";
import { allCalls, readDocument, type Call, type OpenApi, type Schema } from "./document";
import { byId, make, type Child } from "./html";
import { json, members } from "./schema";
import { demoClient, offerTokens } from "./token";
import "./docs.css";

/* A part of the page that is filled once it is opened. */
function folded(kind: string, id: string, summary: Child[], fill: () => HTMLElement): HTMLDetailsElement {
    const element = make("details", { class: kind, id }, make("summary", {}, summary));

    element.addEventListener("toggle", () => {
        if (element.open && element.childElementCount === 1)
            element.append(fill());
    });
    return element;
}

function showCall(call: Call): HTMLElement {
    const element = folded("call", call.operation.operationId, [
        make("span", { class: "method" }, call.method), " ",
        make("span", { class: "path" }, call.path),
        make("span", { class: "said" }, call.operation.summary),
    ], () => details(call));

    element.dataset.words = [call.method, call.path, call.operation.summary,
        call.operation.operationId].join(" ").toLowerCase();
    return element;
}

function showObject(name: string, schema: Schema): HTMLElement {
    return folded("thing", `object-${name}`, [make("code", {}, name)], () =>
        make("div", {}, members(schema), schema.examples?.[0] === undefined ? null
            : [make("h3", {}, "For example"), json(schema.examples[0])]));
}

function topic(title: string, about: string, parts: HTMLElement[]): HTMLElement {
    return make("section", { class: "topic" }, make("h2", {}, title),
        make("p", { class: "muted" }, about), parts);
}

function show(document_: OpenApi): void {
    const calls = allCalls(document_);

    byId("about").replaceChildren(document_.info.description.replace(/`/g, ""),
        " For programs: ", make("a", { href: "api/v1/openapi.json" }, "openapi.json"), ".");
    byId("topics").replaceChildren(
        ...document_.tags.map((tag) => topic(tag.name, tag.description, calls
            .filter((call) => call.operation.tags.includes(tag.name)).map(showCall))),
        topic("Events", "What a webhook is told: a POST to its address.",
            Object.entries(document_.webhooks).map(([name, { post }]) =>
                folded("thing", `event-${name}`, [make("code", {}, name),
                    make("span", { class: "said" }, post.summary)],
                () => make("div", {}, members(Object.values(post.requestBody!.content)[0].schema))))),
        topic("Objects", "What bodies and answers are made of.",
            Object.entries(document_.components.schemas).map(([name, schema]) =>
                showObject(name, schema))));
}

/* Shows the calls in which all the words occur. */
function find(): void {
    const words = byId<HTMLInputElement>("find").value.toLowerCase().split(/\s+/);
    let count = 0;

    for (const call of document.querySelectorAll<HTMLElement>(".call")) {
        call.hidden = !words.every((word) => call.dataset.words!.includes(word));
        count += call.hidden ? 0 : 1;
    }
    for (const section of document.querySelectorAll<HTMLElement>(".topic"))
        section.hidden = words.join("") !== ""
            && section.querySelector(".call:not([hidden])") === null;
    byId("found").textContent = words.join("") === "" ? "" : `${count} found`;
}

/* Opens what the address names. */
function openNamed(): void {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));

    if (named instanceof HTMLDetailsElement) {
        named.open = true;
        named.scrollIntoView();
    }
}

/* All of it appears at once, so that nothing moves under the reader's eyes. */
Promise.all([readDocument(), demoClient()]).then(([read, client]) => {
    show(read);
    offerTokens(client);
    byId("find").addEventListener("input", find);
    addEventListener("hashchange", openNamed);
    byId("page").hidden = false;
    openNamed();
}).catch((error: Error) => {
    byId("about").setAttribute("role", "alert");
    byId("about").textContent = `${error.message}. Reload the page to try again.`;
});
