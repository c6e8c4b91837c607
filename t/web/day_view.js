/*
 * day_view.js {"url", "account", "password", "days", "slow", "cells", "pages"}
 *		How long a day of the calendar takes until it can be used: from the
 *		address in a browser that never showed a day, from the button for the next
 *		day, which the page has asked for by then if it had the time, from the one
 *		for the day before, which is asked for only then, from a link on the page of
 *		today, and from the address in another tab, on a processor that is "slow"
 *		times as slow. It can be used once all that is in sight of the day is there,
 *		and a click on a free slot opens the dialog. Beside it "plain": a copy of
 *		that page as it stands then, without its script, which nothing is asked for
 *		and whose dialog is ready. Of each wall and thread time of the page's main
 *		thread in ms, by kind; when all "cells" were there, also out of sight, and
 *		when the names were. "pages" is a directory with another admin.html,
 *		admin.css and admin/, as the build makes them.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { desk, options, run, seen, signedIn } from "./desk.js";

const KINDS = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];
/* Then the parts of the script that the page of today does not need are there, too. */
const LOADED_MS = 8000;
const PATIENCE_MS = 30000;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };

/*
 * Its window stays: a browser that opens one loads pages of its own for it (the
 * address bar's, a hundred scripts in Chromium 156), which is not ours to measure.
 */
async function signedInDesk() {
    const door = await desk({ viewport: { width: 1600, height: 900 } });

    await signedIn(door);
    await door.goto("about:blank");
    await door.waitForTimeout(2000);
    return door.context();
}

async function open(context, domain, rate) {
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);

    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    if (options.pages)
        await page.route(/\/admin(\/files\/.*|\/admin\.css.*)?$/, (route) => {
            const [, name = "admin.html"] = /\/admin\/([^?]*)/.exec(route.request().url()) ?? [];
            const file = name.replace("files/", "admin/");

            return route.fulfill({ body: readFileSync(`${options.pages}/${file}`),
                contentType: TYPES[file.split(".").at(-1)] });
        });
    await cdp.send("Performance.enable", { timeDomain: domain });
    await cdp.send("Emulation.setCPUThrottlingRate", { rate });
    return { page, cdp };
}

async function spent(cdp) {
    const { metrics } = await cdp.send("Performance.getMetrics");

    return Object.fromEntries(KINDS.map((kind) =>
        [kind, metrics.find((m) => m.name === kind).value * 1000]));
}

/*
 * Until a free slot of that day has the focus and the dialog is in front. In
 * sight, each head's column is full of cells: one stands at each half hour.
 */
function usable(page, day) {
    return page.evaluate(([date, PATIENCE_MS]) => new Promise((done, fail) => {
        const free = `.calendar [data-cell^='free '][data-cell*='${date}T']`;
        const stop = `${free}[tabindex="0"]`;
        const cells = () => document.querySelectorAll(".calendar [data-cell]").length;
        const GAP_PX = 2;
        const boxes = (which) => [...document.querySelectorAll(which)].map((e) => e.getBoundingClientRect());
        const isFull = () => {
            const [grid] = boxes(".calendar");
            const [first] = boxes(free);
            const heads = boxes(".calendar .head").filter((head) => head.left >= grid.left && head.right <= grid.right);
            const there = boxes(".calendar [data-cell]");

            return heads.length > 0 && heads.every(({ left, width }) => {
                const x = left + width / 2;
                const mine = there.filter((box) => box.left < x && x < box.right);

                for (let y = first.top + first.height / 2; y < grid.bottom - 8; y += 2 * first.height)
                    if (!mine.some((box) => box.top - GAP_PX < y && y < box.bottom + GAP_PX))
                        return false;
                return true;
            });
        };

        const act = () => {
            const cell = document.querySelector(stop);

            cell?.focus();
            if (!cell || document.activeElement !== cell || document.readyState === "loading")
                return requestAnimationFrame(act);
            cell.click();
            const wait = () => {
                if (!document.querySelector("[role=dialog], dialog[open]"))
                    return requestAnimationFrame(wait);
                const at = performance.now();

                return isFull() ? done({ at, cells: cells(), nodes: document.querySelectorAll(".calendar *").length })
                    : fail(new Error("not all in sight was there when a slot could be taken"));
            };
            return requestAnimationFrame(wait);
        };
        setTimeout(() => fail(new Error(`it cannot be used: ${document.querySelector(".calendar")?.ariaBusy}, `
            + `${document.querySelectorAll(stop).length} of ${cells()} cells, ${document.activeElement.outerHTML.slice(0, 200)}`)),
        PATIENCE_MS);
        /* No frame is asked for that the page does not draw by itself. */
        const look = () => document.querySelector(stop) ? requestAnimationFrame(act) : setTimeout(look, 5);

        look();
    }), [day, PATIENCE_MS]);
}

