/*
 * admin_pages.js {"url", "account", "password", "now"}
 *		Every page that a link of the menu, of the reports or of the settings
 *		leads to, in Hindi; what stands in a page's place while it is read and
 *		where it cannot be.
 */
import { check } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

/* EventCalendar's own remark to those who work on it. */
const EC = /svelte\.dev\/e\/derived_inert/;
const QUIET = ".spinner";

const links = (page, where) => page.locator(`${where} a`).evaluateAll((all) =>
    all.map((link) => link.getAttribute("href")));

await run(async () => {
    const page = await desk({ expected: [/api\/v1\/events/, EC, /status of 500/] });
    const open = async (hash) => {
        await page.goto(`${options.url}/admin${hash}`);
        await page.locator("main h1:visible, main [role=alert]").first().waitFor();
        await page.locator(QUIET).first().waitFor({ state: "detached" });
    };

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await page.getByLabel("Language").selectOption("hi");
    const all = new Set(await links(page, ".side nav"));

    all.add(await page.locator(".who-link").getAttribute("href"));
    await open("#/reports");
    (await links(page, ".tabs")).forEach((link) => all.add(link.replace(/\?.*/, "")));
    await open("#/settings");
    (await links(page, ".sections")).forEach((link) => all.add(link));
    seen.pages = [...all];
    seen.english = {};
    for (const link of all) {
        await open(link);
        await check(page, link.replace("#/", "").replaceAll("/", "-"));
        seen.english[link] = await page.evaluate(() => {
            const found = [];
            const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);

            while (walker.nextNode())
                if (/^(?:The|There|No|This|It|What|Your|All|Show|Add|Edit)\b.* /.test(walker.currentNode.data)
                        && !walker.currentNode.parentElement.closest("[lang=en], .cut, option"))
                    found.push(walker.currentNode.data);
            return found;
        });
    }

    /* A page that is read for long, and one that cannot be. */
    let answer;

    await page.route("**/api/v1/patients?*", (route) => new Promise((done) => {
        answer = () => done(route.fulfill({ status: 500, contentType: "application/problem+json",
            body: JSON.stringify({ code: "internal_error", detail: "Something went wrong.", status: 500 }) }));
    }));
    await page.goto(`${options.url}/admin#/patients`);
    await page.locator(QUIET).waitFor();
    await check(page, "loading");
    answer();
    await page.locator(".state[role=alert]").waitFor();
    await check(page, "failed");
    seen.failed_in = await page.locator(".state-title > span").evaluate((text) => text.firstChild.textContent);
});
