/*
 * i18n/settings.ts
 *		Words of the frame of the settings.
 */
import { wordsOf } from "./own";

export const settingsWords = wordsOf({
    en: {
        title: "Settings",
        admin: "Admin",
        where: "Where you are",
        sections: "Settings",
        groups: { clinic: "Clinic", hours: "Hours", messages: "Messages", people: "Waiting room", api: "API" },
        names: {
            branches: "Branches", departments: "Departments", doctors: "Doctors",
            staff: "Staff", visitTypes: "Visit types", rules: "Rules", hours: "Working hours", off: "Time off",
            closures: "Closures", channels: "Channels", templates: "Templates",
            boards: "Queue boards", webhooks: "Webhooks", access: "API Access",
        },
        edit: "Edit",
        remove: "Delete",
        allBranches: "All branches",
        someBranches: "Only these",
        branches: "Branches",
        saved: "Saved.",
        stale: "What you changed is still here; all else is now as somebody else left it. Look it over and save again.",
        more: "Show more",
        none: "None",
        yes: "Yes",
        no: "No",
    },
    hi: {
        title: "सेटिंग्स",
        admin: "प्रशासन",
        where: "आप यहाँ हैं",
        sections: "सेटिंग्स",
        groups: { clinic: "क्लिनिक", hours: "समय", messages: "संदेश", people: "प्रतीक्षा कक्ष", api: "API" },
        names: {
            branches: "शाखाएँ", departments: "विभाग", doctors: "डॉक्टर",
            staff: "कर्मचारी", visitTypes: "विज़िट के प्रकार", rules: "नियम", hours: "काम के घंटे", off: "अवकाश",
            closures: "बंदी", channels: "माध्यम", templates: "टेम्पलेट",
            boards: "कतार बोर्ड", webhooks: "वेबहुक", access: "API ऐक्सेस",
        },
        edit: "बदलें",
        remove: "हटाएँ",
        allBranches: "सभी शाखाएँ",
        someBranches: "केवल ये",
        branches: "शाखाएँ",
        saved: "सहेजा गया।",
        stale: "आपने जो बदला वह यहीं है; बाकी सब अब वैसा है जैसा किसी और ने छोड़ा। देखकर फिर सहेजें।",
        more: "और दिखाएँ",
        none: "कोई नहीं",
        yes: "हाँ",
        no: "नहीं",
    },
});
