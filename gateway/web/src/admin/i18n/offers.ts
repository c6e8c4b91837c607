/*
 * i18n/offers.ts
 *		Slots that are offered to patients.
 */
import { wordsOf } from "./own";

export const offerWords = wordsOf({
    en: {
        offer: "Offer",
        hint: "Offer: the slot is kept for the patient, who answers by the link in the message.",
        offered: (name: string, time: string) => `The slot is kept for ${name} until ${time}.`,
        title: "Offered slots",
        none: "No slot is kept for anybody.",
        until: (time: string) => `kept until ${time}`,
        withdraw: "Withdraw",
        withdrawFrom: (name: string, time: string) => `Withdraw the offer to ${name}, ${time}`,
        withdrawn: (name: string) => `The slot is not kept for ${name} any more.`,
    },
    hi: {
        offer: "प्रस्ताव दें",
        hint: "प्रस्ताव: स्लॉट मरीज़ के लिए रखा जाता है, जो संदेश के लिंक से उत्तर देता है।",
        offered: (name: string, time: string) => `${name} के लिए स्लॉट ${time} तक रखा है।`,
        title: "प्रस्तावित स्लॉट",
        none: "किसी के लिए कोई स्लॉट नहीं रखा है।",
        until: (time: string) => `${time} तक रखा है`,
        withdraw: "वापस लें",
        withdrawFrom: (name: string, time: string) => `${name} को दिया प्रस्ताव वापस लें, ${time}`,
        withdrawn: (name: string) => `${name} के लिए स्लॉट अब नहीं रखा है।`,
    },
});
