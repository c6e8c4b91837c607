/*
 * day_view.js {"url", "account", "password", "days", "slow", "cells", "pages"}
 *		How long a day of the calendar takes until it can be used: from the
 *		address in a browser that never showed a day, from the button for the next
 *		day, which the page has asked for by then if it had the time, from the one
 *		for the day before, which is asked for only then, from a link on the page of
 *		today, and from the address in another tab, on a processor that is "slow"
 *		times as slow. It can be used
 *		once all that is in sight of the day is there, and a click on a free slot
 *		opens the dialog. Of each wall and thread time of the page's main thread in
 *		ms, by kind; beside it when all "cells" were there, also out of sight, and
 *		when the names were. "pages" is a directory with another admin.html,
 *		admin.css and admin/, as the build makes them.
 */
import { readFileSync } from "node:fs";
import { desk, options, run, seen, signedIn } from "./desk.js";

const KINDS = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];
/* Then the parts of the script that the page of today does not need are there, too. */
const LOADED_MS = 8000;
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
    return page.evaluate((date) => new Promise((done) => {
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

            if (!cell || !isFull())
                return requestAnimationFrame(act);
            cell.focus();
            if (document.activeElement !== cell)
                return requestAnimationFrame(act);
            cell.click();
            const wait = () => document.querySelector("[role=dialog], dialog[open]")
                ? done({ at: performance.now(), cells: cells(),
                    nodes: document.querySelectorAll(".calendar *").length })
                : requestAnimationFrame(wait);
            return wait();
        };
        /* No frame is asked for that the page does not draw by itself. */
        const look = () => document.querySelector(stop) ? requestAnimationFrame(act) : setTimeout(look, 5);

        look();
    }), day);
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
    return { address, next, back, again, link };
}

await run(async () => {
    seen.slow = await measure("timeTicks", options.slow);
    seen.cpu = await measure("threadTicks", 1);
});
