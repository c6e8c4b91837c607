/*
 * html.ts
 *		Makes elements. Text is always text: nothing that was read becomes
 *		markup.
 */
export type Child = Node | string | null | undefined | Child[];

/* An element with attributes ("" for one without a value) and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
    name: K,
    attributes: Record<string, string> = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(name);

    for (const [attribute, value] of Object.entries(attributes))
        element.setAttribute(attribute, value);
    add(element, children);
    return element;
}

function add(element: Element, children: Child[]): void {
    for (const child of children) {
        if (Array.isArray(child))
            add(element, child);
        else if (child !== null && child !== undefined)
            element.append(child);
    }
}

/* The element of the page with that id. */
export function byId<T extends HTMLElement>(id: string): T {
    return document.getElementById(id) as T;
}
