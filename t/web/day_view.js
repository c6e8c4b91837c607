/*
 * day_view.js {"url", "account", "password", "days", "slow", "script"}
 *		How long a day of the calendar takes until it can be used: from the
 *		address, and from the button for the next day, to a free slot on which
 *		Enter opens the dialog; on a processor that is "slow" times as slow.
 *		For each of "days" {from the address, then}: wall and thread time of
 *		the page's main thread in ms, by kind.
 */
import { readFileSync } from "node:fs";
import { desk, options, run, seen, signedIn } from "./desk.js";

const KINDS = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];

async function open(domain, rate) {
    const door = await desk({ viewport: { width: 1600, height: 900 } });

    await signedIn(door);
    const page = await door.context().newPage();
    const cdp = await page.context().newCDPSession(page);

    await door.close();
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    if (options.script)
        await page.route("**/admin.js*", (route) => route.fulfill(
            { body: readFileSync(options.script), contentType: "text/javascript" }));
    await cdp.send("Performance.enable", { timeDomain: domain });
    await cdp.send("Emulation.setCPUThrottlingRate", { rate });
    return { page, cdp };
}

async function spent(cdp) {
    const { metrics } = await cdp.send("Performance.getMetrics");

    return Object.fromEntries(KINDS.map((kind) =>
        [kind, metrics.find((m) => m.name === kind).value * 1000]));
}

/* Until a free slot of that day has the focus and the dialog is in front. */
function usable(page, day) {
    return page.evaluate((date) => new Promise((done) => {
        const look = () => {
            const cell = document.querySelector(`.calendar .free [data-cell*="${date}T"][tabindex="0"]`)
                ?? document.querySelector(`.calendar .free [data-cell*="${date}T"]`);

            if (!cell)
                return requestAnimationFrame(look);
            cell.focus();
            if (document.activeElement !== cell)
                return requestAnimationFrame(look);
            cell.click();
            const wait = () => document.querySelector("[role=dialog], dialog[open]")
                ? done({ at: performance.now(), cells: document.querySelectorAll("[data-cell]").length,
                    nodes: document.querySelectorAll(".calendar *").length })
                : requestAnimationFrame(wait);
            return wait();
        };

        look();
    }), day);
}

/* From the address, and from the button for the next day. */
async function measure(domain, rate) {
    const { page, cdp } = await open(domain, rate);
    const [first, second] = options.days;
    const before = await spent(cdp);

    await page.goto(`${options.url}/admin#/calendar?date=${first}`, { waitUntil: "commit" });
    const cold = await usable(page, first);
    const between = await spent(cdp);
    await page.keyboard.press("Escape");
    await page.waitForTimeout(500);
    const start = await spent(cdp);
    const began = await page.evaluate(() => {
        document.querySelector(".tools .icon-button:nth-of-type(3)")?.click();
        return performance.now();
    });
    const warm = await usable(page, second);
    const after = await spent(cdp);
    const less = (a, b) => Object.fromEntries(KINDS.map((k) => [k, Math.round(b[k] - a[k])]));

    await page.close();
    return {
        address: { ms: Math.round(cold.at), ...less(before, between) },
        next: { ms: Math.round(warm.at - began), ...less(start, after) },
        cells: warm.cells, nodes: warm.nodes,
    };
}

await run(async () => {
    seen.slow = await measure("timeTicks", options.slow);
    seen.cpu = await measure("threadTicks", 1);
});
