/*
 * admin_messages.js {"url", "account", "password", "token", "port", "branch"}
 *		A mail server is added and tried, a provider refused and added, a
 *		template written with a preview, a board made, opened and revoked.
 */
import { check, listen } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

await run(async () => {
    const page = await desk({ reducedMotion: "reduce", expected: [/api\/v1\/events/, /status of (400|409|422)/] });
    const sent = listen(page);
    const button = (name) => page.getByRole("button", { name, exact: true });
    const dialog = page.getByRole("dialog");
    const open = async (path, heading) => {
        await page.goto(`${options.url}/admin#/settings/${path}`);
        await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    };

    await signedIn(page);
    await open("messages/channels", "Channels");
    await button("Add a mail server").click();
    await dialog.getByLabel("Code").fill("mail");
    await dialog.getByLabel("Mail server").fill("127.0.0.1");
    await dialog.getByLabel("Port").fill(String(options.port));
    await dialog.getByLabel("Encryption").selectOption("none");
    await dialog.getByLabel("Sender's address").fill("visits@clinic.example");
    await dialog.getByLabel("Sender's name").fill("Clinic <script>ran=1</script>");
    await check(page, "channel-new");
    await button("Save").click();
    await page.getByRole("cell", { name: "127.0.0.1" }).waitFor();
    await button("Test mail").click();
    await dialog.getByLabel("To").fill("desk@clinic.example");
    await button("Send").click();
    await dialog.getByText("Result: sent").waitFor();
    await check(page, "channel-test");
    await dialog.locator(".buttons").getByRole("button", { name: "Close" }).click();

    /* A change of one setting keeps the others. */
    await button("Edit mail").click();
    await dialog.getByLabel("Answers go to").fill("desk@clinic.example");
    await button("Save").click();
    await page.getByText("mail is saved.").waitFor();
    seen.change = sent.filter(({ method }) => method === "PATCH").pop().body;

    /* A provider that is known: what it asks for, and its own words for it. */
    await button("Add a provider").click();
    await dialog.getByLabel("Provider", { exact: true }).selectOption({ label: "Twilio, SMS" });
    await dialog.getByLabel("Code").fill("twilio-desk");
    await dialog.getByLabel("Account").fill(options.sid);
    seen.called = await dialog.getByLabel("Account").evaluate((input) =>
        document.getElementById(input.getAttribute("aria-describedby")).innerText);
    await dialog.getByLabel("Sender").fill("+15550001111");
    await dialog.getByLabel("Password or key").fill("an-auth-token");
    await dialog.getByLabel("This gateway's address").fill("https://visits.clinic.example/");
    seen.reports = await dialog.locator(".reports-of code").innerText();
    await dialog.getByLabel("Active").uncheck();
    await check(page, "provider-new");
    await button("Save").click();
    await page.getByRole("button", { name: "Edit twilio-desk" }).waitFor();

    /* A choice of another leaves what both ask for. */
    await button("Add a provider").click();
    await dialog.getByLabel("Code").fill("sms");
    await dialog.getByLabel("Provider", { exact: true }).selectOption({ label: "Meta, WhatsApp Cloud API" });
    seen.codeStays = await dialog.getByLabel("Code").inputValue();
    await check(page, "provider-meta");
    await dialog.getByLabel("Provider", { exact: true }).selectOption("other");
    await dialog.getByLabel("Request and answer").fill("{url: x}");
    await button("Save").click();
    await dialog.locator(".field.bad").waitFor();
    seen.notJson = await dialog.locator(".field.bad .error").innerText();
    await dialog.getByLabel("Password or key").fill("a-secret-key");
    await dialog.getByLabel("Request and answer").fill(JSON.stringify({
        url: "https://sms.example/send", headers: { key: "{{secret}}" }, body: { to: "{{to}}", text: "{{body}}" },
    }));
    await button("Save").click();
    await page.getByRole("cell", { name: "sms.example", exact: true }).waitFor();
    seen.secretShown = (await page.content()).includes("a-secret-key");
    await check(page, "channels");

    await open("messages/templates", "Templates");
    await button("Add a template").click();
    await dialog.getByLabel("Event", { exact: true }).selectOption("follow_up");
    await dialog.getByLabel("Language (en").fill("mr");
    await dialog.getByLabel("Subject").fill("{{patient_name}}");
    await dialog.getByLabel("Text", { exact: true }).fill("{{doctor_name}}: {{slot_dat}}");
    await button("Save").click();
    await dialog.locator(".form-error").waitFor();
    seen.placeholder = await dialog.locator(".form-error").innerText();
    await dialog.getByLabel("Text", { exact: true }).fill("{{doctor_name}}: {{slot_date}}");
    seen.preview = await dialog.locator(".preview-text").innerText();
    await check(page, "template");
    await dialog.getByLabel("Text", { exact: true }).fill(options.placeholders.map((name) => `{{${name}}}`).join(" "));
    seen.unfilled = (await dialog.locator(".preview-text").innerText()).match(/\{\{\w+\}\}/g);
    seen.offered = (await dialog.locator(".preview .hint").innerText()).match(/\{\{\w+\}\}/g);
    await dialog.getByLabel("Text", { exact: true }).fill("{{doctor_name}}: {{slot_date}}");
    await button("Save").click();
    await page.getByText("Saved.", { exact: true }).last().waitFor();

    /* One that operators may not pass on is saved, and that is said. */
    await button("Add a template").click();
    await dialog.getByLabel("Event", { exact: true }).selectOption("follow_up");
    await dialog.getByLabel("Channel", { exact: true }).selectOption("sms");
    await dialog.getByLabel("Language (en").fill("mr");
    await dialog.getByLabel("Text", { exact: true }).fill("Come on {{slot_date}}.");
    await dialog.getByLabel("DLT template id").fill("1107161234567890123");
    await button("Save").click();
    seen.warned = await page.locator(".toast").filter({ hasText: "registered" }).innerText();
    seen.listed = await page.locator("td .hint").innerText();
    /* At once: each goes by itself after a while. */
    await page.locator(".toast .icon-button").evaluateAll((all) => all.forEach((one) => one.click()));
    await page.locator(".toast").first().waitFor({ state: "detached" });
    await check(page, "templates");

    await open("boards", "Queue boards");
    await button("Add a board").click();
    await dialog.getByLabel("Where it hangs").fill("Ground floor");
    await dialog.getByLabel("Branch").selectOption(options.branch);
    await dialog.getByRole("button", { name: "Add a board" }).click();
    await dialog.getByLabel("Open this address once").waitFor();
    seen.link = await dialog.getByLabel("Open this address once").inputValue();
    await button("It is stored").click();
    await page.getByRole("cell", { name: "Ground floor" }).first().waitFor();
    await check(page, "boards");
    seen.shows = await asBoard(seen.link);
    await button("Revoke Ground floor").click();
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("cell", { name: "Revoked" }).waitFor();
    seen.showsNot = await asBoard(seen.link);

    /* What became of the messages to a patient, in the history of the visit. */
    await page.goto(`${options.url}/admin#/patients/${options.visit.patient_id}`);
    await button(`History ${options.visit.appointment_id}`).click();
    await dialog.locator(".told li").first().waitFor();
    seen.told = await dialog.locator(".told li").allInnerTexts();
    seen.happened = await dialog.locator("tbody tr").allInnerTexts();
    await check(page, "history-messages");
    await page.keyboard.press("Escape");
    await open("boards", "Queue boards");
    seen.ran = await page.evaluate(() => globalThis.ran ?? null);
    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("heading", { level: 1 }).innerText();
});

/* What the board's own call answers to the token of its address. */
async function asBoard(link) {
    const { hash } = new URL(link);

    return (await fetch(`${options.url}/api/v1/board`,
        { headers: { Authorization: `Bearer ${hash.slice(1)}` } })).status;
}
