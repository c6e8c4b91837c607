/*
 * admin_calendar.js {"url", "token", "scopes", "now", "step", "shots"}
 *		A desk's work in the calendar. "step" is one of those below; each ends
 *		where the database can be asked what became of it.
 */
import { printed } from "./checks.js";
import { desk, judgeBoth, options, run, seen, signedIn, still, until } from "./desk.js";

const DAY = options.now.slice(0, 10);

async function open(more = {}) {
    const page = await desk({ ...more, expected: [/api\/v1\/events/, ...(more.expected ?? [])] });

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await page.goto(`${options.url}/admin#/calendar?date=${DAY}`);
    await page.locator(".calendar .free").first().waitFor();
    return page;
}

/* The focus moves by keys alone, as somebody without a mouse moves it. */
async function tabTo(page, test, most = 40) {
    for (let n = 0; n < most; n++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(test))
            return;
    }
    throw new Error(`nothing by Tab: ${test}`);
}

/* What is out of sight is drawn when there is time, or for paper. */
const whole = (page) => page.evaluate(() => dispatchEvent(new Event("beforeprint")));

/* Each visit has its patient's name. */
const named = (page) => until(page, () => ![...document.querySelectorAll(".cell-name")].some((name) =>
    /^PAT-/.test(name.textContent)));

const inGrid = () => document.activeElement.matches(".calendar .cell");
/* WCAG 2.2, 2.4.11: what stands in front of what has the focus. */
const covered = () => {
    const { x, y, width, height } = document.activeElement.getBoundingClientRect();
    const there = document.elementFromPoint(x + width / 2, y + height / 2);

    return document.activeElement.contains(there) ? []
        : [`${document.activeElement.ariaLabel} is covered by ${there?.outerHTML.slice(0, 80)}`];
};
const text = (page) => page.evaluate(() => document.activeElement.ariaLabel);

