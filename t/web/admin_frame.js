/*
 * admin_frame.js {"url": ..., "shots": DIRECTORY}
 *		The clinic's page before anybody signs in: what is loaded, what the
 *		form is, what axe and the browser say.
 */
import { desk, judgeBoth, options, run, seen } from "./desk.js";

await run(async () => {
    const page = await desk({ expected: [/auth\/session/] });

    await page.goto(`${options.url}/admin`, { waitUntil: "networkidle" });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.locator("input:focus").waitFor();
    seen.title = await page.title();
    seen.loaded = seen.bytes;
    seen.focused = await page.evaluate(() => document.activeElement?.getAttribute("name"));
    seen.complete = await page.locator("input").evaluateAll((all) =>
        all.map((input) => input.autocomplete).filter((word) => word !== ""));
    await judgeBoth(page, "sign-in");
    if (options.shots)
        await page.screenshot({ path: `${options.shots}/sign-in.png` });
    await page.getByLabel("Language").selectOption("hi");
    seen.hindi = await page.getByRole("heading").innerText();
    seen.lang = await page.evaluate(() => document.documentElement.lang);
});
