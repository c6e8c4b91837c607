/*
 * day_view.js {"url", "account", "password", "days", "slow", "cells", "pages"}
 *		How long a day of the calendar takes until it can be used: from the
 *		address, and from the button for the next day, on a processor that is
 *		"slow" times as slow. It can be used once all that is in sight of the
 *		day is there, and a click on a free slot opens the dialog. For each of
 *		"days" {from the address, then}: wall and thread time of the page's main
 *		thread in ms, by kind; beside it when all "cells" were there, also out of
 *		sight, and when the names were. "pages" is a directory with another
 *		admin.js and admin.css.
 */
import { readFileSync } from "node:fs";
import { desk, options, run, seen, signedIn } from "./desk.js";

const KINDS = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];
const TYPES = { js: "text/javascript", css: "text/css" };

async function open(domain, rate) {
    const door = await desk({ viewport: { width: 1600, height: 900 } });

    await signedIn(door);
    const page = await door.context().newPage();
    const cdp = await page.context().newCDPSession(page);

    await door.close();
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    for (const [kind, type] of Object.entries(options.pages ? TYPES : {}))
        await page.route(`**/admin.${kind}*`, (route) => route.fulfill(
            { body: readFileSync(`${options.pages}/admin.${kind}`), contentType: type }));
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
 * sight, each head's column is full of cells: a click at each half hour meets one.
 */
function usable(page, day) {
    return page.evaluate((date) => new Promise((done) => {
        const free = `.calendar [data-cell^='free '][data-cell*='${date}T']`;
        const cells = () => document.querySelectorAll(".calendar [data-cell]").length;
        const isFull = () => {
            const grid = document.querySelector(".calendar").getBoundingClientRect();
            const heads = [...document.querySelectorAll(".calendar .head")]
                .map((head) => head.getBoundingClientRect());
            const first = document.querySelector(free).getBoundingClientRect();

            return heads.filter((head) => head.left >= grid.left && head.right <= grid.right).every((head) => {
                for (let y = first.top + first.height / 2; y < grid.bottom - 8; y += 2 * first.height)
                    if (!document.elementFromPoint(head.left + head.width / 2, y)?.closest("[data-cell]"))
                        return false;
                return heads.length > 0;
            });
        };

        const look = () => {
            const cell = document.querySelector(`${free}[tabindex="0"]`);

            if (!cell || !isFull())
                return requestAnimationFrame(look);
            cell.focus();
            if (document.activeElement !== cell)
                return requestAnimationFrame(look);
            cell.click();
            const wait = () => document.querySelector("[role=dialog], dialog[open]")
                ? done({ at: performance.now(), cells: cells(),
                    nodes: document.querySelectorAll(".calendar *").length })
                : requestAnimationFrame(wait);
            return wait();
        };

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

/* From the address, and from the button for the next day. */
async function measure(domain, rate) {
    const { page, cdp } = await open(domain, rate);
    const [first, second] = options.days;
    const less = (a, b) => Object.fromEntries(KINDS.map((k) => [k, Math.round(b[k] - a[k])]));
    const phase = async (day, began, before) => {
        const { at, ...rest } = await usable(page, day);
        const after = await spent(cdp);
        const [all, names] = [await whole(page), await named(page)];

        return { ms: Math.round(at - began), whole: Math.round(all - began), named: Math.round(names - began),
            ...less(before, after), ...rest };
    };
    const before = await spent(cdp);

    await page.goto(`${options.url}/admin#/calendar?date=${first}`, { waitUntil: "commit" });
    const address = await phase(first, 0, before);
    await page.keyboard.press("Escape");
    await page.waitForTimeout(500);
    const start = await spent(cdp);
    const began = await page.evaluate(() => {
        document.querySelector(".tools .icon-button:nth-of-type(3)")?.click();
        return performance.now();
    });
    const next = await phase(second, began, start);

    await page.close();
    return { address, next };
}

await run(async () => {
    seen.slow = await measure("timeTicks", options.slow);
    seen.cpu = await measure("threadTicks", 1);
});