const steps = {
    /* From the address to a booked and moved appointment, by keys alone. */
    async keyboard() {
        const page = await desk({ expected: [/auth\/session/] });

        await page.clock.setFixedTime(options.now);
        await page.goto(`${options.url}/admin#/calendar?date=${DAY}`);
        await page.locator("[name=account]:focus").waitFor();
        await page.keyboard.type(options.account);
        await page.keyboard.press("Tab");
        await page.keyboard.type(options.password);
        await page.keyboard.press("Enter");
        await page.getByLabel("Branch").waitFor();
        await tabTo(page, () => document.activeElement.getAttribute("aria-label") === "Branch");
        await page.keyboard.press("a");
        await page.locator(".calendar .free").first().waitFor();
        await tabTo(page, inGrid);
        seen.first = await text(page);
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowRight");
        seen.beside = await text(page);
        await page.keyboard.press("Home");
        await page.keyboard.press("ArrowLeft");
        seen.back = await text(page);
        seen.covered = [];
        for (const key of ["End", "ArrowUp", "ArrowUp", "Home", "End", "Home"]) {
            await page.keyboard.press(key);
            seen.covered.push(...await page.evaluate(covered));
        }
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("Home");
        await page.keyboard.press("ArrowLeft");
        seen.stops = await page.locator(".calendar [tabindex='0']").count();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog", { name: "Book an appointment" }).waitFor();
        await page.keyboard.type("00123");
        await page.locator(".option.at").filter({ hasText: "PAT-2026-00123" }).waitFor();
        await page.keyboard.press("Enter");
        await tabTo(page, () => document.activeElement.textContent === "Book");
        await page.keyboard.press("Enter");
        await page.getByText("is booked for").waitFor();
        seen.booked = await page.locator(".toast span").first().innerText();
        await page.locator(".calendar .appointment:focus").waitFor();
        seen.after = await text(page);
        await page.keyboard.press("m");
        const dialog = page.getByRole("dialog");

        await dialog.getByRole("radio").first().waitFor();
        await tabTo(page, () => document.activeElement.type === "radio");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowDown");
        await tabTo(page, () => document.activeElement.textContent === "Continue");
        await page.keyboard.press("Enter");
        await dialog.locator(".compare").getByText("Token 1").last().waitFor();
        seen.asked = await dialog.innerText();
        await tabTo(page, () => document.activeElement.textContent === "Move");
        await page.keyboard.press("Enter");
        await page.getByText("is now on").waitFor();
    },

    /* By mouse: drag, the server's refusal, and what was typed is there still. */
    async drag() {
        const page = await open({ expected: [/409/] });
        const cell = page.locator(`.calendar .appointment:has-text("${options.name}")`);
        const from = await still(cell);
        const to = await still(page.locator(`[data-cell="free DOC-001 ${DAY}T10:30:00+05:30"]`));

        await page.mouse.move(from.x + 40, from.y + 10);
        await page.mouse.down();
        await page.mouse.move(to.x + 40, to.y + 5, { steps: 8 });
        await page.mouse.move(to.x + 40, to.y + 8);
        await page.mouse.up();
        const dialog = page.getByRole("dialog");

        await dialog.waitFor();
        seen.asked = await dialog.innerText();
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/move.png` });
        await judgeBoth(page, "move");
        await dialog.getByLabel("Reason").fill("She asked for it");
        await dialog.getByLabel("Tell the patient").uncheck();
        await dialog.getByRole("button", { name: "Move" }).click();
        await page.getByText("is now on").waitFor();
    },

    /* Somebody else has the slot meanwhile. */
    async conflict() {
        const page = await open({ expected: [/409/] });

        await page.locator(`[data-cell="free DOC-001 ${options.instant}"]`).click();
        const dialog = page.getByRole("dialog");

        /* Enter takes nobody who was found by what stood there before. */
        const search = dialog.getByRole("combobox");
        let answer;
        const held = new Promise((done) => (answer = done));

        await page.route(/search=PAT-2026-00150/, async (route) => {
            await held;
            await route.continue();
        });
        await search.fill("PAT-2026-00151");
        await page.locator(".option.at").filter({ hasText: "PAT-2026-00151" }).waitFor();
        await search.fill("PAT-2026-00150");
        await search.press("Enter");
        await page.waitForTimeout(100);
        seen.early = [await search.count(), await page.locator(".option").count(),
            await page.locator(".option.at").count()];
        answer();
        await page.locator(".option.at").filter({ hasText: "PAT-2026-00150" }).waitFor();
        await search.press("Enter");
        await dialog.getByLabel("Notes").fill("Please call first");
        await page.request.post(`${options.url}/api/v1/appointments`, {
            headers: { Authorization: `Bearer ${options.token}` },
            data: { patient_id: "PAT-2026-00151", doctor_id: "DOC-001", branch_id: "MUM-01",
                slot_start: options.instant },
        });
        await dialog.getByRole("button", { name: "Book", exact: true }).click();
        seen.refused = await dialog.getByRole("alert").innerText();
        seen.kept = await dialog.getByLabel("Notes").inputValue();
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/conflict.png` });
        await judgeBoth(page, "refused booking");
    },

    /* Cancelled, with a reason and too late, on purpose; what is blocked says why. */
    async cancel() {
        const page = await open({ expected: [/409/] });

        await whole(page);
        seen.blocked = await page.locator(".calendar .blocked").evaluateAll((all) =>
            all.map((cell) => [cell.querySelector(".cell-reason").textContent, cell.title]));
        /* Where each stands, and its time: what lies off the line of all. */
        seen.astray = await page.locator(".calendar [data-cell]").evaluateAll((all) => {
            const at = all.filter((e) => /^\d\d:\d\d/.test(e.ariaLabel)).map((e) => [e.ariaLabel.slice(0, 5),
                Number(e.ariaLabel.slice(0, 2)) * 60 + Number(e.ariaLabel.slice(3, 5)), e.getBoundingClientRect().top]);
            const low = at.reduce((a, b) => a[1] <= b[1] ? a : b);
            const high = at.reduce((a, b) => a[1] >= b[1] ? a : b);
            const px = (high[2] - low[2]) / (high[1] - low[1]);

            return at.filter(([, minute, top]) => Math.abs(low[2] + (minute - low[1]) * px - top) > 3)
                .map(([text, , top]) => `${text} at ${top}`);
        });
        await named(page);
        seen.names = await page.locator(".cell-name").allInnerTexts();
        seen.pwned = await page.evaluate(() => globalThis.pwned ?? null);
        await judgeBoth(page, "calendar");
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/calendar.png` });
        await page.locator(`.calendar .appointment:has-text("${options.name}")`).click();
        await judgeBoth(page, "appointment");
        seen.slip = await printed(page, page.getByRole("button", { name: /^Slip of token/ }));
        await page.getByRole("button", { name: "Cancel the appointment" }).click();
        await page.getByLabel("Reason").fill("Well again");
        await page.getByRole("button", { name: "Cancel the appointment" }).click();
        seen.late = await page.getByRole("dialog").getByRole("alert").innerText();
        await page.getByLabel("Do it all the same").check();
        await page.getByRole("button", { name: "Cancel the appointment" }).click();
        await page.getByText("is cancelled.").waitFor();
        await page.locator(`.calendar .appointment:has-text("${options.name}")`).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Week" }).click();
        await page.getByLabel("Doctor", { exact: true }).selectOption("DOC-001");
        await page.locator(".calendar .free").nth(20).waitFor();
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/week.png` });
        await judgeBoth(page, "week");
    },

    /* The first free slot of a department; the grid of another; grey cells say why. */
    async departments() {
        const page = await open({ expected: [/slots\/first/] });
        const dialog = page.getByRole("dialog");
        const found = () => dialog.locator(".moment").innerText();

        await whole(page);
        seen.outside = await page.locator(".calendar .outside").allInnerTexts();
        await page.getByRole("button", { name: "First free slot" }).click();
        /* The answer to a choice that is another by then. */
        let refuse;
        const refused = page.waitForResponse("**/slots/first?*");

        await page.route("**/slots/first?*", (route) => {
            refuse = () => route.fulfill({ status: 404, contentType: "application/problem+json",
                body: JSON.stringify({ code: "not_found", detail: "there is no such doctor" }) });
        });
        const asked = page.waitForRequest("**/slots/first?*");
        await dialog.getByRole("button", { name: "Find" }).click();
        await asked;
        await dialog.getByLabel("Department").selectOption("PAED");
        await refuse();
        await (await refused).finished();
        await page.unroute("**/slots/first?*");
        await dialog.getByRole("button", { name: "Find" }).and(page.locator("[aria-disabled=false]")).waitFor();
        seen.refused = await dialog.locator(".form-error").count();
        seen.choices = await dialog.getByLabel("Doctor").locator("option").allInnerTexts();
        await dialog.getByRole("button", { name: "Find" }).click();
        await dialog.locator(".moment").waitFor();
        seen.found = await found();
        await dialog.getByRole("button", { name: "A later one" }).click();
        await dialog.locator(".moment").filter({ hasText: "09:45" }).waitFor();
        seen.later = await found();
        await judgeBoth(page, "first free slot");
        await dialog.getByRole("button", { name: "Book", exact: true }).click();
        await dialog.getByRole("combobox").fill("PAT-2026-00155");
        await page.locator(".option").first().click();
        await dialog.getByRole("button", { name: "Book", exact: true }).click();
        await page.getByText("is booked for").waitFor();
        await page.locator(".tools").getByLabel("Department").selectOption("CARD");
        await page.locator(".calendar .head").nth(1).waitFor({ state: "detached" });
        await page.locator(".calendar .head").first().waitFor();
        seen.columns = (await page.locator(".calendar .head").allInnerTexts()).map((text) => text.trim());
        await page.getByRole("link", { name: "Today" }).click();
        await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();
        await page.locator(".counts").waitFor();
        seen.kept = await page.locator(".page-head").getByLabel("Department").inputValue();
        seen.shown = await page.locator(".queue h2").allInnerTexts();
    },

    /* From a patient's page to a slot, and what happened to the visit. */
    async patient() {
        const page = await open();
        const dialog = page.getByRole("dialog");

        await page.goto(`${options.url}/admin#/patients/${options.patient}`);
        await page.getByRole("link", { name: "Book", exact: true }).click();
        await page.locator(".booking-for").waitFor();
        seen.banner = await page.locator(".booking-for span").innerText();
        await judgeBoth(page, "booking for a patient");
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/booking-for.png` });
        await page.getByRole("button", { name: "Not now" }).click();
        await page.locator(".booking-for").waitFor({ state: "detached" });
        await page.goBack();
        await page.getByRole("link", { name: "Book", exact: true }).click();
        await page.locator(`[data-cell="free DOC-003 ${options.instant}"]`).click();
        seen.chosen = await dialog.locator(".chosen strong").innerText();
        await dialog.getByRole("button", { name: "Book", exact: true }).click();
        await page.getByText("is booked for").waitFor();
        seen.banners = await page.locator(".booking-for").count();
        await page.locator(`.calendar .appointment:has-text("${seen.chosen}")`).click();
        await dialog.getByRole("button", { name: /^History/ }).click();
        const record = page.getByRole("dialog", { name: /^History/ });

        await record.locator("tbody tr").first().waitFor();
        seen.record = await record.locator("tbody tr").allInnerTexts();
        await judgeBoth(page, "history of an appointment");
    },

    /* Each blocked stretch has its reason where it is seen: behind no visit. */
    async reasons() {
        const page = await open({ viewport: { width: 1280, height: 2400 } });
        const reasons = page.locator(".calendar .blocked .cell-reason");

        await page.locator(".calendar .appointment").first().waitFor();
        await whole(page);
        seen.reasons = await reasons.count();
        seen.hidden = await reasons.evaluateAll((all) => all.filter((reason) => {
            const box = reason.getBoundingClientRect();

            return !reason.parentElement.contains(document.elementFromPoint(
                box.x + box.width / 2, box.y + box.height / 2));
        }).map((reason) => reason.parentElement.innerText));
    },

    /* On a telephone: one doctor, nothing wider than the screen. */
    async narrow() {
        const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

        seen.wide = await page.evaluate(() => document.documentElement.scrollWidth);
        seen.small = await page.locator("button:visible, select:visible, input:visible, a:visible")
            .evaluateAll((all) => all.map((e) => [e.textContent.slice(0, 30), e.getBoundingClientRect()])
                .filter(([, r]) => r.width > 1 && (r.width < 24 || r.height < 24)).map(([t, r]) =>
                    `${t} ${r.width}x${r.height}`));
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/narrow-calendar.png` });
        await judgeBoth(page, "narrow");
        await page.locator(".calendar .free").first().tap();
        await page.getByRole("dialog", { name: "Book an appointment" }).waitFor();
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/narrow-book.png` });
    },
};

await run(steps[options.step]);
