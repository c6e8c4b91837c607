/*
 * desk.js
 *		A desk of the clinic: chromium at /admin, what it complains of, and
 *		what axe finds. Options come as one JSON object on the command line.
 */
import { chromium } from "playwright-core";
import { existsSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

const ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage",
];

/* Whether somebody is signed in already is asked before anybody is. */
const NOBODY_YET = /status of 401 .*auth\/session/;

export const options = JSON.parse(process.argv[2] ?? "{}");
export const seen = { requests: [], complaints: [], bytes: 0, axe: [] };

let browser;

/* So many ms, and more on a busy machine: Appt::Util says why. */
export const patience = (ms) => ms * Math.max(1, loadavg()[0] / cpus().length);

export async function launch() {
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS,
    });
    return browser;
}

/* A tab in a context of its own: another desk. */
export async function desk({ viewport = { width: 1280, height: 900 }, scheme = "light",
    zone = "Asia/Kolkata", locale = "en-GB", expected = [], ...rest } = {}) {
    browser ??= await launch();
    const context = await browser.newContext({
        viewport, colorScheme: scheme, timezoneId: zone, locale,
        reducedMotion: "reduce", ...rest,
    });
    const page = await context.newPage();

    context.setDefaultTimeout(patience(20000));
    page.on("request", (request) => seen.requests.push(request.url()));
    page.on("requestfinished", async (request) => {
        try {
            seen.bytes += (await request.sizes()).responseBodySize;
        } catch {
            /* The tab is closed already. */
        }
    });
    page.on("console", (message) => {
        const text = `${message.text()} ${message.location().url}`;

        if (["error", "warning"].includes(message.type())
                && ![NOBODY_YET, ...expected].some((e) => e.test(text)))
            seen.complaints.push(text);
    });
    page.on("pageerror", (error) => seen.complaints.push(String(error.stack)));
    return page;
}

/* The page's own policy keeps waitForFunction out. */
export async function until(page, test, given) {
    for (const end = Date.now() + patience(20000); Date.now() < end;) {
        if (await page.evaluate(test, given))
            return;
        await page.waitForTimeout(50);
    }
    throw new Error(`it does not come: ${test}`);
}

/* Where it is, once it stays there. */
export async function still(locator) {
    let last = "";

    for (let n = 0; n < 100; n++) {
        const box = await locator.boundingBox();

        if (box && JSON.stringify(box) === last)
            return box;
        last = JSON.stringify(box);
        await locator.page().waitForTimeout(50);
    }
    throw new Error("it does not stay where it is");
}

/* Signs in as a person does, on the page itself, which puts the focus there first. */
export async function signedIn(page, { account, password } = options) {
    await page.goto(`${options.url}/admin`);
    await page.locator("[name=account]:focus").waitFor();
    await page.getByLabel("Account").fill(account);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.locator("main#content").waitFor();
    seen.account = options.account;
}

/* What only the test can do, as to kill the gateway; returns once it is done. */
export async function wish(name) {
    const file = `${options.wishes}/${name}`;

    writeFileSync(file, "");
    for (let n = 0; existsSync(file); n++) {
        if (n > 1200)
            throw new Error(`not done: ${name}`);
        await new Promise((done) => setTimeout(done, 50));
    }
}

/* What axe finds, a line a kind. The page allows no script but its own. */
export async function judge(page, where) {
    const axe = fileURLToPath(import.meta.resolve("axe-core"));
    const source = await (await import("node:fs/promises")).readFile(axe, "utf8");

    await page.evaluate(source);
    const found = await page.evaluate(() => globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }));
    for (const { id, nodes } of found.violations)
        seen.axe.push(`${where}: ${id} ${nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
}

/* Both colour schemes, one after the other. */
export async function judgeBoth(page, where) {
    for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await judge(page, `${where}, ${scheme}`);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

export async function finish() {
    await browser?.close();
    console.log(JSON.stringify(seen));
}

/* Runs a test's steps and tells what was seen, also when one fails. */
export async function run(steps) {
    try {
        await steps();
    } catch (error) {
        seen.failed = String(error.stack);
        for (const context of browser?.contexts() ?? [])
            for (const page of context.pages())
                if (options.shots)
                    await page.screenshot({ path: `${options.shots}/failed.png` });
    } finally {
        await finish();
    }
}
