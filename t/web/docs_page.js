/*
 * docs_page.js URL [CLIENT_ID:SECRET [SCREENSHOT]]
 *		What a visitor of URL/docs sees, as one JSON object: the calls, every
 *		request that the page made and how many bytes came, every complaint of
 *		the browser, and how far things move while it comes to a slow phone (the
 *		layout shift of web.dev). The visitor gets a token, with the client or by
 *		the demo's button; in a demo he then clicks Send in some calls as they
 *		are, looks for one, and has axe judge the page in light and in dark.
 */
import { chromium } from "playwright-core";
import { fileURLToPath } from "node:url";

const TRIED = ["listSlots", "bookAppointment", "getAppointment", "listPatients"];
const [url, client, screenshot] = process.argv.slice(2);
const axe = fileURLToPath(import.meta.resolve("axe-core"));
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage",
    ],
});
const seen = { requests: [], complaints: [], bytes: 0, tried: {}, axe: [] };

async function authorize(page) {
    if (client) {
        const [id, secret] = client.split(":");

        await page.getByText("With a client of your own").click();
        await page.getByLabel("client_id").fill(id);
        await page.getByLabel("client_secret").fill(secret);
        await page.getByRole("button", { name: "Get a token", exact: true }).click();
    } else {
        await page.getByRole("button", { name: "Get a token of the demo" }).click();
    }
    await page.getByText("Here it is").or(page.getByText("No token:")).waitFor();
    seen.token = await page.locator("#token-state").innerText();
}

/* Opens a call and clicks Send, with what the page has filled in. */
async function tryCall(page, name) {
    const call = page.locator(`#${name}`);

    await call.locator("summary").click();
    await call.getByRole("button", { name: "Send" }).click();
    await call.locator(".status").waitFor();
    seen.tried[name] = {
        status: parseInt(await call.locator(".status").innerText(), 10),
        body: await call.locator(".result pre").innerText(),
    };
}

/* What axe finds, a line a kind. The page allows no script but its own. */
async function judge(context, scheme) {
    const page = await context.newPage();

    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${url}/docs`, { waitUntil: "networkidle" });
    for (const name of ["listSlots", "createPatient", "object-Problem"])
        await page.locator(`#${name} > summary`).click();
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => globalThis.axe.run());
    for (const { id, nodes } of found.violations)
        seen.axe.push(`${scheme}: ${id} ${nodes.map((n) => n.target).join(" ")}`);
    await page.close();
}

/* What moves on a slow phone, without the reader's doing. */
async function shiftOnPhone() {
    const phone = await browser.newContext({
        viewport: { width: 412, height: 823 }, isMobile: true, hasTouch: true,
    });
    const page = await phone.newPage();
    const line = await phone.newCDPSession(page);

    await line.send("Network.enable");
    await line.send("Network.emulateNetworkConditions", { offline: false,
        latency: 150, downloadThroughput: 200000, uploadThroughput: 90000 });
    await line.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(() => {
        globalThis.moved = 0;
        new PerformanceObserver((list) => {
            for (const shift of list.getEntries())
                globalThis.moved += shift.hadRecentInput ? 0 : shift.value;
        }).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(`${url}/docs`, { waitUntil: "networkidle" });
    await page.locator(".call > summary").first().waitFor();
    await page.waitForTimeout(500);
    seen.shift = await page.evaluate(() => globalThis.moved);
    await phone.close();
}

try {
    const page = await browser.newPage({ viewport: { width: 1300, height: 1600 } });

    page.setDefaultTimeout(60000);
    page.on("request", (request) => seen.requests.push(request.url()));
    page.on("requestfinished", async (request) => {
        try {
            seen.bytes += (await request.sizes()).responseBodySize;
        } catch {
            /* The page is closed already. */
        }
    });
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type()))
            seen.complaints.push(message.text());
    });
    page.on("pageerror", (error) => seen.complaints.push(String(error)));
    await page.goto(`${url}/docs`, { waitUntil: "networkidle" });
    await page.locator(".call > summary").first().waitFor();
    seen.title = await page.title();
    seen.loaded = seen.bytes;
    seen.calls = await page.locator(".call > summary").evaluateAll((rows) =>
        rows.map((row) => [".method", ".path"]
            .map((name) => row.querySelector(name).textContent).join(" ")));
    try {
        await authorize(page);
        for (const name of client ? [] : TRIED)
            await tryCall(page, name);
        await page.getByLabel("Find a call").fill("post /patients");
        seen.found = await page.locator(".call:visible .path").allInnerTexts();
    } finally {
        if (screenshot)
            await page.screenshot({ path: screenshot });
    }
    await shiftOnPhone();
    const context = await browser.newContext({ bypassCSP: true });
    for (const scheme of client ? [] : ["light", "dark"])
        await judge(context, scheme);
} finally {
    await browser.close();
}
console.log(JSON.stringify(seen));
