/*
 * i18n/history.ts
 *		Words of the history of an account, a program or an appointment.
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
        byLink: "the patient, by a link",
        of: (id: string) => `History of ${id}`,
        token: (n: number) => `token ${n}`,
        untold: "the patient was not to be told",
        told: "What the patient was told",
        nothingTold: "Nothing was sent and nothing is planned.",
        changes: {
            confirmed: "Confirmed", check_in_undone: "Check-in undone", skipped: "Skipped", recalled: "Called again",
            priority_set: "Place in the queue changed", edited: "Edited", status_corrected: "State corrected",
            patient_corrected: "Patient corrected",
        } as Record<string, string>,
    },
    hi: {
        title: "इतिहास",
        none: "कुछ दर्ज नहीं है।",
        when: "कब",
        what: "क्या",
        by: "किसने",
        byClient: (id) => `API क्लाइंट ${id}`,
        byRole: (role) => `${role}, डेटाबेस में`,
        byLink: "मरीज़ ने, लिंक से",
        of: (id) => `${id} का इतिहास`,
        token: (n) => `टोकन ${n}`,
        untold: "मरीज़ को नहीं बताना था",
        told: "मरीज़ को क्या बताया गया",
        nothingTold: "कुछ नहीं भेजा गया और कुछ भेजना नहीं है।",
        changes: {
            confirmed: "पुष्टि हुई", check_in_undone: "चेक-इन वापस लिया", skipped: "छोड़ा गया", recalled: "फिर बुलाया गया",
            priority_set: "कतार में जगह बदली", edited: "बदला गया", status_corrected: "स्थिति ठीक की गई",
            patient_corrected: "मरीज़ ठीक किया गया",
        },
    },
});
