/*
 * admin_sign_in.js {"url", "account", "password", "shots"}
 *		Somebody signs in, sets up one-time codes, signs in with one, is asked
 *		again where the sign-in has ended, and is warned before it does.
 */
import { createHmac } from "node:crypto";
import { check } from "./checks.js";
import { desk, options, run, seen } from "./desk.js";

const EXPECTED = [/auth\/session/, /api\/v1\/events/, /status of 401/];

/* RFC 6238: what an authenticator shows. */
function code(secret) {
    const bits = [...secret.replace(/[ =]/g, "")].map((letter) =>
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const counter = Buffer.alloc(8);

    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
    const hash = createHmac("sha1", key).update(counter).digest();
    const at = hash[19] & 15;
    return String((hash.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

async function fill(page, password) {
    await page.getByLabel("Account").fill(options.account);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function state(page) {
    return (await page.request.get(`${options.url}/api/v1/auth/session`)).json();
}

await run(async () => {
    const page = await desk({ reducedMotion: "reduce", expected: EXPECTED });
    const title = page.getByRole("heading", { level: 1, name: "Today" });

    await page.goto(`${options.url}/admin`);
    await page.locator("[name=account]:focus").waitFor();
    await fill(page, "a wrong password");
    seen.wrong = await page.getByRole("alert").innerText();
    await check(page, "sign-in-refused");
    await fill(page, options.password);
    await title.waitFor();
    const cookies = await page.context().cookies();
    const cookie = cookies.find((c) => c.name === "bioecko_session");
    const device = cookies.find((c) => c.name.startsWith("bioecko_device_"));

    seen.cookie = [cookie.name, cookie.httpOnly, cookie.sameSite];
    seen.device = [device.path, device.httpOnly, device.sameSite];
    seen.readable = await page.evaluate(() => document.cookie);

    /* One-time codes. */
    await page.getByRole("link", { name: /Person/ }).click();
    await page.getByRole("button", { name: "Set up one-time codes" }).click();
    await page.locator(".qr").waitFor();
    seen.qr = await page.locator(".qr").evaluate((image) => image.decode().then(() => image.naturalWidth));
    await check(page, "account");
    await page.getByLabel(/Code that/).fill(code(await page.locator(".own code").first().innerText()));
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.locator(".codes li").nth(9).waitFor();
    const recovery = await page.locator(".codes li").allInnerTexts();

    seen.recovery = recovery.length;
    await check(page, "recovery-codes");
    await page.getByRole("button", { name: "I have them" }).click();
    await page.getByText("They are in use").waitFor();
    seen.left = await page.getByText(/codes? (is|are) left/).innerText();

    /* Where one is told of other devices: with the password that one has. */
    await page.getByRole("textbox", { name: "E-mail" }).fill("person@clinic.example");
    await page.getByLabel("Password, for this change").fill("a wrong password");
    await page.getByRole("button", { name: "Save the address" }).click();
    seen.emailRefused = await page.locator("form", { has: page.getByRole("textbox", { name: "E-mail" }) })
        .getByRole("alert").innerText();
    await page.getByLabel("Password, for this change").fill(options.password);
    await page.getByRole("button", { name: "Save the address" }).click();
    await page.getByText("The address is saved.").waitFor();
    await check(page, "account-email");

    /* The password as it must not be is refused beside its field. */
    await page.getByLabel("Password now").fill(options.password);
    await page.getByLabel("New password").fill("short");
    await page.getByRole("button", { name: "Change the password" }).click();
    seen.short = await page.locator(".field.bad").innerText();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("[name=account]:focus").waitFor();
    await fill(page, options.password);
    await page.getByLabel("Code").waitFor();
    seen.pasted = await page.getByLabel("Code").evaluate((input) =>
        [input.autocomplete, input.dispatchEvent(new ClipboardEvent("paste", { cancelable: true }))]);
    await check(page, "sign-in-code");
    await page.getByLabel("Code").fill(recovery[0]);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await title.or(page.getByRole("heading", { name: "Your account" })).waitFor();

    /* Signed out elsewhere, in the middle of something. */
    await page.goto(`${options.url}/admin#/today`);
    await page.getByRole("button", { name: "Walk-in" }).click();
    await page.getByRole("button", { name: "Register a new patient" }).click();
    await page.getByLabel("First name").fill("Half typed");
    const own = await state(page);

    await page.request.delete(`${options.url}/api/v1/auth/session`,
        { headers: { "X-CSRF-Token": own.csrf_token } });
    const again = page.getByRole("dialog", { name: "Please sign in again" });

    /* The page asks by itself where it has heard of it before. */
    await page.getByRole("button", { name: "Register", exact: true })
        .click({ timeout: 2000 }).catch(() => again.waitFor());
    await again.waitFor();
    await check(page, "asleep");
    await again.getByLabel("Password", { exact: true }).fill(options.password);
    await again.getByRole("button", { name: "Sign in", exact: true }).click();
    await again.getByLabel("Code").fill(recovery[1]);
    await again.getByRole("button", { name: "Sign in", exact: true }).click();
    await again.waitFor({ state: "detached" });
    seen.kept = await page.getByLabel("First name").inputValue();

    /* Recovery codes run low; new ones, with the password, end the old. */
    await page.goto(`${options.url}/admin#/account`);
    seen.twoUsed = await page.getByText(/codes? (is|are) left/).innerText();
    for (const used of recovery.slice(2, 7)) {
        await page.request.delete(`${options.url}/api/v1/auth/session`,
            { headers: { "X-CSRF-Token": (await state(page)).csrf_token } });
        await page.request.post(`${options.url}/api/v1/auth/session`,
            { data: { account: options.account, password: options.password, code: used } });
    }
    await page.reload();
    const few = page.getByText(/codes? (is|are) left/);

    await few.waitFor();
    seen.few = await few.innerText();
    await check(page, "recovery-codes-few");
    await page.getByRole("button", { name: "Make new recovery codes" }).click();
    await page.getByLabel("Password, for new codes").fill("a wrong password");
    await page.getByRole("button", { name: "Make them" }).click();
    seen.renewRefused = await page.getByRole("region", { name: "One-time codes" })
        .getByRole("alert").innerText();
    await page.getByLabel("Password, for new codes").fill(options.password);
    await check(page, "recovery-codes-renew");
    await page.getByRole("button", { name: "Make them" }).click();
    await page.locator(".codes li").nth(9).waitFor();
    const renewed = await page.locator(".codes li").allInnerTexts();

    seen.renewed = renewed.filter((one) => !recovery.includes(one)).length;
    await page.getByRole("button", { name: "I have them" }).click();
    seen.leftAgain = await few.innerText();

    /* Nobody there: a warning, more time, and then the end. */
    const idle = await page.context().newPage();

    await idle.clock.install();
    await idle.goto(`${options.url}/admin#/today`);
    await idle.getByRole("heading", { level: 1, name: "Today" }).waitFor();
    await page.close();
    await idle.clock.fastForward("25:30");
    await idle.getByRole("dialog", { name: "Still there?" }).waitFor();
    seen.warning = await idle.getByRole("timer").innerText();
    await check(idle, "idle");
    await idle.getByRole("button", { name: "Stay signed in" }).click();
    await idle.getByRole("dialog").waitFor({ state: "detached" });
    await idle.clock.fastForward("20:00");
    seen.stays = await idle.getByRole("dialog").count();
    /* A password typed before the server has ended the session: its answer takes the cookie away. */
    const answers = (method) => idle.waitForResponse((answer) => answer.request().method() === method);
    const [left, tried] = [answers("DELETE"), answers("POST")];
    const isTried = tried.then(() => true);
    let end;
    const held = new Promise((done) => {
        end = done;
    });

    await idle.route("**/api/v1/auth/session", async (route) => {
        if (route.request().method() === "DELETE")
            await held;
        await route.continue();
    });
    await idle.clock.fastForward("10:30");
    const asleep = idle.getByRole("dialog", { name: "Please sign in again" });

    await asleep.getByLabel("Password", { exact: true }).fill(options.password);
    await asleep.getByRole("button", { name: "Sign in", exact: true }).click();
    seen.tooSoon = await Promise.race([isTried, idle.waitForTimeout(1000).then(() => false)]);
    end();
    await left;
    await tried;
    seen.ended = (await idle.request.get(`${options.url}/api/v1/auth/session`)).status();
});
