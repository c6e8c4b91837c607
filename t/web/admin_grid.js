/*
 * admin_grid.js {"url", "account", "password", "now", "step", "wishes", "shots"}
 *		The calendar's grid under hands: visits dragged by mouse and finger and
 *		not, what is drawn of it at first and later, what another desk's booking
 *		draws anew, and what can be read in it. "step" is one of those below.
 */
import { judgeBoth, desk, options, patience, run, seen, signedIn, still, until, wish } from "./desk.js";

const DAY = options.now.slice(0, 10);
const NEXT = new Date(Date.parse(`${DAY}T00:00Z`) + 86400000).toISOString().slice(0, 10);
const at = (page, doctor, time) => page.locator(`[data-cell="free ${doctor} ${DAY}T${time}:00+05:30"]`);
const visit = (page) => page.locator(`.calendar .appointment[aria-label^="11:30 "]`);
const ghosts = (page) => page.locator(".calendar .ghost").count();
const isAsked = (page) => page.getByRole("dialog").count();

/* "held" is a day that is not told before page.go(). */
async function open({ query = "", init, held, now = options.now, ...more } = {}) {
    const page = await desk({ ...more, expected: [/api\/v1\/events/] });
    const gone = new Promise((done) => {
        page.go = done;
    });

    if (held)
        await page.route(`**/calendar?date=${held}*`, async (route) => {
            await gone;
            await route.continue();
        });

    await page.clock.setFixedTime(now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    if (init)
        await page.addInitScript(init);
    await signedIn(page);
    await page.goto(`${options.url}/admin#/calendar?date=${DAY}${query}`);
    await page.locator(".calendar .free").first().waitFor();
    return page;
}

const middle = async (locator) => {
    await locator.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await still(locator);

    return { x: x + width / 2, y: y + height / 2 };
};

/* Held by the mouse, a little way towards there. */
async function take(page, from, to) {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 6 });
    seen.ghosts.push(await ghosts(page));
}

/* What a finger does, by the browser's own touch events. */
async function finger(page) {
    const cdp = await page.context().newCDPSession(page);
    const send = (type, points) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points });
    const part = (from, to, n) => ({ x: from.x + (to.x - from.x) * n / 8, y: from.y + (to.y - from.y) * n / 8 });

    return {
        down: (p) => send("touchStart", [p]),
        up: () => send("touchEnd", []),
        async move(from, to, first = 1) {
            for (let n = first; n <= 8; n++)
                await send("touchMove", [part(from, to, n)]);
        },
        /* Down and on at once: nothing is awaited in which a press would become a long one. */
        begin: (from, to) => Promise.all([send("touchStart", [from]), send("touchMove", [part(from, to, 1)])]),
    };
}

/* It scrolls no more. */
async function atRest(page) {
    const top = () => page.evaluate(() => document.querySelector(".ec-main").scrollTop);

    for (let last = -1, n = 0; n < 4;) {
        const now = await top();

        n = now === last ? n + 1 : 0;
        last = now;
        await page.waitForTimeout(50);
    }
}

/* Chunks and columns as they are, to be found again. */
const mark = (page) => page.evaluate(() => {
    for (const cell of document.querySelectorAll(".calendar [data-cell]"))
        cell.wasThere = true;
});
const anew = (page) => page.evaluate(() => [...new Set([...document.querySelectorAll(".calendar [data-cell]")]
    .filter((cell) => !cell.wasThere).map((cell) => /, (Dr [^,]+), /.exec(cell.ariaLabel)[1]))]);

/* How often the event stream was opened. */
function counting() {
    const Real = EventSource;

    globalThis.EventSource = class extends Real {
        constructor(...given) {
            super(...given);
            this.addEventListener("open", () => {
                globalThis.streams = (globalThis.streams ?? 0) + 1;
            });
        }
    };
}

/* Nothing has been asked for a while. */
async function quiet(page) {
    let last = Date.now();
    const hear = () => {
        last = Date.now();
    };

    page.on("request", hear);
    while (Date.now() < last + patience(2000))
        await page.waitForTimeout(100);
    page.off("request", hear);
}

