/*
 * bundle.js
 *		Puts the pages into dist/: of each its script, its style sheet and its
 *		HTML.  The clinic's page names its files by their hash, so that a
 *		browser may keep them.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

await build({
    entryPoints: { docs: "src/docs.ts", admin: "src/admin/main.tsx" },
    bundle: true,
    minify: true,
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "eof",
    outdir: "dist",
});

/* What the gateway puts into the file's entity tag, too. */
async function hash(name) {
    const body = await readFile(`dist/${name}`);

    return createHash("sha256").update(body).digest("hex").slice(0, 32);
}

let page = await readFile("src/admin/admin.html", "utf8");
for (const name of ["admin.js", "admin.css"])
    page = page.replace(`"admin/${name}"`, `"admin/${name}?v=${await hash(name)}"`);
await writeFile("dist/admin.html", page);
await writeFile("dist/docs.html", await readFile("src/docs.html"));
