/*
 * admin_api.js {"url", "account", "password", "token", "sink", "branches"}
 *		Admin > Settings > API: a webhook from its address to its deletion, an
 *		API client from its scopes to its deletion.
 */
import { call, check, listen, loseAnswer } from "./checks.js";
import { desk, options, patience, run, seen, signedIn } from "./desk.js";

const EVENTS = /api\/v1\/events/;

await run(async () => {
    const page = await desk({
        reducedMotion: "reduce", expected: [EVENTS, /status of (400|412|422)/, /ERR_/],
        permissions: ["clipboard-read", "clipboard-write"],
    });
    const sent = listen(page);
    const button = (name) => page.getByRole("button", { name, exact: true });
    const dialog = page.getByRole("dialog");
    const told = (path) => sent.filter((one) => one.path.startsWith(path));

    await signedIn(page);

    /* Where it is: Admin > Settings > API > Webhooks. */
    await page.goto(`${options.url}/admin`);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("link", { name: "Webhooks" }).first().click();
    await page.getByRole("heading", { level: 1, name: "Webhooks" }).waitFor();
    seen.place = new URL(page.url()).hash;
    seen.crumbs = await page.getByRole("navigation", { name: "Where you are" })
        .getByRole("listitem").allInnerTexts();

    /* Refused with a sentence at the field, then added; the secret is shown once. */
    await button("Add a webhook").click();
    await page.getByLabel("Address").fill("ftp://example.com/hook");
    await button("Save and send a ping").click();
    await page.locator(".field.bad .error").waitFor();
    seen.refused = await page.locator(".field.bad .error").innerText();
    await page.getByLabel("Address").fill(options.sink);
    await page.getByLabel("Description").fill('The <script>ran=1</script> laboratory');
    await page.getByLabel("Only these").first().check();
    await page.getByLabel("Booked").check();
    await page.getByLabel("Cancelled").check();
    await check(page, "webhook-new");
    await button("Save and send a ping").click();
    await dialog.getByLabel("Secret").waitFor();
    seen.secret = await dialog.getByLabel("Secret").inputValue();
    await page.keyboard.press("Escape");
    seen.stays = await dialog.isVisible();
    await dialog.getByRole("button", { name: "Copy" }).click();
    await dialog.getByRole("button", { name: "Copied" }).waitFor();
    seen.clipboard = await page.evaluate(() => navigator.clipboard.readText());
    await check(page, "webhook-secret");
    await button("It is stored").click();

    /* The ping of the saving is delivered while one looks. */
    await page.locator("summary").filter({ hasText: "Ping" }).filter({ hasText: "Delivered" }).waitFor();
    seen.hook = new URL(page.url()).hash.split("/").pop();
    seen.secretLater = (await page.content()).includes(seen.secret);
    await page.locator("summary").first().click();
    seen.attempt = await page.locator(".attempts").first().innerText();
    await check(page, "webhook");
    await button("Deliver again").click();
    await page.getByText("It is queued again.").waitFor();
    await button("Send a ping").click();
    await page.locator(".deliveries summary").nth(1).waitFor();

    await button("New secret").click();
    await dialog.getByRole("button", { name: "New secret" }).click();
    await dialog.getByLabel("Secret").waitFor();
    seen.secondSecret = await dialog.getByLabel("Secret").inputValue();
    await button("It is stored").click();

    await button("Disable").click();
    await dialog.getByRole("button", { name: "Disable" }).click();
    await page.getByText("Disabled by the clinic").waitFor();
    await button("Enable").click();
    await dialog.getByRole("button", { name: "Enable" }).click();
    await page.locator(".page-head").getByText("Enabled").waitFor();
    await button("Replay").click();
    await dialog.getByLabel("Date").fill("2026-01-01");
    await check(page, "webhook-replay");
    await dialog.getByRole("button", { name: "Replay" }).click();
    await page.getByText(/deliver\w+ (is|are) queued again\./).waitFor();
    seen.replay = told(`/webhooks/${seen.hook}/replay`).length;

    /* Edited while somebody else does: only what was changed is sent. */
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByLabel("Description").fill("Laboratory");
    await call("PATCH", `/webhooks/${seen.hook}`, { events: ["appointment.booked"] });
    await button("Save").click();
    await page.getByText("What you changed is still here").waitFor();
    await button("Save").click();
    await page.getByRole("heading", { level: 1, name: "Laboratory" }).waitFor();
    seen.edit = told(`/webhooks/${seen.hook}`).filter(({ method }) => method === "PATCH").pop();
    await page.getByRole("link", { name: "All webhooks" }).click();
    await page.getByRole("link", { name: options.sink }).first().waitFor();
    await check(page, "webhooks");
    seen.hookRow = await page.locator("tbody tr").filter({ hasText: "Laboratory" }).innerText();
    /* Of what was replayed, what is not delivered by then goes with the webhook. */
    const delivered = () => call("GET", `/webhooks/${seen.hook}/deliveries?state=delivered&per_page=100`);

    for (const end = Date.now() + patience(20000); Date.now() < end && (await delivered()).length < 80;)
        await page.waitForTimeout(100);
    await page.locator("tbody tr").filter({ hasText: "Laboratory" }).getByRole("link").click();
    await button("Delete").click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    seen.askedFirst = told(`/webhooks/${seen.hook}`).filter(({ method }) => method === "DELETE").length;
    await button("Delete").click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("The webhook is deleted.").waitFor();

    /* API Access beside it; the answer to the saving is lost once. */
    await page.getByRole("link", { name: "API Access" }).click();
    await page.getByRole("heading", { level: 1, name: "API Access" }).waitFor();
    seen.accessPlace = new URL(page.url()).hash;
    await check(page, "access");
    await button("Add a client").click();
    await page.getByLabel("Name").fill("Website");
    await page.getByLabel("Book, move, cancel, check in").check();
    await page.getByLabel("See appointments, free slots and queues").check();
    await page.getByLabel("Only these").check();
    await page.getByLabel(options.branches[0].name).check();
    await page.getByLabel("Requests per minute").fill("60");
    await check(page, "client-new");
    await loseAnswer(page, "POST", "/api/v1/clients");
    await button("Add a client").click();
    await page.getByText("it is not known whether it was done").waitFor();
    await button("Add a client").click();
    await dialog.getByLabel("Client secret").waitFor();
    seen.client = await dialog.getByLabel("Client id").inputValue();
    seen.clientSecret = await dialog.getByLabel("Client secret").inputValue();
    await button("It is stored").click();
    await page.getByRole("heading", { level: 1, name: "Website" }).waitFor();
    await check(page, "client");

    await button("New secret").click();
    await dialog.getByRole("button", { name: "New secret" }).click();
    await dialog.getByLabel("Client secret").waitFor();
    seen.secondClientSecret = await dialog.getByLabel("Client secret").inputValue();
    await button("It is stored").click();
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByLabel("See patients").check();
    await button("Save").click();
    await page.getByText("Saved.").waitFor();
    seen.clientEdit = told(`/clients/${seen.client}`).filter(({ method }) => method === "PATCH").pop();
    await button("Disable").click();
    await dialog.getByRole("button", { name: "Disable" }).click();
    await page.getByText("Website is disabled.").waitFor();
    seen.disabled = await page.locator(".page-head .chip").innerText();
    const history = page.getByRole("region", { name: "History" }).locator("tbody tr");

    await history.nth(3).waitFor();
    seen.history = (await history.allInnerTexts()).map((row) => row.split(/\s*[\t\n]\s*/).filter(Boolean));
    await check(page, "client-history");

    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("navigation", { name: "आप यहाँ हैं" })
        .getByRole("listitem").allInnerTexts();
    seen.hindiHistory = await page.getByRole("region", { name: "इतिहास" })
        .locator("tbody tr").first().innerText();
    seen.ran = await page.evaluate(() => globalThis.ran ?? null);
});
