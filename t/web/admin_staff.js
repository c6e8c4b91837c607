/*
 * admin_staff.js {"url", "account", "password", "branch", "doctor", "coded",
 *		"patient"}
 *		Who manages staff adds a doctor's account, changes it beside another
 *		desk, sees the person signed in and signs her out, gives another
 *		password, takes codes away, deletes, and sees who looked at a patient.
 */
import { check, listen } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

const FIRST = "seven brown kettles sing";
const SECOND = "nine green lanterns wait";

/* Whether the desk is signed in, by what the server says of its cookie. */
async function stateOf(page) {
    return (await page.request.get(`${options.url}/api/v1/branches`)).status();
}

/* How far the widest table goes beyond its card, which cuts it off. */
async function cutOff(page) {
    return page.locator(".list-card").evaluateAll((cards) => Math.max(...cards.map((card) =>
        Math.round(card.firstElementChild.getBoundingClientRect().right
            - card.getBoundingClientRect().right))));
}

await run(async () => {
    const page = await desk({
        reducedMotion: "reduce",
        expected: [/auth\/session/, /api\/v1\/events/, /status of (400|403|409|412|422)/],
    });
    const sent = listen(page);
    const button = (name) => page.getByRole("button", { name, exact: true });
    const dialog = page.getByRole("dialog");
    const title = (name) => page.getByRole("heading", { level: 1, name }).waitFor();

    await signedIn(page);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("link", { name: "Staff", exact: true }).first().click();
    await title("Staff");

    /* Refused here, then by the server at its field, then added. */
    await button("Add a person").click();
    await page.getByLabel("Name").fill("Leela <script>ran=1</script> Nair");
    await page.getByLabel("Account").fill("leela");
    await page.getByLabel("Role").selectOption("doctor");
    await page.getByLabel("E-mail").fill("leela@clinic.example");
    await page.getByLabel("Only these").check();
    await page.getByLabel(options.branch.name).check();
    await page.getByLabel("Those of these departments").check();
    await page.getByLabel("Cardiology").check();
    await page.getByLabel("Password").fill("short");
    await page.getByLabel("The same again").fill("shore");
    await button("Add a person").click();
    await page.locator(".field.bad").waitFor();
    seen.notSame = await page.locator(".field.bad .error").innerText();
    seen.sentUnequal = sent.filter(({ path }) => path === "/staff").length;
    await page.getByLabel("The same again").fill("short");
    await button("Add a person").click();
    await page.locator(".field.bad .error").filter({ hasText: "12" }).waitFor();
    seen.short = await page.locator(".field.bad label").innerText();
    await page.getByLabel("Password").fill(FIRST);
    await page.getByLabel("The same again").fill(FIRST);
    await button("Add a person").click();
    await page.locator(".field.bad").filter({ hasText: "Choose a doctor" }).waitFor();
    await check(page, "staff-new");
    await page.getByLabel("Doctor", { exact: true }).selectOption(options.doctor.doctor_id);
    await button("Add a person").click();
    await title("Leela <script>ran=1</script> Nair");
    await check(page, "staff-one");

    /* The person signs in elsewhere, and is seen there. */
    const other = await desk({ expected: [/auth\/session/, /api\/v1\/events/, /status of 401/] });

    await signedIn(other, { account: "leela", password: FIRST });
    await page.getByRole("link", { name: "All staff" }).click();
    const signIns = page.getByRole("table", { name: "Signed in now" });
    const row = signIns.getByRole("row").filter({ hasText: "leela" });

    await row.waitFor();
    seen.row = await row.getByRole("cell").allInnerTexts();
    seen.own = await signIns.getByRole("row").filter({ hasText: "This browser" }).innerText();
    seen.cutOff = [await cutOff(page)];
    await check(page, "staff");
    await other.goto(`${options.url}/admin#/patients/${options.patient}`);
    await other.getByRole("heading", { name: "Visits" }).waitFor();
    seen.before = await stateOf(other);
    seen.shownToDoctor = await other.getByRole("heading", { name: "Who looked" }).count();
    await row.getByRole("button").click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    seen.stillIn = await stateOf(other);
    await row.getByRole("button").click();
    await dialog.getByRole("button", { name: "Sign out" }).click();
    await row.waitFor({ state: "detached" });
    seen.after = await stateOf(other);
    await other.close();

    /* Changed while somebody else does: only what was changed is sent. */
    const accounts = page.getByRole("table", { name: "Staff" });

    await accounts.getByRole("link", { name: /Leela/ }).click();
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByLabel("Name").fill("Leela Nair");
    const id = new URL(page.url()).hash.split("/")[3];
    const csrf = (await (await page.request.get(`${options.url}/api/v1/auth/session`)).json()).csrf_token;

    await page.request.patch(`${options.url}/api/v1/staff/${id}`,
        { data: { language: "hi" }, headers: { "X-CSRF-Token": csrf } });
    await button("Save").click();
    await page.getByText("What you changed is still here").waitFor();
    await page.getByLabel("Role").selectOption("reception");
    await check(page, "staff-edit");
    await button("Save").click();
    await title("Leela Nair");
    seen.match = sent.filter(({ method }) => method === "PATCH").pop().match;

    /* Another password. */
    await button("Set a password").click();
    await dialog.getByLabel("Password").fill(SECOND);
    await dialog.getByLabel("The same again").fill(SECOND);
    await check(page, "staff-password");
    await dialog.getByRole("button", { name: "Set a password" }).click();
    await page.getByText("Leela Nair has another password.").waitFor();
    seen.second = SECOND;

    /* What was done to and with the account, newest first. */
    const history = page.getByRole("region", { name: "History" }).locator("tbody tr");

    await history.filter({ hasText: "New password" }).first().waitFor();
    seen.history = (await history.allInnerTexts()).map((one) =>
        one.split(/\s*[\t\n]\s*/).filter(Boolean));

    /* Codes are taken away, and an account deleted, once that is confirmed. */
    await page.getByRole("link", { name: "All staff" }).click();
    await accounts.getByRole("link", { name: "Coded" }).click();
    await button("Take one-time codes away").click();
    await check(page, "staff-reset");
    await dialog.getByRole("button", { name: "Take one-time codes away" }).click();
    await page.getByText("Coded has no one-time codes any more.").waitFor();
    await button("Take one-time codes away").waitFor({ state: "detached" });
    await button("Delete").click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    seen.askedFirst = sent.filter(({ method, path }) => method === "DELETE"
        && path === `/staff/${options.coded}`).length;
    await button("Delete").click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("The account of Coded is deleted.").waitFor();

    /* What the server does not allow, in its words: one's own end. */
    await accounts.getByRole("link", { name: /^Person/ }).click();
    await button("Delete").click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("alert").waitFor();
    seen.ownDeleted = await dialog.getByRole("alert").innerText();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    seen.ran = await page.evaluate(() => globalThis.ran ?? null);

    /* Who looked at a patient: a program, the doctor, oneself just now. */
    await page.goto(`${options.url}/admin#/patients/${options.patient}`);
    await page.getByRole("table", { name: "Who looked" }).waitFor();
    seen.looked = await page.getByRole("table", { name: "Who looked" }).locator("tbody tr")
        .evaluateAll((rows) => rows.map((one) => [...one.cells].slice(1).map((cell) => cell.innerText)));
    await check(page, "patient-accesses");
    await page.goto(`${options.url}/admin#/settings/staff`);
    await title("Staff");
    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("heading", { level: 1 }).innerText();
    await page.locator(".list-card").nth(1).waitFor();
    seen.cutOff.push(await cutOff(page));
});
