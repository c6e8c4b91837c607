/*
 * bundle.js
 *		Puts the pages into dist/: of each its script, its style sheet and its
 *		HTML.  The clinic's page and the board name their files by their hash,
 *		so that a browser may keep them.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

await build({
    entryPoints: {
        docs: "src/docs.ts",
        admin: "src/admin/main.tsx",
        board: "src/board/main.tsx",
    },
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

for (const [page, files] of [["admin", "admin"], ["board", "files"]]) {
    let html = await readFile(`src/${page}/${page}.html`, "utf8");

    for (const name of [`${page}.js`, `${page}.css`])
        html = html.replace(`"${files}/${name}"`, `"${files}/${name}?v=${await hash(name)}"`);
    await writeFile(`dist/${page}.html`, html);
}
await writeFile("dist/docs.html", await readFile("src/docs.html"));
