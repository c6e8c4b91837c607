/*
 * i18n/history.ts
 *		Words of the history of an account or a program.
 */
import { wordsOf } from "./own";

export const historyWords = wordsOf({
    en: {
        title: "History",
        none: "Nothing is on record.",
        when: "When",
        what: "What",
        by: "By whom",
        byClient: (id: string) => `API client ${id}`,
        byRole: (role: string) => `${role}, in the database`,
    },
    hi: {
        title: "इतिहास",
        none: "कुछ दर्ज नहीं है।",
        when: "कब",
        what: "क्या",
        by: "किसने",
        byClient: (id) => `API क्लाइंट ${id}`,
        byRole: (role) => `${role}, डेटाबेस में`,
    },
});
