/*
 * i18n/problems.ts
 *		What a refusal means, by its code or by code/reason, and what is wrong
 *		with a field, by how the server's English begins: where the page is
 *		read in another language. The server's sentence has the particulars and
 *		stands below; in English it stands alone.
 */
import { wordsOf } from "./own";

interface Problems {
    codes: Record<string, string>;
    fields: Record<string, string>;
    /* What is wrong with a field in no particular way. */
    field: string;
}

export const problemWords = wordsOf<Problems>({
    en: { codes: {}, fields: {}, field: "" },
    hi: {
        codes: {
            "slot_unavailable": "यह समय उपलब्ध नहीं है।",
            "slot_unavailable/taken": "यह समय किसी और को दिया जा चुका है। कोई दूसरा समय चुनें।",
            "slot_unavailable/held": "यह समय अभी कोई और बुक कर रहा है।",
            "slot_unavailable/outside_hours": "डॉक्टर इस समय काम नहीं करते।",
            "slot_unavailable/off_grid": "इस समय से कोई स्लॉट शुरू नहीं होता।",
            "slot_unavailable/on_leave": "डॉक्टर इस समय अवकाश पर हैं।",
            "slot_unavailable/closed": "शाखा इस समय बंद है।",
            "slot_unavailable/in_past": "यह समय बीत चुका है।",
            "slot_unavailable/lead_time": "यह समय बहुत पास है; इतनी जल्दी बुकिंग नहीं होती।",
            "slot_unavailable/beyond_horizon": "इतने आगे के स्लॉट अभी खुले नहीं हैं।",
            "slot_unavailable/daily_limit": "इस दिन की सीमा पूरी हो चुकी है।",
            "patient_conflict": "इस मरीज़ की उसी समय दूसरी अपॉइंटमेंट है।",
            "invalid_transition": "अपॉइंटमेंट की अभी की स्थिति में यह नहीं हो सकता; शायद किसी और ने इसे पहले ही कर दिया।",
            "cancellation_window": "रद्द करने का समय निकल चुका है।",
            "reschedule_window": "समय बदलने का समय निकल चुका है।",
            "queue_empty": "कतार में कोई प्रतीक्षा नहीं कर रहा।",
            "hold_expired": "रोका हुआ स्लॉट छूट चुका है।",
            "request_in_progress": "यही अनुरोध अभी चल रहा है। थोड़ी देर में देखें।",
            "already_exists": "यह पहले से है।",
            "in_use": "इसका उपयोग हो रहा है, इसलिए यह नहीं हो सकता।",
            "affects_appointments": "इस समय में विज़िट बुक हैं। पहले चुनें कि उनका क्या हो।",
            "affects_sessions": "कुछ सत्र इसके बाहर रह जाएँगे।",
            "limit_reached": "इससे अधिक की अनुमति नहीं है।",
            "version_mismatch": "इस बीच किसी और ने इसे बदल दिया।",
            "unknown_reference": "जो चुना गया वह नहीं है, बंद है, या आपको नहीं दिखता।",
            "not_found": "यह नहीं मिला, या आपके खाते को नहीं दिखता।",
            "insufficient_scope": "आपके खाते को इसकी अनुमति नहीं है।",
            "invalid_request": "कुछ ठीक नहीं भरा है।",
            "branch_required": "शाखा चुनना ज़रूरी है।",
            "invalid_credentials": "खाता, पासवर्ड या कोड ठीक नहीं है।",
            "invalid_session": "साइन इन समाप्त हो चुका है।",
            "invalid_token": "साइन इन समाप्त हो चुका है।",
            "csrf_token_invalid": "यह साइन इन अब दूसरा है। पृष्ठ को फिर खोलें।",
            "rate_limited": "बहुत सारे प्रयास हुए। कुछ देर बाद फिर करें।",
            "content_too_large": "यह बहुत बड़ा है।",
            "unavailable": "सर्वर अभी उत्तर नहीं दे सकता। थोड़ी देर में फिर करें।",
            "timeout": "इसमें बहुत समय लगा, इसलिए रोक दिया गया।",
            "internal_error": "सर्वर में कुछ गड़बड़ हुई।",
        },
        fields: {
            "is required": "यह भरना ज़रूरी है।",
            "must be one of": "यह इनमें से एक नहीं है।",
            "must be from": "यह सीमा के बाहर है।",
        },
        field: "यह मान ठीक नहीं है।",
    },
});
