/*
 * admin_reports.js {"url", "account", "password", "token", "from", "to", "branch", "date"}
 *		The reports as plots and tables, one saved as CSV, a department alone; a
 *		day's list and a token's slip as they are printed; a doctor's day moved
 *		as a whole, and what is refused, in English and in Hindi.
 */
import { check } from "./checks.js";
import { desk, options, run, seen, signedIn, until } from "./desk.js";
import { readFile } from "node:fs/promises";

/* The size in mm of a PDF's pages, and how many. */
function pages(pdf) {
    const boxes = [...pdf.toString("latin1").matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)/g)];

    return boxes.map(([, width, height]) => [width, height].map((points) =>
        Math.round((points / 72) * 25.4)));
}

await run(async () => {
    const page = await desk({ reducedMotion: "reduce", acceptDownloads: true, expected: [/api\/v1\/events/, /status of (400|409)/] });
    const heading = (name) => page.getByRole("heading", { level: 1, name });
    const cells = () => page.locator("tbody tr").evaluateAll((rows) => rows.map((row) =>
        [...row.querySelectorAll("td")].map((cell) => cell.innerText)));

    await page.addInitScript((branch) => localStorage.setItem("appt-branch", branch), options.branch);
    await signedIn(page);
    await page.goto(`${options.url}/admin#/reports`);
    await page.getByLabel("From", { exact: true }).fill(options.from);
    await page.getByLabel("To", { exact: true }).fill(options.to);
    await page.getByRole("row", { name: /In all/ }).waitFor();
    seen.utilisation = await cells();
    await until(page, () => {
        const canvas = document.querySelector(".plot canvas");
        const { data = [] } = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height) ?? {};

        return data.some((byte) => byte !== 0);
    });
    seen.drawn = true;
    await check(page, "utilisation");
    await page.getByLabel("Department").selectOption(options.department);
    await page.locator("tbody tr").filter({ hasText: options.stranger }).waitFor({ state: "detached" });
    await page.getByRole("row", { name: /In all/ }).waitFor();
    seen.department = await page.locator(".list-card tbody td:first-child").allInnerTexts();
    seen.offered = (await page.getByLabel("Doctor").locator("option").allInnerTexts()).slice(1);
    await page.getByLabel("Department").selectOption("");
    await page.locator("tbody tr").filter({ hasText: options.stranger }).waitFor();
    seen.reports = {};
    for (const name of ["No-shows", "Waiting time", "Bookings by hour"]) {
        await page.getByRole("navigation", { name: "Reports" }).getByRole("link", { name }).click();
        await heading(name).waitFor();
        await page.getByRole("row", { name: /In all/ }).waitFor();
        seen.reports[name] = await cells();
        if (name === "No-shows")
            seen.names = await page.locator(".list-card tbody tr").first().locator("td").evaluateAll((all) =>
                all.map((cell) => getComputedStyle(cell).textAlign));
        await check(page, name.toLowerCase().replaceAll(" ", "-"));
    }
    const [download] = await Promise.all([page.waitForEvent("download"),
        page.getByRole("button", { name: "Bookings by hour as CSV" }).click()]);
    seen.csvName = download.suggestedFilename();
    seen.csv = await readFile(await download.path(), "utf8");

    /* More days than the server gives: its own sentence. */
    await page.getByLabel("From", { exact: true }).fill("2020-01-01");
    await page.locator(".state[role=alert]").waitFor();
    seen.refused = await page.locator(".state[role=alert] .state-title").innerText();
    await page.getByLabel("From", { exact: true }).fill(options.from);

    /* Paper. The slip prints at once; the test looks at it before it is gone. */
    await page.evaluate(() => {
        globalThis.printed = 0;
        globalThis.print = () => globalThis.printed++;
    });
    await page.getByRole("link", { name: "Day list" }).click();
    await page.locator(".sheet").first().waitFor();
    await page.evaluate((date) => {
        globalThis.daysSeen = [];
        new MutationObserver(() => {
            const heads = document.querySelectorAll(".sheet header");

            if ([...heads].some((head) => head.innerText.includes(date)))
                globalThis.daysSeen.push(document.querySelectorAll(".sheet tbody tr").length);
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
    }, options.date.split("-").reverse().join("/"));
    await page.getByLabel("Date", { exact: true }).fill(options.date);
    await page.locator(".sheet header").filter({ hasText: options.date.split("-").reverse().join("/") })
        .first().waitFor();
    seen.list = await page.locator(".sheet tbody tr").count();
    seen.daysSeen = await page.evaluate(() => [...new Set(globalThis.daysSeen)]);
    seen.doctors = await page.locator(".sheet").count();
    seen.broken = await page.locator(".sheet button").evaluateAll((all) =>
        all.filter((button) => button.getClientRects()[0].height > 40).length);
    await check(page, "day-list");
    await page.getByLabel("Department").selectOption(options.department);
    await page.locator(".sheet").filter({ hasText: options.stranger }).waitFor({ state: "detached" });
    await page.locator(".sheet").first().waitFor();
    seen.sheets = await page.locator(".sheet h2").allInnerTexts();
    await page.getByLabel("Department").selectOption("");
    await page.locator(".sheet").filter({ hasText: options.stranger }).waitFor();
    await page.getByRole("button", { name: "Print the list" }).click();
    const list = await page.pdf({ preferCSSPageSize: true });
    seen.listPages = pages(list);
    await page.emulateMedia({ media: "print" });
    seen.listShows = await page.locator(".side, .filters, .sheet button").evaluateAll((all) =>
        all.filter((element) => element.checkVisibility()).length);
    await page.emulateMedia({ media: null });
    const slip = page.getByRole("button", { name: /^Slip of token/ }).first();
    seen.token = (await slip.getAttribute("aria-label")).match(/\d+$/)[0];
    await slip.click();
    await page.locator(".slip").waitFor({ state: "attached" });
    seen.printed = await page.evaluate(() => globalThis.printed);
    await page.emulateMedia({ media: "print" });
    seen.slip = await page.locator(".slip").innerText();
    seen.slipAlone = await page.locator(".sheet").first().isVisible();
    if (options.shots) {
        await page.screenshot({ path: `${options.shots}/slip.png` });
        await (await import("node:fs/promises")).writeFile(`${options.shots}/list.pdf`, list);
    }
    await page.emulateMedia({ media: null });
    seen.slipPages = pages(await page.pdf({ preferCSSPageSize: true }));
    await page.locator(".slip").waitFor({ state: "detached" });

    /* The day of one of them: nowhere, then where not all fit, then a day they do. */
    const dialog = page.getByRole("dialog");
    const [day, closed, open] = options.days;

    await page.getByLabel("Date", { exact: true }).fill(day);
    await page.getByRole("button", { name: `Move the day ${options.mover}` }).click();
    seen.nowhere = await dialog.getByRole("status").innerText();
    await dialog.getByLabel("To the day").fill(closed);
    seen.note = await dialog.locator(".field-note").innerText();
    await dialog.getByLabel("Reason").fill("The doctor is ill");
    await dialog.getByRole("button", { name: "Move all" }).click();
    await dialog.locator(".form-error").waitFor();
    seen.notFit = await dialog.locator(".form-error").innerText();
    await check(page, "day-move");
    await dialog.getByLabel("To the day").fill(open);
    seen.willMove = await dialog.getByRole("status").innerText();
    await dialog.getByRole("button", { name: "Move all" }).click();
    await page.locator(".toast").filter({ hasText: "now with" }).waitFor();
    seen.dayMoved = await page.locator(".toast > span").last().innerText();
    await page.locator(".sheet").filter({ hasText: options.mover }).waitFor({ state: "detached" });

    /* In Hindi: the page's sentence first, then the server's, said to be English. */
    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("heading", { level: 1 }).innerText();
    await page.getByLabel("तारीख़", { exact: true }).fill(open);
    await page.getByRole("button", { name: options.mover }).filter({ hasText: "दिन" }).click();
    await dialog.getByLabel("किस दिन").fill(closed);
    await dialog.getByRole("button", { name: "सब बदलें" }).click();
    await dialog.locator(".form-error").waitFor();
    seen.hindiRefusal = await dialog.locator(".form-error").evaluate((error) => ({
        own: error.querySelector("span").firstChild.textContent,
        said: error.querySelector("[lang=en]").innerText,
    }));
    await check(page, "refusal-hindi");
    await page.keyboard.press("Escape");
    await page.goto(`${options.url}/admin#/reports/utilisation?from=2020-01-01&to=${options.to}`);
    await page.locator(".state[role=alert]").waitFor();
    seen.hindiFailed = await page.locator(".state-title > span").evaluate((text) =>
        [text.firstChild.textContent, text.querySelector("[lang=en]").innerText]);
});
