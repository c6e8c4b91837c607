/*
 * words.js
 *		Finds words that no page says: what a list of words (admin/i18n/,
 *		board/words.ts) has under a name that nothing reads; a line each. A word
 *		that one language lacks, or has alone, is the compiler's to find.
 *
 *		Of a list that is not read by one name at a time (w.kinds[channel],
 *		Object.entries(w.kinds), an argument) all counts as read.
 */
import ts from "typescript";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, "");
/* English stands for all languages: they have the same. */
const isList = (file) => /\/i18n\/(?!(?:hi|index|problems)\.)[^/]+\.ts$|\/board\/words\.ts$/.test(file.fileName);

/* The properties of the lists, each by where it is written. */
function wordsOf(checker, files) {
    const words = new Set();
    const visit = (node) => {
        const name = ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node)
            ? node.name.getText() : "";

        if (name === "hi")
            return;
        if (ts.isPropertyAssignment(node) && name !== "en")
            words.add(node);
        /* What a function makes is no list; one by any name is taken as a whole. */
        if (!ts.isFunctionLike(node) && !(ts.isObjectLiteralExpression(node)
            && checker.getContextualType(node)?.getStringIndexType()))
            ts.forEachChild(node, visit);
    };

    files.forEach(visit);
    return words;
}

/* A list that is read by one name at a time. */
function isTakenApart(node) {
    const above = node.parent;

    return ts.isPropertyAccessExpression(above) || ts.isVariableDeclaration(above)
        || ts.isElementAccessExpression(above) && above.expression === node;
}

/* The words that the sources read. */
function wordsRead(checker, files, words) {
    const read = new Set();
    const mark = (symbol) => {
        for (const declaration of symbol?.declarations ?? [])
            if (words.has(declaration))
                read.add(declaration);
    };
    const markAll = (declaration) => {
        read.add(declaration);
        if (declaration.initializer && ts.isObjectLiteralExpression(declaration.initializer))
            declaration.initializer.properties.forEach(markAll);
    };
    const under = (node) => checker.getTypeAtLocation(node).getProperties();
    const visit = (node) => {
        if (ts.isPropertyAccessExpression(node)) {
            mark(checker.getSymbolAtLocation(node.name));
            if (!isTakenApart(node))
                under(node).forEach(mark);
        } else if (ts.isElementAccessExpression(node)) {
            for (const { declarations } of under(node.expression))
                declarations?.filter((one) => words.has(one)).forEach(markAll);
        } else if (ts.isBindingElement(node)) {
            mark(checker.getTypeAtLocation(node.parent).getProperty((node.propertyName ?? node.name).getText()));
        }
        ts.forEachChild(node, visit);
    };

    files.forEach(visit);
    return read;
}

const config = ts.getParsedCommandLineOfConfigFile(`${here}/tsconfig.json`, {}, {
    ...ts.sys, onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, " "));
    },
});
const all = ts.createProgram(config.fileNames, config.options);
const own = all.getSourceFiles().filter((file) => !file.isDeclarationFile && !/node_modules/.test(file.fileName));
const words = wordsOf(all.getTypeChecker(), own.filter(isList));
const read = wordsRead(all.getTypeChecker(), own, words);
const place = (node) => {
    const file = node.getSourceFile();

    return `${file.fileName.slice(here.length + 1)}:${
        file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
};
const unread = [...words].filter((word) => !read.has(word));

for (const word of unread)
    console.log(`${place(word)}: no page says ${word.name.getText()}`);
process.exitCode = unread.length > 0 ? 1 : 0;
