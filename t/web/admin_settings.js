/*
 * admin_settings.js {"url", "account", "password", "token", "busy": {doctor_id, date}, "branch",
 *		"sunday", "holiday"}
 *		A new doctor gets hours, a session, a department; absences fall on
 *		booked visits; a rule is set for a branch and taken back.
 */
import { call, check, listen } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

await run(async () => {
    const page = await desk({
        reducedMotion: "reduce", expected: [/api\/v1\/events/, /status of (400|409|412|422)/],
    });
    const sent = listen(page);
    const button = (name) => page.getByRole("button", { name, exact: true });
    const dialog = page.getByRole("dialog");
    const last = (path) => sent.filter((one) => one.path.startsWith(path)).pop();
    const open = async (path, heading) => {
        await page.goto(`${options.url}/admin#/settings/${path}`);
        await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    };

    await signedIn(page);
    await page.goto(`${options.url}/admin#/settings`);

    /* A department, and a doctor in it; refused first, by a sentence. */
    await open("departments", "Departments");
    await button("Add a department").click();
    await dialog.getByLabel("Code").fill("SKIN");
    await dialog.getByLabel("Name").fill("Skin <script>ran=1</script>");
    await dialog.getByLabel("Slot length").fill("20");
    await button("Save").click();
    await page.getByRole("cell", { name: "SKIN" }).first().waitFor();
    await check(page, "departments");

    await open("doctors", "Doctors");
    await button("Add a doctor").click();
    await dialog.getByLabel("Code").fill("DOC 900");
    await dialog.getByLabel("Name").fill("Dr Leela Nair");
    await dialog.getByLabel("Department").selectOption("SKIN");
    await button("Save").click();
    await dialog.locator(".form-error").waitFor();
    seen.refused = await dialog.locator(".form-error").innerText();
    await dialog.getByLabel("Code").fill("DOC-900");
    await check(page, "doctor-new");
    await button("Save").click();
    await page.getByRole("cell", { name: "DOC-900" }).first().waitFor();
    await check(page, "doctors");

    /* Changed by two: only what was changed here is sent, then again. */
    await page.getByRole("button", { name: "Edit Dr Leela Nair" }).click();
    await dialog.getByLabel("Specialty").fill("Dermatology");
    await call("PATCH", "/doctors/DOC-900", { buffer_after_min: 5 });
    await page.route("**/api/v1/doctors?*", async (route) => {
        await page.waitForTimeout(1000);
        await route.continue();
    });
    /* In the very frame that says so. */
    const theirs = dialog.getByLabel("Minutes kept free after a visit").evaluate((input) => new Promise((done) => {
        const look = () => input.closest("dialog").querySelector(".draft") ? done(input.value)
            : requestAnimationFrame(look);

        look();
    }));

    await button("Save").click();
    await dialog.getByText("What you changed is still here").waitFor();
    seen.theirs = await theirs;
    await button("Save").click();
    await dialog.waitFor({ state: "detached" });
    await page.unroute("**/api/v1/doctors?*");
    await page.getByRole("cell", { name: "Dermatology" }).first().waitFor();
    seen.doctor = last("/doctors/DOC-900");

    /* Her week: two sessions, one of which then holds two at a time. */
    await page.getByRole("row", { name: /Dr Leela Nair/ }).getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "Working hours" }).waitFor();
    seen.doctorChosen = await page.getByLabel("Doctor").inputValue();
    for (const [from, to] of [["09:00", "13:00"], ["14:00", "17:30"]]) {
        await page.getByRole("button", { name: "Add hours, Tuesday" }).click();
        await dialog.getByLabel("Branch").selectOption(options.branch);
        await dialog.getByLabel("From", { exact: true }).fill(from);
        await dialog.getByLabel("To", { exact: true }).fill(to);
        await button("Save").click();
        await page.locator(".week").getByText(`${from}–${to}`).waitFor();
    }
    await page.getByRole("button", { name: "Add hours, Tuesday" }).click();
    await dialog.getByLabel("Branch").selectOption(options.branch);
    await dialog.getByLabel("From", { exact: true }).fill("12:00");
    await dialog.getByLabel("To", { exact: true }).fill("15:00");
    await button("Save").click();
    await dialog.locator(".form-error").waitFor();
    seen.overlap = await dialog.locator(".form-error").innerText();
    await button("Cancel").click();
    await page.locator(".week").getByRole("button", { name: /14:00–17:30/ }).click();
    await dialog.getByLabel("Patients at a time").fill("2");
    await button("Save").click();
    await page.locator(".week").getByText("2 at a time").waitFor();
    seen.hours = last("/doctors/DOC-900/working-hours");
    await button("Add a session").click();
    await dialog.getByLabel("Date").fill(options.sunday);
    await dialog.getByLabel("Branch").selectOption(options.branch);
    await button("Save").click();
    await page.getByRole("cell", { name: options.sunday.split("-").reverse().join("/") }).first().waitFor();
    await check(page, "hours");

    /* Time off on a day with visits: refused, then they are moved. */
    await page.goto(`${options.url}/admin#/settings/hours/time-off?doctor=${options.busy.doctor_id}`);
    await button("Add time off").click();
    await dialog.getByLabel("First day").fill(options.busy.date);
    await dialog.getByLabel("Last day").fill(options.busy.date);
    await dialog.getByText(/visits? (is|are) booked in it:/).waitFor();
    seen.affected = await dialog.locator(".affected li").count();
    await dialog.getByLabel("Reason").fill("Conference");
    await check(page, "time-off");
    await button("Save").click();
    await dialog.locator(".form-error").waitFor();
    seen.notSaved = await dialog.locator(".form-error").innerText();
    await dialog.getByLabel("Move each").check();
    await button("Save").click();
    await page.getByText("The time off is saved.").waitFor();
    seen.moved = await page.locator(".toast").last().innerText();

    /* A closure; asked about before it goes. */
    await open("hours/closures", "Closures");
    await page.locator(".section").getByLabel("Branch").selectOption(options.branch);
    await button("Add a closure").click();
    await dialog.getByLabel("First day").fill(options.holiday);
    await dialog.getByLabel("Last day").fill(options.holiday);
    await dialog.getByText("No visit is booked in it.").waitFor();
    await dialog.getByLabel("Reason").fill("Independence Day");
    await button("Save").click();
    await page.getByRole("cell", { name: "Independence Day" }).first().waitFor();
    await check(page, "closures");
    await page.getByRole("button", { name: /^Edit/ }).click();
    await dialog.getByLabel("Reason").fill("National holiday");
    await button("Save").click();
    await page.getByRole("cell", { name: "National holiday" }).first().waitFor();

    /* A rule for one branch, and back. */
    await open("rules", "Rules");
    await page.getByLabel("Counts for").selectOption(`branch:${options.branch}`);
    await page.getByRole("button", { name: "Change cancellation_window_min" }).click();
    await dialog.getByLabel("Value").fill("x");
    await button("Save").click();
    await dialog.locator(".form-error").waitFor();
    seen.ruleRefused = await dialog.locator(".form-error").innerText();
    await dialog.getByLabel("Value").fill("45");
    await check(page, "rule");
    await button("Save").click();
    await page.getByRole("row", { name: /cancellation_window_min/ }).getByText("45").waitFor();
    seen.rule = await call("GET", `/settings/cancellation_window_min?branch_id=${options.branch}`);
    await check(page, "rules");

    /* By subject, and found by a word of what it means. */
    seen.subjects = await page.locator(".rule-group h2").allInnerTexts();
    seen.rules = await page.locator(".rule-group tbody tr").count();
    await page.getByLabel("Find a rule").fill("quiet before");
    await page.getByText("No rule has").waitFor();
    await check(page, "rules-none");
    await page.getByLabel("Find a rule").fill("quiet");
    await page.getByRole("status").filter({ hasText: "2 of" }).waitFor();
    seen.quiet = await page.locator(".rule-group td:first-child small").allInnerTexts();
    seen.left = await page.locator(".rule-group h2").allInnerTexts();
    await page.keyboard.press("Tab");
    seen.toButton = await page.evaluate(() => document.activeElement.innerText.replace(/\s+/g, " "));
    await page.getByLabel("Find a rule").fill("");
    await page.getByRole("button", { name: "Change cancellation_window_min" }).click();
    await button("Back to what counts above it").click();
    await page.getByRole("row", { name: /cancellation_window_min/ }).getByText("120").waitFor();

    await open("visit-types", "Visit types");
    await button("Add a visit type").click();
    await dialog.getByLabel("Code").fill("dressing");
    await dialog.getByLabel("Name").fill("Change of dressing");
    await button("Save").click();
    await page.getByRole("cell", { name: "dressing" }).first().waitFor();
    await page.getByRole("button", { name: "Edit Change of dressing" }).click();
    await button("Delete").click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Change of dressing is deleted.").waitFor();

    await open("branches", "Branches");
    await button("Add a branch").click();
    await dialog.getByLabel("Code").fill("PUN-01");
    await dialog.getByLabel("Name").fill("Pune");
    await dialog.getByLabel("Time zone").selectOption("Asia/Kolkata");
    await button("Save").click();
    await page.getByRole("cell", { name: "PUN-01" }).first().waitFor();
    await check(page, "branches");

    /* When a branch is open: half a day, breaks; refused over sessions, which are
       named; kept while one looks elsewhere; changed beside another desk. */
    const week = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
    const hoursOf = `settings/branches/${options.branch}/hours`;
    const put = async ([first, ...others], opens, closes) => {
        await page.getByRole("button", { name: `Add opening hours, ${first}` }).click();
        for (const day of others)
            await dialog.getByLabel(day).check();
        await dialog.getByLabel("Opens").fill(opens);
        await dialog.getByLabel("Closes").fill(closes);
        await button("Put into the week").click();
    };

    await page.getByRole("row", { name: new RegExp(options.branch) })
        .getByRole("link", { name: /Opening hours/ }).click();
    await page.getByRole("heading", { level: 1, name: "Opening hours" }).waitFor();
    seen.openPlace = new URL(page.url()).hash;
    await put(week, "14:00", "13:00");
    seen.order = await dialog.locator(".field.bad .error").innerText();
    await check(page, "opening-hours-add");
    await dialog.getByLabel("Opens").fill("08:00");
    await button("Put into the week").click();
    await put(week, "14:00", "00:00");
    await put(["Saturday"], "08:00", "14:00");
    await button("Save").click();
    await page.locator(".affected li").first().waitFor();
    seen.outside = await page.locator(".affected li").allInnerTexts();
    await check(page, "opening-hours");
    await open("departments", "Departments");
    await page.goto(`${options.url}/admin#/${hoursOf}`);
    await page.getByText("The week is not saved yet.").waitFor();
    seen.keptWeek = await page.locator(".week li:not(.off)").count();
    await put(["Sunday"], "09:00", "14:00");
    await page.locator(".week").getByRole("button", { name: /^09:00–14:00/ }).click();
    await dialog.getByLabel("Valid from").fill("2026-01-01");
    await button("Put into the week").click();
    await call("PATCH", `/branches/${options.branch}`, { phone: "+91 22 5550 0199" });
    await button("Save").click();
    await page.getByText("What you changed is still here").waitFor();
    await button("Save").click();
    await page.getByText("The opening hours are saved.").waitFor();
    await open("branches", "Branches");
    seen.picker = await page.locator(".branch-picker option").allInnerTexts();
    seen.ran = await page.evaluate(() => globalThis.ran ?? null);
    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("heading", { level: 1 }).innerText();
});