/* Until all cells are there, also out of sight. */
function whole(page) {
    return page.evaluate((cells) => new Promise((done) => {
        const look = () => document.querySelectorAll(".calendar [data-cell]").length < cells
            ? requestAnimationFrame(look) : done(performance.now());

        look();
    }), options.cells);
}

/* Until each visit has its patient's name. */
function named(page) {
    return page.evaluate(() => new Promise((done) => {
        const look = () => [...document.querySelectorAll(".cell-name")].some((e) => /^PAT-/.test(e.textContent))
            ? requestAnimationFrame(look) : done(performance.now());

        look();
    }));
}

/* The page as it stands once it can be used, what is in sight of it, and the dialog. */
async function copyOf(context) {
    const { page } = await open(context, "threadTicks", 1);

    await page.goto(`${options.url}/admin#/calendar?date=${options.days[0]}`);
    await usable(page, options.days[0]);
    const [html, dialog] = await page.evaluate(() => {
        const pane = document.querySelector(".ec-main").getBoundingClientRect();
        const front = document.querySelector("dialog");

        for (const part of document.querySelectorAll(".chunk")) {
            const box = part.getBoundingClientRect();

            if (box.top > pane.bottom || box.left > pane.right)
                part.remove();
        }
        front.close();
        front.remove();
        document.querySelectorAll("script, link[rel=modulepreload]").forEach((e) => e.remove());
        document.querySelector(".date-choice").setAttribute("type", "text");
        return [document.documentElement.outerHTML, front.outerHTML];
    });

    await page.close();
    return html.replace("<head>", `<head><base href="${options.url}/admin"><script>
        addEventListener("click", () => {
            document.body.insertAdjacentHTML("beforeend", ${JSON.stringify(dialog)});
            document.body.lastElementChild.showModal();
        });
    </script>`);
}

/* The address of such a copy, until it is closed. */
async function serve(html) {
    const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(html));

    server.unref();
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/* From the address, by the buttons for the next day and the day before, by a link, in another tab. */
async function measure(domain, rate) {
    const context = await signedInDesk();
    const [first, second] = options.days;
    let { page, cdp } = await open(context, domain, rate);
    const less = (a, b) => Object.fromEntries(KINDS.map((k) => [k, Math.round(b[k] - a[k])]));
    const phase = async (day, began, before) => {
        const { at, ...rest } = await usable(page, day);
        const after = await spent(cdp);
        const [all, names] = [await whole(page), await named(page)];

        return { ms: Math.round(at - began), whole: Math.round(all - began), named: Math.round(names - began),
            ...less(before, after), ...rest };
    };
    const load = async () => {
        const start = await spent(cdp);

        await page.goto(`${options.url}/admin#/calendar?date=${first}`, { waitUntil: "commit" });
        const took = await phase(first, 0, start);
        await page.keyboard.press("Escape");
        await page.waitForTimeout(500);
        return took;
    };
    const address = await load();
    const step = async (begin, argument, day) => {
        const start = await spent(cdp);
        const began = await page.evaluate(begin, argument);
        const took = await phase(day, began, start);

        await page.keyboard.press("Escape");
        await page.waitForTimeout(500);
        return took;
    };
    const press = (n) => {
        document.querySelector(`.tools .icon-button:nth-of-type(${n})`)?.click();
        return performance.now();
    };
    const next = await step(press, 3, second);
    const back = await step(press, 1, first);

    await page.close();
    ({ page, cdp } = await open(context, domain, rate));
    const again = await load();

    await page.close();
    ({ page, cdp } = await open(context, domain, rate));
    await page.goto(`${options.url}/admin#/today`);
    await page.locator("main#content h1").waitFor();
    await page.waitForTimeout(LOADED_MS);
    const link = await step((hash) => {
        const now = performance.now();

        location.hash = hash;
        return now;
    }, `#/calendar?date=${first}`, first);

    await page.close();
    const copy = await serve(`<!DOCTYPE html>${await copyOf(context)}`);

    ({ page, cdp } = await open(context, domain, rate));
    const start = await spent(cdp);

    await page.goto(copy.url, { waitUntil: "commit" });
    const { at, ...rest } = await usable(page, first);
    const plain = { ms: Math.round(at), ...less(start, await spent(cdp)), ...rest };

    await page.close();
    copy.close();
    return { address, next, back, again, link, plain };
}

await run(async () => {
    seen.slow = await measure("timeTicks", options.slow);
    seen.cpu = await measure("threadTicks", 1);
});
