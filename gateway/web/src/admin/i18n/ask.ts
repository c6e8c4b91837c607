/*
 * i18n/ask.ts
 *		Words of the dialogs in parts/ask.tsx.
 */
import { wordsOf } from "./own";

export const askWords = wordsOf({
    en: {
        copy: "Copy",
        copied: "Copied",
        once: "Store it now, where only the receiving program can read it. Nobody can look it up here again; if it is lost, make a new one.",
        stored: "It is stored",
    },
    hi: {
        copy: "कॉपी करें",
        copied: "कॉपी हो गया",
        once: "इसे अभी वहाँ रखें जहाँ केवल वही प्रोग्राम पढ़ सके। यहाँ इसे फिर कोई नहीं देख सकता; खो जाए तो नया बनाएँ।",
        stored: "रख लिया",
    },
});
