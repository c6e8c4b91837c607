/*
 * docs_page.js URL [CLIENT_ID:SECRET [SCREENSHOT]]
 *		What a visitor of URL/docs sees, as one JSON object: the calls, every
 *		request that the page made, every complaint of the browser. With a
 *		client the visitor also authorizes and tries a call.
 */
import { chromium } from "playwright-core";

const [url, client, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage",
    ],
});
const seen = { requests: [], complaints: [] };

/* Gets a token by the page's own dialog. */
async function authorize(page) {
    const [id, secret] = client.split(":");
    const dialog = page.locator(".modal-ux");

    await page.locator(".auth-wrapper .authorize").click();
    const form = dialog.locator(".auth-container")
        .filter({ hasText: "clientCredentials" });
    await form.locator("input[type=text]").first().fill(id);
    await form.locator("input[type=password], input[data-name=clientSecret]")
        .first().fill(secret);
    await form.getByText("select all", { exact: true }).click();
    await form.locator("button.authorize").click();
    await form.getByRole("button", { name: /logout|remove/i }).waitFor();
    await dialog.locator(".close-modal").click();
}

/* Tries the slot list with the document's own examples. */
async function tryCall(page) {
    const call = page.locator("#operations-Appointments-listSlots");

    await call.locator(".opblock-summary-control").click();
    await call.getByRole("button", { name: "Try it out" }).click();
    await call.getByRole("button", { name: "Execute" }).click();
    const answer = call.locator(".live-responses-table .response").first();
    await answer.waitFor();
    seen.tried = {
        status: await answer.locator(".response-col_status").innerText(),
        body: await answer.locator(".response-col_description").innerText(),
    };
}

try {
    const page = await browser.newPage({ viewport: { width: 1300, height: 1600 } });

    page.setDefaultTimeout(120000);
    page.on("request", (request) => seen.requests.push(request.url()));
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type()))
            seen.complaints.push(message.text());
    });
    page.on("pageerror", (error) => seen.complaints.push(String(error)));
    await page.goto(`${url}/docs`, { waitUntil: "networkidle" });
    seen.title = await page.title();
    seen.text = await page.locator("body").innerText();
    seen.calls = await page.locator(".opblock-summary").evaluateAll((rows) =>
        rows.map((row) => [".opblock-summary-method", ".opblock-summary-path"]
            .map((name) => row.querySelector(name).textContent
                .replace(/\u200b/g, "").trim())
            .join(" ")));
    try {
        if (client) {
            await authorize(page);
            await tryCall(page);
        }
    } finally {
        if (screenshot)
            await page.screenshot({ path: screenshot });
    }
} finally {
    await browser.close();
}
console.log(JSON.stringify(seen));
