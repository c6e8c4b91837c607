/*
 * link_pages.js URL LINKS [SCREENSHOTS]
 *		What a patient's browser makes of the pages behind links, as one JSON
 *		object. LINKS is {name: path} as JSON. Each page is judged by axe in light and
 *		dark at 360 px, and must not be wider; then a patient without scripts
 *		and without a mouse confirms, cancels, moves, unsubscribes, and takes
 *		or declines an offer.
 */
import { chromium } from "playwright-core";
import { fileURLToPath } from "node:url";

const [url, paths, screenshots] = process.argv.slice(2);
const links = JSON.parse(paths);
const axe = fileURLToPath(import.meta.resolve("axe-core"));
const viewport = { width: 360, height: 740 };
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage",
    ],
});
const seen = { requests: [], complaints: [], bytes: {}, axe: [], wide: [], done: {} };

function watch(page, name) {
    page.setDefaultTimeout(60000);
    page.on("request", (request) => seen.requests.push(request.url()));
    page.on("requestfinished", async (request) => {
        try {
            const { responseBodySize } = await request.sizes();

            seen.bytes[name] = (seen.bytes[name] ?? 0) + responseBodySize;
        } catch {
            /* The page is closed already. */
        }
    });
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type()))
            seen.complaints.push(`${name}: ${message.text()}`);
    });
    page.on("pageerror", (error) => seen.complaints.push(String(error)));
}

/* What axe finds, by every rule that it has for WCAG 2.2 AA and beyond. */
async function judge(name, colorScheme) {
    const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
    const page = await context.newPage();

    watch(page, `${name} ${colorScheme}`);
    await page.goto(url + links[name], { waitUntil: "networkidle" });
    if (screenshots)
        await page.screenshot({ path: `${screenshots}/${name}-${colorScheme}.png`, fullPage: true });
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth))
        seen.wide.push(name);
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => globalThis.axe.run(document, {
        rules: { "target-size": { enabled: true } },
    }));
    for (const { id, nodes } of found.violations)
        seen.axe.push(`${name} ${colorScheme}: ${id} ${nodes.map((n) => n.target).join(" ")}`);
    await context.close();
}

/* Presses keys until the focus is on what is wanted. */
async function tabTo(page, wanted) {
    for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        if (await wanted.evaluateAll((found) => found.includes(document.activeElement)))
            return;
    }
    throw new Error("the Tab key does not lead there");
}

/* Does it; the title of the page that comes of it, which is another. */
async function after(page, steps) {
    const title = page.locator("h1");
    const before = await title.innerText();

    await steps(page);
    await title.filter({ hasNotText: before }).waitFor();
    return title.innerText();
}

/* Without a mouse: where the focus is must be seen. */
async function keys(name, steps) {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();

    watch(page, name);
    await page.goto(url + links[name], { waitUntil: "networkidle" });
    seen.done[name] = await after(page, steps);
    await page.waitForLoadState("networkidle");
    if (screenshots)
        await page.screenshot({ path: `${screenshots}/${name}-done.png`, fullPage: true });
    await context.close();
}

/* Without scripts. */
async function plain(name, steps) {
    const context = await browser.newContext({ viewport, javaScriptEnabled: false });
    const page = await context.newPage();

    await page.goto(url + links[name]);
    seen.done[name] = await after(page, steps);
    await context.close();
}

async function press(page) {
    const button = page.getByRole("button");

    await tabTo(page, button);
    const style = await button.evaluate((b) => getComputedStyle(b).outlineStyle);
    if (style === "none")
        seen.complaints.push("the focus cannot be seen");
    await page.keyboard.press("Enter");
}

try {
    for (const name of Object.keys(links)) {
        for (const scheme of ["light", "dark"])
            await judge(name, scheme);
    }
    await keys("confirm", press);
    await keys("cancel", async (page) => {
        await tabTo(page, page.getByRole("textbox"));
        await page.keyboard.type("Feeling better");
        await press(page);
    });
    await keys("move", async (page) => {
        const later = page.locator("a[rel=next]");

        await tabTo(page, later);
        await page.keyboard.press("Enter");
        await page.waitForURL(/day=/);
        await tabTo(page, page.getByRole("radio"));
        await page.keyboard.press("Space");
        await page.keyboard.press("ArrowDown");
        seen.chosen = await page.locator(":checked").getAttribute("value");
        await press(page);
    });
    await keys("unsubscribe", press);
    await keys("offer", async (page) => {
        await tabTo(page, page.getByRole("button").first());
        await page.keyboard.press("Enter");
    });
    const click = (page) => page.getByRole("button").click();

    await plain("confirm-hi", click);
    await plain("move-hi", async (page) => {
        await page.getByRole("radio").first().check();
        await click(page);
    });
    await plain("cancel-hi", click);
    await plain("offer-hi", (page) => page.getByRole("button").last().click());
} finally {
    await browser.close();
}
console.log(JSON.stringify(seen));
