/*
 * checks.js
 *		What axe cannot see of a page of the clinic's: whether it fits the
 *		screen, a telephone's too, and breaks no word, whether each target is
 *		large enough, whether the focus shows.
 *		Findings go to seen.checks, a line each.
 */
import { judgeBoth, options, patience, seen, until } from "./desk.js";

seen.checks = [];

/* WCAG 2.2, 2.5.8: 24 px each way, but for links within a sentence. */
async function targets(page, where) {
    const small = await page.evaluate(() => [...document.querySelectorAll(
        "a[href], button, select, input, textarea, summary, [tabindex='0']")].filter((element) => {
        const box = element.getBoundingClientRect();
        const label = element.labels?.[0]?.getBoundingClientRect();
        const isText = element.matches("p a, dd a, small a");

        return element.checkVisibility() && box.width > 1 && !isText && !element.matches(".skip")
            && (box.width < 24 || box.height < 24) && !(label && label.height >= 24
                && element.matches("[type=checkbox], [type=radio]"));
    }).map((element) => element.outerHTML.slice(0, 120)));

    small.forEach((one) => seen.checks.push(`${where}: too small: ${one}`));
}

/* Once the layout has come to rest after the viewport changed. */
async function width(page, where) {
    const measure = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    let wide = await measure();

    for (const end = Date.now() + patience(2000); Date.now() < end && wide > 0;) {
        await page.waitForTimeout(50);
        wide = await measure();
    }
    if (wide > 0)
        seen.checks.push(`${where}: ${wide} px too wide`);
}

/* What a list's card cuts off at its edge, and words that are broken in two. */
async function squeezed(page, where) {
    const found = await page.evaluate(() => {
        const broken = new Set();
        const range = document.createRange();

        for (const card of document.querySelectorAll(".list-card")) {
            const more = Math.round(card.firstElementChild.getBoundingClientRect().right
                - card.getBoundingClientRect().right);

            if (more > 0)
                broken.add(`${more} px are cut off`);
        }
        for (const box of document.querySelectorAll("td, th, h1, h2, h3, button, label, dt")) {
            const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);

            while (box.checkVisibility() && walker.nextNode()) {
                for (const { index, 0: word } of walker.currentNode.data.matchAll(/(?<!\S)[\p{L}\p{M}:]{2,24}[.,;!?)]?(?!\S)/gu)) {
                    range.setStart(walker.currentNode, index);
                    range.setEnd(walker.currentNode, index + word.length);
                    const [first, ...others] = [...range.getClientRects()];

                    if (first && others.some(({ top }) => top > first.top + first.height / 2))
                        broken.add(`broken: ${word}`);
                }
            }
        }
        return [...broken];
    });

    found.forEach((one) => seen.checks.push(`${where}: ${one}`));
}

/* Each step of the Tab key shows where it went (2.4.7), and is not covered. */
async function focus(page, where, steps = 12) {
    for (let i = 0; i < steps; i++) {
        await page.keyboard.press("Tab");
        const hidden = await page.evaluate(() => {
            const element = document.activeElement;
            const style = getComputedStyle(element);

            return element === document.body || element.matches(".skip") ? ""
                : style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2
                    ? element.outerHTML.slice(0, 120) : "";
        });

        if (hidden !== "")
            seen.checks.push(`${where}: the focus does not show: ${hidden}`);
    }
}

/* The page as it is now: axe in both themes, at a desk and on a telephone. */
export async function check(page, where) {
    const size = page.viewportSize();

    await judgeBoth(page, where);
    await targets(page, where);
    await width(page, where);
    await squeezed(page, where);
    await focus(page, where);
    if (options.shots)
        await page.screenshot({ path: `${options.shots}/${where}.png`, fullPage: true });
    await page.setViewportSize({ width: 360, height: 780 });
    /* The focus has scrolled it: half a line under the bar is no small target. */
    await page.evaluate(() => scrollTo(0, 0));
    await until(page, () => innerWidth === 360);
    await page.waitForTimeout(100);
    await width(page, `${where} at 360 px`);
    await targets(page, `${where} at 360 px`);
    await squeezed(page, `${where} at 360 px`);
    await judgeBoth(page, `${where} at 360 px`);
    if (options.shots) {
        await page.emulateMedia({ colorScheme: "dark" });
        await page.screenshot({ path: `${options.shots}/${where}-360.png` });
        await page.emulateMedia({ colorScheme: "light" });
    }
    await page.setViewportSize(size);
}

/* Keeps what the page asks with a method other than GET, but for the sign-in. */
export function listen(page) {
    const sent = [];

    /* The browser tells the body of a request that could be stopped, no other's. */
    void page.route("**/api/v1/auth/session", (route) => route.fallback());
    page.on("request", (request) => {
        if (request.method() !== "GET" && /\/api\/v1\/(?!auth\/)/.test(request.url()))
            sent.push({
                method: request.method(),
                path: new URL(request.url()).pathname.replace(/^\/api\/v1/, ""),
                body: request.postDataJSON(),
                match: request.headers()["if-match"] ?? null,
                key: request.headers()["idempotency-key"] ?? null,
            });
    });
    return sent;
}

/* Has the server do what is asked next, and loses its answer. */
export async function loseAnswer(page, method, path) {
    let lost = false;

    await page.route((url) => url.pathname === path, async (route) => {
        if (lost || route.request().method() !== method)
            return route.continue();
        lost = true;
        await route.fetch();
        return route.abort("connectionreset");
    });
}

/* The API itself, as another program uses it. */
export async function call(method, path, body, headers = {}) {
    const answer = await fetch(`${options.url}/api/v1${path}`, {
        method, body: body === undefined ? undefined : JSON.stringify(body),
        headers: {
            Authorization: `Bearer ${options.token}`, "Content-Type": "application/json", ...headers,
        },
    });

    if (!answer.ok)
        throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
}

/* All that is on paper after a click that prints a slip. */
export async function printed(page, button) {
    const slip = page.locator(".slip");

    await page.evaluate(() => {
        globalThis.print = () => document.body.setAttribute("data-sent", "");
    });
    await button.click();
    await slip.waitFor({ state: "attached" });
    await page.locator("body[data-sent]").waitFor();
    await page.emulateMedia({ media: "print" });
    const text = await page.locator("body").innerText();

    await page.emulateMedia({ media: null });
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await slip.waitFor({ state: "detached" });
    return text;
}
