/*
 * i18n/own.ts
 *		The words of a page in a file of its own: wordsOf({en, hi}).value.title.
 *		Hindi must have what English has.
 */
import { computed, type ReadonlySignal } from "@preact/signals";
import { language } from ".";

export function wordsOf<W>(both: { en: W; hi: NoInfer<W> }): ReadonlySignal<W> {
    return computed(() => both[language.value]);
}

/* The name of a language in the page's own. */
export function languageName(tag: string): string {
    try {
        return new Intl.DisplayNames([language.value], { type: "language" }).of(tag) ?? tag;
    } catch {
        return tag;
    }
}
