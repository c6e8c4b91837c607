/*
 * board.js {"url": ..., "token": ..., "tokens": {BRANCH: board token},
 *           "board_id": ..., "shots": DIRECTORY}
 *		The television of a waiting room: set up once, told of each call, heard
 *		where that is wanted, honest when it has no news, ended when revoked.
 */
import { desk, judge, options, patience, run, seen } from "./desk.js";

const late = () => ({ timeout: patience(20000) });

/* What the desk does meanwhile. */
async function call(method, path, body) {
    const answer = await fetch(`${options.url}/api/v1/${path}`, {
        method,
        headers: {
            Authorization: `Bearer ${options.token}`,
            ...(body && { "Content-Type": "application/json" }),
        },
        body: body && JSON.stringify(body),
    });

    if (!answer.ok)
        throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
}

async function shot(page, name) {
    if (options.shots)
        await page.screenshot({ path: `${options.shots}/board-${name}.png` });
}

const row = (page, doctor) => page.locator("li.doctor", { hasText: doctor });

await run(async () => {
    const page = await desk({
        viewport: { width: 1920, height: 1080 }, expected: [/ERR_INTERNET_DISCONNECTED/, /401/],
    });

    await page.addInitScript(() => {
        globalThis.heard = { tones: 0, said: [] };
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...at) {
            globalThis.heard.tones++;
            return start.apply(this, at);
        };
        speechSynthesis.speak = (said) => globalThis.heard.said.push(`${said.lang} ${said.text}`);
    });

    /* Not set up. */
    await page.goto(`${options.url}/board/MUM-01`, { waitUntil: "networkidle" });
    await page.getByText("This screen is not set up").waitFor();
    await judge(page, "not set up");

    /* Set up once. */
    await page.goto("about:blank");
    await page.goto(`${options.url}/board/MUM-01#${options.tokens["MUM-01"]}`);
    await page.locator("li.doctor").first().waitFor();
    seen.address = page.url();
    await page.reload();
    await page.locator("li.doctor").first().waitFor();
    seen.heading = await page.getByRole("heading", { level: 1 }).innerText();
    seen.clock = await page.locator(".clock").innerText();
    seen.notice = await page.locator(".notice").innerText();
    seen.first = await row(page, options.doctor).locator(".token").innerText();
    seen.next = await row(page, options.doctor).locator(".next b").allInnerTexts();
    seen.shown = await page.locator("li.doctor").count();
    await judge(page, "light");
    await shot(page, "light");

    /* A call. */
    await page.getByRole("button", { name: "Chime" }).click();
    await page.getByRole("button", { name: "Speech" }).click();
    await page.locator(".controls .hint").waitFor({ state: "detached" });
    const called = await call("POST", "queue/call-next", { doctor_id: options.doctor_id });
    await row(page, options.doctor).and(page.locator(".called")).waitFor(late());
    seen.called = await row(page, options.doctor).locator(".token span").allInnerTexts();
    seen.wanted = called.token_number;
    seen.live = await page.locator("[aria-live]").innerText();
    seen.heard = await page.evaluate(() => globalThis.heard);
    await judge(page, "called");
    await shot(page, "called");

    await page.getByRole("button", { name: "Dark" }).click();
    seen.theme = await page.evaluate(() => document.documentElement.dataset.theme);
    await judge(page, "dark, called");

    /* By itself it would ask every ten seconds. */
    const took = [];

    for (let n = 0; n < 3; n++) {
        const said = await page.evaluate(() => globalThis.heard.said.length);
        const began = Date.now();

        await call("POST", "queue/call-next", { doctor_id: options.doctor_id });
        while (await page.evaluate(() => globalThis.heard.said.length) === said && Date.now() - began < late().timeout)
            await page.waitForTimeout(20);
        took.push(Date.now() - began);
    }
    seen.took = took.sort((a, b) => a - b)[1];
    const before = await page.evaluate(() => globalThis.heard.said.length);

    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await row(page, options.doctor).locator("h3").first().innerText();
    seen.lang = await page.evaluate(() => document.documentElement.lang);
    await shot(page, "dark-hindi");
    seen.repeated = await page.evaluate(() => globalThis.heard.said.length) - before;
    seen.last = (await call("POST", "queue/call-next", { doctor_id: options.doctor_id })).token_number;
    await page.locator(`.token:has-text("${seen.last}")`).first().waitFor(late());
    seen.again = (await page.evaluate(() => globalThis.heard)).said.at(-1);
    await page.getByLabel("भाषा").selectOption("en");

    /* No news. */
    await page.context().setOffline(true);
    await page.getByRole("alert").waitFor({ timeout: patience(30000) });
    seen.alarm = await page.getByRole("alert").innerText();
    await judge(page, "frozen");
    await shot(page, "frozen");
    await page.context().setOffline(false);
    await page.getByRole("alert").waitFor({ state: "detached", ...late() });
    seen.healed = true;

    /* Many doctors, some at a time; nothing of a queue is cut off. */
    seen.cut = [];
    for (const [width, height] of [[1920, 1080], [1280, 720], [3840, 2160]]) {
        const many = await desk({ viewport: { width, height } });

        await many.goto(`${options.url}/board/LON-01#${options.tokens["LON-01"]}`);
        await many.locator("li.doctor").first().waitFor();
        seen.pages = await many.locator(".pages").innerText();
        seen.at_once = await many.locator("li.doctor").count();
        seen.cut.push(...await many.locator("li.doctor, .board").evaluateAll((all) =>
            all.filter((one) => one.scrollHeight > one.clientHeight)
                .map((one) => `${one.className} ${one.scrollHeight} ${one.clientHeight}`)));
        await judge(many, `${width} x ${height}`);
        await shot(many, `many-${height}`);
        await many.close();
    }

    /* A telephone shows it, too. */
    const small = await desk({ viewport: { width: 360, height: 740 }, expected: [/401/, /ERR_FAILED/] });

    await small.route("**/api/v1/board/events", (route) => route.abort());
    await small.goto(`${options.url}/board/MUM-01#${options.tokens["MUM-01"]}`);
    await small.locator("li.doctor").first().waitFor();
    seen.wide = await small.evaluate(() =>
        document.documentElement.scrollWidth > document.documentElement.clientWidth);
    await judge(small, "360 px");
    await shot(small, "small");

    /* Without an event stream it asks. */
    await call("POST", "queue/call-next", { doctor_id: options.other_id });
    await row(small, options.other).and(small.locator(".called")).waitFor(late());
    seen.asked = true;

    /* Another branch's token. */
    await small.goto("about:blank");
    await small.goto(`${options.url}/board/MUM-01#${options.tokens["LON-01"]}`);
    await small.getByText("This screen is set up for").waitFor();
    seen.text = await page.locator("body").innerText();

    /* Revoked. */
    await call("DELETE", `boards/${options.board_id}`);
    await page.getByText("This screen is not set up, or not any more.").waitFor(late());
    seen.revoked = true;
    seen.left = await page.locator("li.doctor").count();
});
