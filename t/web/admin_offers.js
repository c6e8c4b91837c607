/*
 * admin_offers.js {"url", "account", "password", "now", "language"}
 *		A desk offers the slot at ten to a patient, looks at what is offered,
 *		and withdraws it.
 */
import { check } from "./checks.js";
import { desk, options, run, seen, signedIn } from "./desk.js";

const DAY = options.now.slice(0, 10);
const WORDS = {
    en: { offer: "Offer", title: "Offered slots", withdraw: /^Withdraw/ },
    hi: { offer: "प्रस्ताव दें", title: "प्रस्तावित स्लॉट", withdraw: /वापस लें/ },
}[options.language];
const cell = (page, what) => page.locator(`[data-cell^="${what}"][data-cell*="${DAY}T10:00"]`);

await run(async () => {
    const page = await desk({ expected: [/api\/v1\/events/] });
    const dialog = page.getByRole("dialog");
    const toast = () => page.locator(".toast span").last().innerText();

    await page.clock.setFixedTime(options.now);
    await page.addInitScript(() => localStorage.setItem("appt-branch", "MUM-01"));
    await signedIn(page);
    await page.getByLabel("Language").selectOption(options.language);
    await page.goto(`${options.url}/admin#/calendar?date=${DAY}`);
    await cell(page, "free DOC-001").click();
    await dialog.getByRole("combobox").first().fill("00123");
    await page.locator(".option").first().click();
    await check(page, `offer-${options.language}`);
    await dialog.getByRole("button", { name: WORDS.offer, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    seen.offered = await toast();
    await cell(page, "free DOC-001").waitFor({ state: "detached" });
    seen.held = await page.locator(".calendar").innerText();
    await page.getByRole("button", { name: WORDS.title }).click();
    const withdraw = dialog.getByRole("button", { name: WORDS.withdraw });

    await withdraw.waitFor();
    await check(page, `offers-${options.language}`);
    seen.listed = await dialog.innerText();
    await withdraw.click();
    await withdraw.waitFor({ state: "detached" });
    seen.withdrawn = await toast();
    seen.none = await dialog.getByRole("status").innerText();
    await page.keyboard.press("Escape");
    await cell(page, "free DOC-001").waitFor();
});
