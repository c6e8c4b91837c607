/*
 * admin_roles.js {"url", "account", "password", "now", "stranger"}
 *		What the page shows to whoever signs in: the menu, what opens by its
 *		address, whose queues, columns and patients.
 */
import { check } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

await run(async () => {
    const page = await desk({ expected: [/api\/v1\/events/, /status of (403|404)/] });
    const open = (path) => page.goto(`${options.url}/admin#/${path}`);
    const title = (name) => page.getByRole("heading", { level: 1, name }).waitFor();

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await title("Today");
    seen.menu = (await page.getByRole("navigation", { name: "Pages" }).getByRole("link").allInnerTexts())
        .map((text) => text.trim());
    await page.locator(".queue h2").first().waitFor();
    seen.queues = await page.locator(".queue h2").allInnerTexts();
    await check(page, `today-${options.role}`);

    await open(`calendar?date=${options.now.slice(0, 10)}`);
    await page.locator(".calendar .free").first().waitFor();
    seen.columns = (await page.locator(".calendar .head").allInnerTexts())
        .map((text) => text.trim()).filter((text) => text !== "");

    await open("patients");
    await page.locator("tbody tr").first().waitFor();
    while (await page.getByRole("button", { name: "Show more" }).count() > 0) {
        const before = await page.locator("tbody tr").count();

        await page.getByRole("button", { name: "Show more" }).click();
        await page.locator("tbody tr").nth(before).waitFor();
    }
    seen.patients = await page.locator("tbody tr td:nth-child(4)").allInnerTexts();
    await open(`patients/${options.stranger}`);
    await page.getByRole("searchbox").waitFor({ state: "detached" });
    await page.locator(".patients h1, main [role=alert]").first().waitFor();
    seen.stranger = await page.locator(".patients h1, main [role=alert] p").first().innerText();

    seen.settings = {};
    for (const path of ["settings", "settings/api/webhooks", "settings/api/access", "settings/staff"]) {
        await open(path);
        await page.locator("main .state:visible, main h1:visible").first().waitFor();
        seen.settings[path] = await page.locator("main").innerText();
    }
});
