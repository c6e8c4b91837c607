/*
 * bundle.js
 *		Puts the pages into dist/: of each its script, its style sheet and its
 *		HTML.  The clinic's page and the board name their files by their hash,
 *		so that a browser may keep them.
 *
 *		The script of the clinic's page comes in parts, in dist/admin/: what is
 *		run first, a part for each page, what several of them use, and early.js,
 *		which asks while the rest is loaded.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";

const COMMON = {
    bundle: true,
    minify: true,
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "eof",
};

/*
 * The clinic's page.  What two parts use would be a file for each set of parts
 * that use it; imported by all, it is one file.
 */
const SHARED = "dist/admin/shared.js";
const PARTS = {
    ...COMMON,
    entryPoints: { main: "src/admin/main.tsx" },
    format: "esm",
    splitting: true,
    metafile: true,
    outdir: "dist/admin",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
};

const isShared = ([, { entryPoint }]) => entryPoint === undefined;

async function bundleParts() {
    await mkdir("dist/admin", { recursive: true });
    const { metafile } = await build({ ...PARTS, write: false });
    const shared = Object.entries(metafile.outputs).filter(isShared).flatMap(([, { inputs }]) => Object.keys(inputs));

    await writeFile(SHARED, shared.map((file) => `import ${JSON.stringify(resolve(file))};\n`).join(""));
    const { metafile: { outputs } } = await build({ ...PARTS, inject: [SHARED] });
    await rm(SHARED);
    return outputs;
}

/* The files that the browser loads for a part, itself first. */
function filesOf(outputs, source) {
    const [file] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source);
    const found = new Set([file]);

    for (const one of found)
        for (const { path, kind } of outputs[one].imports)
            if (kind === "import-statement")
                found.add(path);
    return [...found].map((path) => basename(path));
}

/*
 * Nearly all of these is run before a day of the calendar is there: a browser that
 * knows the hint (v8.dev/blog/explicit-compile-hints) compiles them as they come,
 * beside the page's thread, and not function by function on it.
 */
const AT_ONCE = ["src/admin/main.tsx", "src/admin/pages/calendar.tsx"];

async function hint(outputs) {
    for (const name of new Set(AT_ONCE.flatMap((source) => filesOf(outputs, source)))) {
        const file = `dist/admin/${name}`;

        await writeFile(file, `//# allFunctionsCalledOnLoad\n${await readFile(file, "utf8")}`);
    }
}

/* What the gateway puts into the file's entity tag, too. */
async function hash(name) {
    const body = await readFile(`dist/${name}`);

    return createHash("sha256").update(body).digest("hex").slice(0, 32);
}

async function writePage(page, change) {
    await writeFile(`dist/${page}.html`, await change(await readFile(`src/${page}/${page}.html`, "utf8")));
}

const nameByHash = async (html, file, name) => html.replace(`"${file}"`, `"${file}?v=${await hash(name)}"`);

await rm("dist", { recursive: true, force: true });
await build({
    ...COMMON,
    entryPoints: { docs: "src/docs.ts", board: "src/board/main.tsx", admin: "src/admin/all.css" },
    outdir: "dist",
});
const outputs = await bundleParts();
await hint(outputs);
const [main, ...first] = filesOf(outputs, "src/admin/main.tsx");
/* Of each page, what the HTML does not name. */
const pages = Object.fromEntries(Object.values(outputs).map(({ entryPoint }) => entryPoint)
    .filter((source) => /^src.admin.pages./.test(source ?? "")).map((source) =>
        [basename(source).replace(/\.\w+$/, ""), filesOf(outputs, source).filter((file) => !first.includes(file))]));
const early = await build({
    ...COMMON,
    entryPoints: { early: "src/admin/early.ts" },
    define: { PARTS: JSON.stringify(pages) },
    metafile: true,
    outdir: "dist/admin",
    entryNames: "[name]-[hash]",
});
const names = { early: basename(Object.keys(early.metafile.outputs)[0]), main };

await writePage("admin", async (html) => (await nameByHash(html, "admin/admin.css", "admin.css"))
    .replace(/"admin\/files\/(\w+)\.js"/g, (_, name) => `"admin/files/${names[name]}"`)
    .replace("</head>", () => first.map((name) =>
        `<link rel="modulepreload" href="admin/files/${name}">\n`).join("") + "</head>"));
await writePage("board", async (html) => nameByHash(
    await nameByHash(html, "files/board.js", "board.js"), "files/board.css", "board.css"));
await writeFile("dist/docs.html", await readFile("src/docs.html"));
