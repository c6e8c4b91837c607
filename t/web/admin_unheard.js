/*
 * admin_unheard.js {"url", "account", "password", "now", "wishes", "patients"}
 *		A gateway that does what it was asked to and dies before it answers: a
 *		desk books and moves, hears nothing, and goes on once it is back.
 */
import { desk, options, run, seen, signedIn, wish } from "./desk.js";

const DAY = options.now.slice(0, 10);
const EXPECTED = [/ERR_/, /status of 50[234]/];

const free = (page, time) => page.locator(`[data-cell="free DOC-001 ${DAY}T${time}:00+05:30"]`);
const shown = (page) => page.locator(".calendar .appointment").evaluateAll((all) =>
    all.map((cell) => cell.dataset.cell).sort());

/* Sends it, of which the answer is lost, and waits until all is back. */
async function lose(page, call, send) {
    const sent = [];

    await page.route(call, async (route) => {
        const request = route.request();

        if (request.method() === "GET")
            return route.continue();
        const answer = await route.fetch();

        sent.push({ key: request.headers()["idempotency-key"], status: answer.status(),
            replayed: answer.headers()["idempotency-replayed"] ?? "", body: await answer.json() });
        if (sent.length > 1)
            return route.fulfill({ response: answer });
        await wish("kill");
        return route.abort("connectionreset");
    });
    await send();
    await page.locator(".banner").waitFor();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await wish("start");
    await page.locator(".banner").waitFor({ state: "detached" });
    return sent;
}

async function fill(page, time, patient) {
    const dialog = page.getByRole("dialog");

    await free(page, time).click();
    await dialog.getByRole("combobox").fill(patient);
    await page.locator(".option").first().click();
    return () => dialog.getByRole("button", { name: "Book", exact: true }).click();
}

await run(async () => {
    const page = await desk({ expected: EXPECTED });
    const dialog = page.getByRole("dialog");
    const toast = () => page.locator(".toast span").last().innerText();

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await page.goto(`${options.url}/admin#/calendar?date=${DAY}`);
    await free(page, "10:00").waitFor();

    /* Booked, and sent again. */
    const book = await fill(page, "10:00", options.patients[0]);
    seen.booked = await lose(page, "**/api/v1/appointments", book);
    await book();
    await dialog.waitFor({ state: "detached" });
    seen.said = await toast();
    await page.unrouteAll();
    await page.locator(".calendar .appointment").first().waitFor();

    /* Moved, and sent again. */
    await page.locator(".calendar .appointment").first().focus();
    await page.keyboard.press("m");
    await dialog.locator("label", { hasText: "11:00" }).first().click();
    await dialog.getByRole("button", { name: "Continue" }).click();
    const move = () => dialog.getByRole("button", { name: "Move", exact: true }).click();
    seen.moved = await lose(page, "**/reschedule", move);
    await move();
    await dialog.waitFor({ state: "detached" });
    seen.saidMoved = await toast();
    await page.unrouteAll();

    /* Booked, and not sent again: the calendar has it. */
    seen.left = await lose(page, "**/api/v1/appointments", await fill(page, "12:00", options.patients[1]));
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.locator(".calendar .appointment").nth(1).waitFor();
    seen.shown = await shown(page);
});
