/*
 * admin_today.js {"url", "token", "scopes", "now", "step", "shots"}
 *		The front desk's day: a patient checked in, called and seen by single
 *		keys, a step undone, a walk-in who is registered, a lost server; and
 *		what is seldom done, by its button.
 */
import { call, check, printed } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

const EVENTS = /api\/v1\/events/;

async function open(more = {}) {
    const page = await desk({ ...more, expected: [EVENTS, /ERR_|503|502/, ...(more.expected ?? [])] });

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await page.goto(`${options.url}/admin#/today`);
    await page.locator(".queue .row").first().waitFor();
    return page;
}

const row = (page, id) => page.locator(`.row:has([data-id="${id}"])`);

async function counts(page) {
    return page.locator(".count dd").allInnerTexts();
}

const steps = {
    /* One key each: checked in, called, seen; and a step undone. */
    async keys() {
        const page = await open();
        const [first, second] = options.visits;

        seen.before = await counts(page);
        await row(page, first).locator(".row-main").focus();
        await page.keyboard.press("c");
        await row(page, first).locator(".chip.checked_in").waitFor();
        seen.arrived = await counts(page);
        seen.arrivedSlip = await printed(page, page.getByRole("button", { name: /^Slip of token/ }));
        await page.getByRole("button", { name: "Undo" }).click();
        await row(page, first).locator(".chip.booked").waitFor();
        await row(page, first).locator(".row-main").focus();
        await page.keyboard.press("c");
        await row(page, first).locator(".chip.checked_in").waitFor();
        await row(page, second).locator(".row-main").focus();
        await page.keyboard.press("c");
        await row(page, second).locator(".chip.checked_in").waitFor();
        await page.keyboard.press("p");
        await row(page, second).getByText("first in line").waitFor();
        seen.order = await page.locator(".queue .row-main").evaluateAll((all) =>
            all.slice(0, 2).map((main) => main.dataset.id));
        await page.keyboard.press("n");
        await row(page, second).locator(".chip.in_consultation").waitFor();
        await row(page, second).locator(".row-main").focus();
        await page.keyboard.press("d");
        await page.getByText(/The consultation of .* is over/).waitFor();
        await row(page, first).locator(".row-main").focus();
        await page.keyboard.press("ArrowDown");
        seen.moved = await page.evaluate(() => document.activeElement.dataset.id);
        await row(page, first).locator(".row-main").click();
        await check(page, "today");

        /* What happened to it, and by whom; the row's keys do not count there. */
        await row(page, first).getByRole("button", { name: "History" }).click();
        const dialog = page.getByRole("dialog");

        await dialog.locator("tbody tr").nth(3).waitFor();
        seen.history = (await dialog.locator("tbody tr").evaluateAll((all) => all.map((one) =>
            [...one.cells].slice(1).map((cell) => cell.innerText))));
        seen.messages = await dialog.locator(".told").count();
        await check(page, "history");
        await dialog.getByRole("button", { name: "Close" }).focus();
        await page.keyboard.press("s");
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        /* What had the focus may be gone: the key is heard all the same. */
        await page.evaluate(() => document.activeElement.blur());
        await page.keyboard.press("?");
        await dialog.getByText("Undo the last step").waitFor();
        await check(page, "today-keys");
    },

    /* What is seldom done, by the buttons of an open row; and taken back. */
    async deeds() {
        const page = await open();
        const [called, absent] = options.visits;
        const click = (id, name) => row(page, id).getByRole("button", { name }).click();
        const undo = () => page.getByRole("button", { name: "Undo" }).last().click();
        const state = (id, name) => row(page, id).locator(`.chip.${name}`).waitFor();

        await row(page, called).locator(".row-main").click();
        await click(called, /^Skip/);
        await row(page, called).getByText("did not answer").waitFor();
        await click(called, /^Call again/);
        await state(called, "in_consultation");
        await undo();
        await state(called, "checked_in");
        await click(called, /^Start/);
        await state(called, "in_consultation");
        await click(called, /^Complete/);
        await row(page, called).waitFor({ state: "detached" });
        await undo();
        await state(called, "in_consultation");
        await row(page, absent).locator(".row-main").click();
        await click(absent, /^Did not come/);
        await row(page, absent).waitFor({ state: "detached" });
        seen.absent = await counts(page);
        await undo();
        await state(absent, "booked");
        seen.back = await counts(page);
        await row(page, absent).locator(".row-main").focus();
        await page.keyboard.press("x");
        await row(page, absent).waitFor({ state: "detached" });
    },

    /* A walk-in who is registered, after a look at who has the same name. */
    async walkIn() {
        const page = await open();

        await page.getByRole("button", { name: "Walk-in" }).click();
        await page.getByRole("button", { name: "Register a new patient" }).click();
        const dialog = page.getByRole("dialog");
        let isSent;
        const sent = new Promise((done) => {
            isSent = done;
        });

        /* Sent before it is known who has the same name: that is asked all the same. */
        await page.route("**/api/v1/patients?*", (route) => sent.then(() => route.continue()));
        await dialog.getByLabel("First name").fill("Ishita");
        await dialog.getByLabel("Last name").fill("Nair");
        await dialog.getByLabel("Telephone").fill("+91 00000 99999");
        await dialog.getByRole("button", { name: "Register", exact: true }).click();
        isSent();
        await dialog.locator(".doubles").filter({ hasText: "Ishita Nair" }).waitFor();
        seen.doubles = await dialog.locator(".doubles").innerText();
        await check(page, "walk-in");
        await dialog.getByRole("button", { name: "It is somebody else" }).click();
        await dialog.getByLabel("Notes").fill("Fever");
        await dialog.getByRole("button", { name: "Check in" }).click();
        seen.said = await page.locator(".toast").first().innerText();
        seen.slip = await printed(page, page.getByRole("button", { name: "Slip of token 4" }));
        await page.setViewportSize({ width: 360, height: 740 });
        await check(page, "walk-in-slip");
    },

    /* What another desk does is seen; a server that is gone is said. */
    async two() {
        const page = await open({ expected: [/status of 403/] });
        const [id] = options.visits;
        const took = [];

        await page.locator(".live.now").waitFor();
        for (const [deed, state] of [["check-in", "checked_in"], ["undo-check-in", "booked"],
            ["check-in", "checked_in"], ["undo-check-in", "booked"], ["check-in", "checked_in"]]) {
            const began = performance.now();

            await call("POST", `/appointments/${id}/${deed}`);
            await row(page, id).locator(`.chip.${state}`).waitFor();
            took.push(performance.now() - began);
        }
        seen.took = took.sort((a, b) => a - b)[2];
        await page.getByRole("button", { name: "Walk-in" }).click();
        await page.getByRole("button", { name: "Register a new patient" }).click();
        await page.getByLabel("First name").fill("Half typed");
        await page.context().setOffline(true);
        await page.locator(".banner").waitFor();
        seen.banner = await page.locator(".banner").innerText();
        await page.context().setOffline(false);
        await page.locator(".banner").waitFor({ state: "detached" });
        seen.kept = await page.getByLabel("First name").inputValue();
        await page.getByRole("button", { name: "Close" }).first().click();

        /* Signed in anew in another tab: another token, the same person. */
        await page.request.post(`${options.url}/api/v1/auth/session`,
            { data: { account: options.account, password: options.password } });
        await row(page, id).locator(".row-main").focus();
        await page.keyboard.press("s");
        await row(page, id).locator(".chip.in_consultation").waitFor();
    },
};

await run(steps[options.step]);
