/*
 * admin_patients.js {"url", "account", "password", "token", "patient", "double", "hostile"}
 *		A desk finds, edits and registers patients; another one edits at the
 *		same time; an answer is lost.
 */
import { call, check, listen, loseAnswer } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

const EVENTS = /api\/v1\/events/;
const rows = (page) => page.locator("table tbody tr");

await run(async () => {
    const page = await desk({ reducedMotion: "reduce", expected: [EVENTS, /status of (400|412)/, /ERR_/] });
    const sent = listen(page);
    const searches = [];

    page.on("request", (request) => {
        const url = new URL(request.url());

        if (url.pathname.endsWith("/patients") && url.searchParams.has("search"))
            searches.push(url.searchParams.get("search"));
    });
    await signedIn(page);
    await page.goto(`${options.url}/admin#/patients`);
    await rows(page).first().waitFor();
    seen.first = await rows(page).count();
    await check(page, "patients");
    await page.getByRole("button", { name: "Show more" }).click();
    await rows(page).nth(20).waitFor();
    seen.more = await rows(page).count();

    /* Found while it is typed; not asked for with each letter. */
    const answer = page.waitForResponse((one) =>
        new URL(one.url()).searchParams.get("search") === options.patient.name);

    await page.getByRole("searchbox").pressSequentially(options.patient.name, { delay: 20 });
    const ids = (await (await answer).json()).map((one) => one.patient_id);

    await rows(page).first().filter({ hasText: ids[0] }).waitFor();
    await rows(page).nth(ids.length).waitFor({ state: "detached" });
    seen.searches = searches.length;
    seen.letters = options.patient.name.length;
    seen.found = await rows(page).allInnerTexts();
    await page.getByRole("searchbox").fill("Nobody Has This Name");
    await page.getByText("Nobody is found by").waitFor();
    await page.getByRole("searchbox").fill(options.patient.phone);
    await page.getByRole("link", { name: options.patient.name, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: options.patient.name }).waitFor();
    seen.visits = await page.locator(".visits tbody tr").count();
    await check(page, "patient");

    /* Only what was changed is sent; a refusal stands at its field. */
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByLabel("E-mail").fill("no address");
    await page.getByLabel("City or village").fill("Thane");
    await page.getByLabel("Yes").check();
    await page.locator("form").evaluate((form) => form.setAttribute("novalidate", ""));
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".field.bad").first().waitFor();
    seen.refused = await page.locator(".field.bad").evaluateAll((all) => all.map((field) =>
        [field.querySelector("label").innerText, field.querySelector(".error").innerText,
            field.querySelector("input").getAttribute("aria-invalid")]));
    await check(page, "patient-edit");

    /* Left and come back to: what was typed is there. */
    await page.getByRole("link", { name: "Patients", exact: true }).click();
    await rows(page).first().waitFor();
    await page.goBack();
    await page.getByText("This is what you typed before.").waitFor();
    seen.kept = await page.getByLabel("City or village").inputValue();
    await page.getByLabel("E-mail").fill("ishita@example.com");

    /* Meanwhile another desk has changed the telephone. */
    await call("PATCH", `/patients/${options.patient.id}`, { phone: "+44 20 7946 0999" });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("What you changed is still here").waitFor();
    seen.both = [await page.getByLabel("Telephone").first().inputValue(),
        await page.getByLabel("City or village").inputValue()];
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(`${options.patient.name} is saved.`).waitFor();
    seen.changes = sent.filter(({ method }) => method === "PATCH");

    /* Registered in spite of a warning, which no click comes before, and once although the answer is lost. */
    await page.goto(`${options.url}/admin#/patients/new`);
    await page.getByLabel("First name").fill(options.double.first_name);
    await page.getByLabel("Last name").fill(options.double.last_name);
    await page.getByLabel("Telephone").first().fill(options.double.phone);
    await page.evaluate(() => new MutationObserver((_, observer) => {
        if (!document.querySelector(".doubles"))
            return;
        observer.disconnect();
        document.querySelector("main form button[type=submit]").click();
    }).observe(document.body, { childList: true, subtree: true }));
    await page.getByLabel("Date of birth").fill(options.double.date_of_birth);
    await page.locator(".doubles").getByText("date of birth").waitFor();
    seen.warned = await page.locator(".doubles").innerText();
    await check(page, "patient-new");
    seen.unseen = sent.filter(({ method }) => method === "POST").length;
    await loseAnswer(page, "POST", "/api/v1/patients");
    await page.getByRole("button", { name: "It is somebody else" }).click();
    await page.getByText("it is not known whether it was done").waitFor();
    seen.typed = await page.getByLabel("First name").inputValue();
    await page.getByRole("button", { name: "It is somebody else" }).click();
    await page.getByText("is registered as").waitFor();
    seen.registered = decodeURIComponent(new URL(page.url()).hash.split("/").pop());
    seen.keys = sent.filter(({ method }) => method === "POST").map(({ key }) => key);

    /* What a patient is called runs nowhere. */
    await page.goto(`${options.url}/admin#/patients/${options.hostile.id}`);
    await page.getByRole("heading", { level: 1 }).filter({ hasText: "<script>" }).waitFor();
    seen.hostile = await page.getByRole("heading", { level: 1 }).innerText();
    await page.goto(`${options.url}/admin#/patients?q=script`);
    await page.getByRole("link", { name: options.hostile.name }).waitFor();
    seen.ran = await page.evaluate(() => globalThis.ran ?? null);

    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("heading", { level: 1 }).innerText();
});
