/*
 * lint.js FILE
 *		What Redocly's recommended rules find in an OpenAPI document: a JSON
 *		object a line, { severity, rule, where, message }.
 */
import { lint, loadConfig } from "@redocly/openapi-core";

const config = await loadConfig({
    configPath: new URL("redocly.yaml", import.meta.url).pathname,
});
const problems = await lint({ ref: process.argv[2], config });

for (const { severity, ruleId, message, location } of problems) {
    const where = location.map((place) => place.pointer ?? "").join(" ");

    console.log(JSON.stringify({ severity, rule: ruleId, where, message }));
}
