/*
 * admin_heals.js {"url", "account", "password", "now", "wishes", "patients"}
 *		A desk whose server goes and comes back while a form is half typed.
 */
import { desk, options, run, seen, signedIn, wish } from "./desk.js";

/* Of a server that is gone. */
const EXPECTED = [/ERR_/, /status of 50[234]/];

/* A form half typed when it goes, sent in vain, sent again once it is back. */
async function lose(page, what, patient) {
    const dialog = page.getByRole("dialog");
    const send = () => dialog.getByRole("button", { name: "Check in" }).click();
    const told = {};

    await page.getByRole("button", { name: "Walk-in" }).click();
    await dialog.getByRole("combobox").fill(patient);
    await page.locator(".option").first().click();
    await dialog.getByLabel("Notes").fill(`Half typed, ${what}`);
    await wish(`stop_${what}`);
    if (what === "gateway")
        await page.locator(".banner").waitFor();
    await send();
    told.refused = await dialog.getByRole("alert").innerText();
    await page.locator(".banner").waitFor();
    told.banner = await page.locator(".banner").innerText();
    await wish(`start_${what}`);
    await page.locator(".banner").waitFor({ state: "detached" });
    told.kept = await dialog.getByLabel("Notes").inputValue();
    await send();
    await dialog.waitFor({ state: "detached" });
    told.said = await page.locator(".toast span").last().innerText();
    await page.locator(".row-name").getByText(told.said.match(/^(.*) is checked in/)[1]).waitFor();
    await page.locator(".live.now").waitFor();
    return told;
}

await run(async () => {
    const page = await desk({ expected: EXPECTED });

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await page.goto(`${options.url}/admin#/today`);
    await page.locator(".live.now").waitFor();
    seen.gateway = await lose(page, "gateway", options.patients[0]);
    seen.database = await lose(page, "database", options.patients[1]);
});