const steps = {
    /* Escape, outside, back where it was; and a dialog that is closed. */
    async undone() {
        const page = await open();
        const [from, to] = [await middle(visit(page)), await middle(at(page, "DOC-001", "10:30"))];
        const lifted = () => page.locator(".lifted").count();

        seen.ghosts = [];
        await take(page, from, to);
        seen.shown = await page.locator(".ghost .cell-time").textContent();
        if (options.shots)
            await page.screenshot({ path: `${options.shots}/drag.png` });
        await page.keyboard.press("Escape");
        seen.escaped = [await ghosts(page), await lifted()];
        await page.mouse.up();
        seen.escaped.push(await isAsked(page));
        await take(page, from, { x: to.x, y: 8 });
        await page.mouse.up();
        seen.outside = [await ghosts(page), await lifted(), await isAsked(page)];
        await take(page, from, to);
        await page.mouse.move(from.x, from.y, { steps: 4 });
        await page.mouse.up();
        await page.waitForTimeout(100);
        seen.back = [await ghosts(page), await lifted(), await isAsked(page)];
        await take(page, from, to);
        await page.mouse.up();
        await page.getByRole("dialog").waitFor();
        seen.waiting = await ghosts(page);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await page.locator(".ghost").waitFor({ state: "detached" });
        seen.closed = [await ghosts(page), await lifted()];
        await visit(page).focus();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
    },

    /* A long press moves it, to another doctor too; a short one scrolls. */
    async touch() {
        const page = await open({ hasTouch: true });
        const hand = await finger(page);
        const top = () => page.locator(".ec-main").evaluate((grid) => grid.scrollTop);
        let from = await middle(visit(page));

        seen.before = await top();
        const up = { x: from.x, y: from.y - 150 };

        await hand.begin(from, up);
        await hand.move(from, up, 2);
        await hand.up();
        seen.scrolled = [await ghosts(page), await isAsked(page)];
        await until(page, (before) => document.querySelector(".ec-main").scrollTop > before, seen.before);
        await atRest(page);
        seen.after = await top();
        /* Near an edge the grid would go on under the finger. */
        await visit(page).evaluate((one) => one.scrollIntoView({ block: "center", behavior: "instant" }));
        const to = await middle(at(page, "DOC-003", "11:45"));
        from = await middle(visit(page));
        await hand.down(from);
        await page.locator(".ghost").waitFor({ state: "attached" });
        await hand.move(from, to);
        await hand.up();
        await page.getByRole("dialog").waitFor();
        seen.asked = await page.getByRole("dialog").innerText();
    },

    /* A drag to the edge goes on where there is more; what was dragged is moved. */
    async edge() {
        const page = await open({ viewport: { width: 1280, height: 700 } });
        const grid = await page.locator(".calendar").boundingBox();
        const from = await middle(visit(page));

        seen.ghosts = [];
        await page.locator(".ec-main").evaluate((one) => one.scrollTo(0, 0));
        await page.mouse.move(0, 0);
        await take(page, await middle(visit(page)), { x: from.x, y: grid.y + grid.height - 10 });
        await until(page, () => {
            const one = document.querySelector(".ec-main");

            return one.scrollTop + one.clientHeight >= one.scrollHeight - 1;
        });
        await page.mouse.move(from.x, grid.y + grid.height - 60, { steps: 3 });
        seen.later = await page.locator(".ghost .cell-time").textContent();
        await page.keyboard.press("Escape");
        await page.mouse.up();
    },

    /* EventCalendar's frame: there before the day is, it stays; now, by the branch's clock. */
    async frame() {
        const page = await open({ zone: "Europe/London", held: NEXT, now: `${DAY}T10:40:00+05:30` });
        const heads = () => page.locator(".calendar .head").allInnerTexts();

        await page.locator(".ec-now-indicator").waitFor();
        seen.now = await page.evaluate((id) => {
            const cell = document.querySelector(`[data-cell="${id}"]`).getBoundingClientRect();
            const now = document.querySelector(".ec-now-indicator").getBoundingClientRect();

            return (now.top - cell.top) / (cell.height + 2) * 15;
        }, `free DOC-001 ${DAY}T10:30:00+05:30`);
        seen.heads = await heads();
        await page.evaluate(() => {
            for (const part of document.querySelectorAll(".ec-main, .ec-main .head"))
                part.wasThere = true;
        });
        await page.getByRole("button", { name: "The day after" }).click();
        await page.locator(".calendar[aria-busy='true']").waitFor();
        await page.locator(".calendar-wait .spinner").waitFor();
        seen.meanwhile = [await heads(), await page.locator(".calendar [data-cell]").count(),
            await page.locator(".ec-now-indicator").count()];
        await judgeBoth(page, "still read");
        page.go();
        await page.locator(".calendar .free").first().waitFor();
        seen.kept = await page.evaluate(() => [...document.querySelectorAll(".ec-main, .ec-main .head")]
            .every((part) => part.wasThere));
        seen.busy = await page.locator(".calendar").getAttribute("aria-busy");
        await page.getByRole("button", { name: "Week" }).click();
        await page.locator(".ec-week-view .free").first().waitFor();
        seen.days = await page.locator(".ec-col-group").allInnerTexts();
        seen.today = await page.locator(".ec-col-group.ec-today").allInnerTexts();
        seen.columns = await page.locator(".ec-week-view .head").count();
    },

    /* Away and back, to the same day and to another: the frame is the one that was there. */
    async back() {
        const page = await open();
        const frame = await page.locator(".ec-main").elementHandle();
        const cell = page.locator(".calendar [data-cell][tabindex='0']");
        const state = () => page.evaluate((main) => ({
            kept: document.querySelector(".ec-main") === main,
            stops: document.querySelectorAll(".calendar [tabindex='0'][data-cell]").length,
            days: [...new Set([...document.querySelectorAll(".calendar [data-cell^=free]")].map((e) =>
                /\d{4}-\d\d-\d\d/.exec(e.dataset.cell)[0]))],
        }), frame);

        seen.away = [];
        seen.back = [];
        await cell.focus();
        await page.keyboard.press("ArrowDown");
        for (const date of [DAY, NEXT]) {
            await page.getByRole("link", { name: "Today" }).click();
            await page.locator(".counts").waitFor();
            seen.away.push(await page.evaluate((main) => main.querySelectorAll("[data-cell]").length, frame));
            await page.evaluate((to) => {
                location.hash = to;
            }, `#/calendar?date=${date}`);
            await page.locator(`.calendar [data-cell*='${date}T'][tabindex='0']`).waitFor();
            seen.back.push(await state());
        }
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByLabel("Account").fill(options.account);
        await page.getByLabel("Password", { exact: true }).fill(options.password);
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await page.evaluate((to) => {
            location.hash = to;
        }, `#/calendar?date=${DAY}`);
        await cell.waitFor();
        seen.back.push(await state());
    },

    /* With one department chosen: another day, the day itself, and from the address. */
    async names() {
        const page = await open({ init: () => localStorage.setItem("appt-department", "GEN") });
        const named = (day) => until(page, (day) => {
            const names = [...document.querySelectorAll(".cell-name")].map((e) => e.textContent);

            return document.querySelector(`.calendar [data-cell*='${day}T']`)
                && names.length > 0 && !names.some((name) => /^PAT-/.test(name));
        }, day);

        await named(DAY);
        await page.getByRole("button", { name: "The day after" }).click();
        await named(NEXT);
        await page.getByRole("button", { name: "The day before" }).click();
        await named(DAY);
        /* Who signs in next has seen nobody, also of the day that is asked for ahead. */
        await page.getByRole("button", { name: "Sign out" }).click();
        await wish("forget");
        await page.locator("[name=account]:focus").waitFor();
        await page.getByLabel("Account").fill(options.account);
        await page.getByLabel("Password", { exact: true }).fill(options.password);
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await named(DAY);
        await quiet(page);
        await page.getByRole("button", { name: "The day after" }).click();
        await named(NEXT);
        await page.getByRole("button", { name: "The day before" }).click();
        await named(DAY);
        await page.reload();
        await named(DAY);
        seen.heads = await page.locator(".calendar .head").allInnerTexts();
    },

    /* The field for a date where the browser never has a moment: it is there for who comes to it. */
    async date() {
        const page = await open({ init: () => {
            window.requestIdleCallback = () => 0;
        } });
        const field = page.locator(".tools").getByLabel("Date", { exact: true });
        const state = () => field.evaluate(({ type, value }) => [type, value]);

        seen.fields = [await state()];
        await field.focus();
        seen.fields.push(await state());
        await page.keyboard.type(NEXT.slice(5).replace("-", ""));
        await page.locator(`.calendar [data-cell*='${NEXT}T']`).first().waitFor();
        seen.hash = new URL(page.url()).hash;
    },

    /* What is asked before it is known who asks, and for the day after; and not. */
    async early() {
        const page = await open({ init: counting });
        const asked = (what) => seen.requests.filter((url) => what.test(url)).length;
        const next = new RegExp(`/calendar\\?date=${NEXT}`);
        const soon = async (test) => {
            for (const end = Date.now() + patience(20000); Date.now() < end && !test();)
                await page.waitForTimeout(50);
        };

        await until(page, () => globalThis.streams > 0);
        await quiet(page);
        /* What was missed before the stream was there has been read again, and the day after it. */
        await soon(() => next.test(seen.requests.findLast((url) => /\/calendar\?date/.test(url))));
        await quiet(page);
        const before = asked(next);

        await page.getByRole("button", { name: "The day after" }).click();
        await page.locator(`.calendar [data-cell*='${NEXT}T']`).first().waitFor();
        seen.again = asked(next) - before;
        await page.getByRole("button", { name: "The day before" }).click();
        await page.locator(`.calendar [data-cell*='${DAY}T']`).first().waitFor();
        await soon(() => asked(next) > before + seen.again);
        await page.waitForTimeout(500);
        await wish("next");
        await page.waitForTimeout(500);
        await page.getByRole("button", { name: "The day after" }).click();
        await page.locator(".calendar .appointment[aria-label^='11:00 ']").waitFor();

        let heard;
        const day = new Promise((done) => {
            heard = done;
        });
        await page.route("**/auth/session", async (route) => {
            await day;
            await route.continue();
        });
        page.on("request", (request) => next.test(request.url()) && heard());
        await page.reload();
        await page.locator(".calendar .free").first().waitFor();
        await page.unrouteAll();
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("heading", { name: "Sign in" }).waitFor();
        const calls = asked(/\/api\//);

        await page.reload();
        await page.getByRole("heading", { name: "Sign in" }).waitFor();
        seen.unasked = seen.requests.filter((url) => /\/api\//.test(url)).slice(calls)
            .filter((url) => !/auth\/session/.test(url));
    },

    /* At first only what is in sight; the rest by key, by scrolling, on paper. */
    async sight() {
        const alone = { viewport: { width: 1000, height: 480 }, init: () => {
            globalThis.requestIdleCallback = () => 0;
        } };
        const page = await open(alone);
        const cells = () => page.locator(".calendar [data-cell]").count();
        const fresh = () => page.evaluate(() => {
            const grid = document.querySelector(".calendar").getBoundingClientRect();
            const holes = [];

            for (const head of document.querySelectorAll(".head"))
                for (let y = grid.top + 60; y < Math.min(grid.bottom, innerHeight) - 10; y += 20) {
                    const box = head.getBoundingClientRect();
                    const met = document.elementFromPoint(box.left + box.width / 2, y);

                    if (box.right < grid.right && !met?.closest(".cell"))
                        holes.push(`${head.textContent} ${y}`);
                }
            return holes;
        });

        seen.holes = await fresh();
        seen.first = await cells();
        await page.locator(".ec-main").evaluate((one) => one.scrollTo(0, 500));
        await until(page, (n) => document.querySelectorAll(".calendar [data-cell]").length > n, seen.first);
        seen.holes.push(...await fresh());
        seen.scrolled = await cells();
        await page.locator(".ec-main").evaluate((one) => one.scrollTo(0, 0));
        await page.locator(".calendar .free").first().focus();
        await page.keyboard.press("End");
        seen.end = await page.evaluate(() => document.activeElement.ariaLabel);
        seen.stops = await page.locator(".calendar [tabindex='0']").count();

        const paper = await open(alone);
        const tops = () => paper.locator(".calendar [data-cell]").evaluateAll((all) => Object.fromEntries(
            all.map((cell) => [cell.dataset.cell, cell.getBoundingClientRect().top])));
        const before = await tops();

        await paper.evaluate(() => dispatchEvent(new Event("beforeprint")));
        const after = await tops();
        seen.printed = Object.keys(after).length;
        seen.jumped = Object.keys(before).filter((id) => before[id] !== after[id]);

        const other = await open({ viewport: { width: 1000, height: 480 } });
        await until(other, (n) => document.querySelectorAll(".calendar [data-cell]").length === n, seen.printed);
    },

    /* Another desk books: one doctor's day is read and drawn, and no other. */
    async news() {
        const page = await open({ init: counting });
        const asked = [];

        await until(page, () => globalThis.streams > 0);
        await quiet(page);
        /* Also what is out of sight: another doctor's must not come after the mark. */
        await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
        await at(page, "DOC-001", "10:15").focus();
        await mark(page);
        page.on("request", (request) => {
            const query = new URL(request.url()).searchParams;

            if (/\/(appointments|calendar)/.test(request.url()))
                asked.push(`${new URL(request.url()).pathname.split("/").pop()} ${query.get("doctor_id")} ${query.has("patients")}`);
        });
        await wish("book");
        await page.locator(".calendar .appointment[aria-label^='12:15 ']").waitFor();
        seen.anew = await anew(page);
        seen.asked = [...new Set(asked)].sort();
        seen.focus = await page.evaluate(() => document.activeElement.dataset.cell);
        await mark(page);
        await at(page, "DOC-001", "10:15").focus();
        await wish("take");
        await page.locator(".calendar .appointment[aria-label^='10:15 ']").waitFor();
        await page.locator(".cell:focus").waitFor();
        seen.next = await page.evaluate(() => document.activeElement.ariaLabel);
    },

    /* Two at a time, in the week; a whole day on which somebody does not work. */
    async words() {
        const page = await open({ viewport: { width: 1600, height: 900 } });
        const reasons = async () => page.locator(".outside .cell-reason").evaluateAll((all) => all
            .filter((reason) => /Meera/.test(reason.parentElement.textContent)).map((reason) => {
                const grid = document.querySelector(".calendar").getBoundingClientRect();
                const { x, y, width, height } = reason.getBoundingClientRect();

                return Number(y > grid.top && y + height < grid.bottom
                    && document.elementFromPoint(x + width / 2, y + height / 2) === reason);
            }));

        seen.reasons = await reasons();
        await page.locator(".ec-main").evaluate((one) => one.scrollTo(0, one.scrollHeight));
        seen.reasons.push(...await reasons());
        await page.getByRole("button", { name: "Week" }).click();
        await page.locator(".calendar .beside.appointment .cell-name").nth(1).waitFor();
        await until(page, () => ![...document.querySelectorAll(".cell-name")].some((e) =>
            /^PAT-/.test(e.textContent)));
        await page.locator(".calendar .beside.appointment").first().scrollIntoViewIfNeeded();
        if (options.shots) {
            await page.screenshot({ path: `${options.shots}/week-two.png` });
            await page.emulateMedia({ colorScheme: "dark" });
            await page.screenshot({ path: `${options.shots}/week-two-dark.png` });
            await page.emulateMedia({ colorScheme: "light" });
        }
        /* Of each name, how many letters stand within its cell. */
        seen.names = await page.locator(".calendar .beside.appointment").evaluateAll((all) => all.map((cell) => {
            const name = cell.querySelector(".cell-name");
            const box = cell.getBoundingClientRect();
            const range = document.createRange();
            let letters = 0;

            for (let n = 0; n < name.textContent.length; n++) {
                range.setStart(name.firstChild, n);
                range.setEnd(name.firstChild, n + 1);
                const { right, bottom } = range.getBoundingClientRect();

                letters += right <= box.right + 0.5 && bottom <= box.bottom + 1 ? 1 : 0;
            }
            return [name.textContent, letters, cell.ariaLabel];
        }));
        await page.locator(".calendar .beside.appointment").first().hover();
        seen.title = await page.locator(".calendar .beside.appointment").first().getAttribute("title");
        await judgeBoth(page, "two at a time");
    },
};

await run(steps[options.step]);
