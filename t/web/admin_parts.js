/*
 * admin_parts.js {"url", "account", "password", "date", "wishes"}
 *		The parts that the page's script comes in: which are loaded when, what is
 *		asked meanwhile, and what a desk sees of one that does not come.
 */
import { desk, options, patience, run, seen, signedIn, wish } from "./desk.js";

const EXPECTED = [/ERR_/, /status of 404 .*files\/patients/, /status of 50[234]/, /auth\/session/];
const NAME = /\/admin\/files\/([a-z]+)-\w+\.js$/;
const PAGES = ["account", "calendar", "patients", "reports", "settings", "today"];

const partsOf = (urls) => [...new Set(urls.map((url) => NAME.exec(new URL(url).pathname)?.[1])
    .filter((name) => PAGES.includes(name)))].sort().join(" ");

/* Another tab of the desk, what it asks for, and how often it is loaded anew. */
async function tab(door, { routes = {}, hash = "" } = {}) {
    const page = await door.context().newPage();
    const asked = [];
    const there = [];
    let loads = -1;

    page.on("request", (request) => asked.push(request.url()));
    page.on("requestfinished", (request) => there.push(request.url()));
    page.on("domcontentloaded", () => loads++);
    page.on("console", (message) => {
        const text = `${message.text()} ${message.location().url}`;

        if (message.type() === "error" && !EXPECTED.some((e) => e.test(text)))
            seen.complaints.push(text);
    });
    page.on("pageerror", (error) => seen.complaints.push(String(error.stack)));
    for (const [pattern, handler] of Object.entries(routes))
        await page.route(pattern, handler);
    /* One that is loaded anew at once would break off a longer wait. */
    await page.goto(`${options.url}/admin${hash}`, { waitUntil: "commit" });
    return { page, asked, there, loads: () => loads };
}

const heading = async (page, name) => {
    await page.getByRole("heading", { level: 1, name }).waitFor();
    return (await page.getByRole("heading", { level: 1 }).innerText()).split(" ")[0];
};
const alertOf = (page) => page.locator("main").getByRole("alert").innerText();
const look = (page, name) => page.getByRole("link", { name, exact: true }).click();

/* What it is once it is as it should be, or after a while. */
async function soon(get, isRight) {
    for (const end = Date.now() + patience(20000); Date.now() < end && !isRight(get());)
        await new Promise((done) => setTimeout(done, 50));
    return get();
}

/* Asked of the API, and which of it before the script was there. */
function questions(asked) {
    const paths = asked.filter((url) => url.includes("/api/v1/") && !/\/events|\/patients/.test(url));
    const script = asked.findIndex((url) => /files\/calendar/.test(url));

    return {
        twice: paths.filter((url, n) => paths.indexOf(url) !== n),
        early: [...new Set(paths.map((url) => new URL(url).pathname))].sort(),
        parts: partsOf(asked.slice(0, script + 1)),
    };
}

await run(async () => {
    const door = await desk({ expected: EXPECTED });
    const early = [];

    /* Only early.js: the rest of the script does not come. */
    const hold = (page) => page.route("**/admin/files/main-*", () => undefined);
    const nobody = await door.context().newPage();

    await hold(nobody);
    nobody.on("request", (request) => early.push(request.url()));
    const known = nobody.waitForResponse(/auth\/session/);

    await nobody.goto(`${options.url}/admin#/calendar?date=${options.date}`, { waitUntil: "commit" });
    await known;
    seen.nobody = questions(early);
    await nobody.close();

    /* Nobody chooses a branch: the first is remembered. */
    await signedIn(door);
    const held = await door.context().newPage();
    const meanwhile = [];

    await hold(held);
    held.on("request", (request) => meanwhile.push(request.url()));
    const last = held.waitForResponse(/visit-types/);

    await held.goto(`${options.url}/admin#/calendar?date=${options.date}`, { waitUntil: "commit" });
    await last;
    seen.first = questions(meanwhile);
    await held.close();

    /* With the stream comes what was missed: all is asked again, but not before. */
    let isShown;
    const shown = new Promise((done) => {
        isShown = done;
    });
    const { page, asked, there, loads } = await tab(door, { hash: `#/calendar?date=${options.date}`, routes: {
        "**/api/v1/events": (route) => shown.then(() => route.continue()) } });

    await page.locator(".calendar [data-cell]").first().waitFor();
    seen.first.twice = questions(asked).twice;
    isShown();
    seen.ahead = await soon(() => partsOf(there), (parts) => parts.split(" ").length === PAGES.length);
    await wish("stop");
    await page.locator(".banner").waitFor();
    await look(page, "Today");
    seen.lost = { heading: await heading(page, "Today"), banner: await page.locator(".banner").innerText(),
        loads: loads() };
    await wish("start");
    await page.locator(".banner").waitFor({ state: "detached" });
    await page.close();

    let isThere = false;
    const late = await tab(door, { hash: "#/today", routes: {
        "**/admin/files/patients-*": (route) => isThere ? route.continue() : route.abort() } });

    await heading(late.page, "Today");
    await wish("stop");
    await late.page.locator(".banner").waitFor();
    await look(late.page, "Patients");
    seen.late = { alert: await alertOf(late.page) };
    isThere = true;
    await wish("start");
    seen.late.heading = await heading(late.page, "Patients");
    seen.late.loads = late.loads();
    await late.page.close();

    let isOld = true;
    const changed = await tab(door, { hash: "#/today", routes: {
        "**/admin/files/patients-*": (route) => isOld ? route.fulfill({ status: 404 }) : route.continue() } });

    await heading(changed.page, "Today");
    changed.page.on("request", (request) => {
        if (request.isNavigationRequest())
            isOld = false;
    });
    await look(changed.page, "Patients");
    seen.changed = { heading: await heading(changed.page, "Patients"), loads: changed.loads() };
    await changed.page.close();

    const never = await tab(door, { hash: "#/patients", routes: {
        "**/admin/files/patients-*": (route) => route.abort() } });

    await soon(never.loads, (loads) => loads > 0);
    await never.page.waitForTimeout(6000);
    seen.never = { alert: await alertOf(never.page), loads: never.loads() };
    await look(never.page, "Today");
    seen.never.other = await heading(never.page, "Today");
    await look(never.page, "Patients");
    await never.page.unroute("**/admin/files/patients-*");
    seen.never.heading = await heading(never.page, "Patients");
    await never.page.close();
});
