/*
 * i18n/index.ts
 *		The page's words: words.value.today.title. A language that lacks one
 *		does not build, as its type is that of English.
 */
import { computed, effect, signal } from "@preact/signals";
import { en, type Words } from "./en";
import { hi } from "./hi";

export type { Words };
export type Language = "en" | "hi";

export const languages: Record<Language, { name: string; words: Words }> = {
    en: { name: "English", words: en },
    hi: { name: "हिन्दी", words: hi },
};

const KEY = "appt-language";

function first(): Language {
    const stored = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2);

    return stored === "hi" ? "hi" : "en";
}

export const language = signal<Language>(first());
export const words = computed(() => languages[language.value].words);

/* The name of a date's weekday. */
export function weekday(date: string, style: "long" | "short" = "long"): string {
    return words.value.weekdays[style][new Date(`${date}T00:00:00Z`).getUTCDay()];
}

/* Whether the user chose it here; else the account's language counts. */
export function languageIsChosen(): boolean {
    return localStorage.getItem(KEY) !== null;
}

export function chooseLanguage(to: Language): void {
    localStorage.setItem(KEY, to);
    language.value = to;
}

effect(() => {
    document.documentElement.lang = language.value;
});
