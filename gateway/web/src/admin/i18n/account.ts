/*
 * i18n/account.ts
 *		The words of one's own account.
 */
import { wordsOf } from "./own";

export const accountWords = wordsOf({
    en: {
        title: "Your account",
        signedInAs: (account: string) => `Signed in as ${account}`,
        password: "Password",
        oldPassword: "Password now",
        newPassword: "New password",
        newHint: "At least 12 characters; a few words that belong together nowhere else are best.",
        change: "Change the password",
        changed: "The password is changed. You are signed out everywhere else.",
        codes: "One-time codes",
        codesLead: "A second step at the sign-in: six digits of an app on your telephone, so that a password alone opens nothing.",
        codesNeeded: "Your role needs one-time codes. Set them up, and the other pages are there.",
        codesOn: "They are in use. If the telephone is lost, an administrator can take them away.",
        begin: "Set up one-time codes",
        scan: "Scan this with an authenticator app, or type the key into it.",
        qr: "QR code with the key",
        key: "Key",
        code: "Code that the app shows now",
        confirm: "Confirm",
        recovery: "Recovery codes",
        recoveryLead: "Each is good once in the place of a code. They are shown this once: write them down or print them, and keep them apart from the telephone.",
        kept: "I have them",
    },
    hi: {
        title: "आपका खाता",
        signedInAs: (account) => `${account} के रूप में साइन इन`,
        password: "पासवर्ड",
        oldPassword: "अभी का पासवर्ड",
        newPassword: "नया पासवर्ड",
        newHint: "कम से कम 12 अक्षर; कुछ शब्द, जो और कहीं साथ नहीं आते, सबसे अच्छे हैं।",
        change: "पासवर्ड बदलें",
        changed: "पासवर्ड बदल गया। बाक़ी सब जगह से आप साइन आउट हो गए हैं।",
        codes: "एक-बार के कोड",
        codesLead: "साइन इन का दूसरा चरण: आपके फ़ोन की ऐप के छह अंक, ताकि केवल पासवर्ड से कुछ न खुले।",
        codesNeeded: "आपकी भूमिका के लिए एक-बार के कोड ज़रूरी हैं। इन्हें चालू करें, फिर बाक़ी पृष्ठ मिलेंगे।",
        codesOn: "ये चालू हैं। फ़ोन खो जाए तो प्रशासक इन्हें हटा सकता है।",
        begin: "एक-बार के कोड चालू करें",
        scan: "इसे ऑथेंटिकेटर ऐप से स्कैन करें, या कुंजी उसमें लिखें।",
        qr: "कुंजी का QR कोड",
        key: "कुंजी",
        code: "ऐप का अभी का कोड",
        confirm: "पुष्टि करें",
        recovery: "रिकवरी कोड",
        recoveryLead: "हर कोड एक बार, कोड की जगह काम आता है। ये केवल अभी दिखाए जा रहे हैं: लिख लें या छाप लें, और फ़ोन से अलग रखें।",
        kept: "मैंने रख लिए",
    },
});
