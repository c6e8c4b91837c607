/*
 * i18n/messages.ts
 *		Words of Settings: channels, templates, boards.
 */
import { wordsOf } from "./own";

export const messageWords = wordsOf({
    en: {
        kinds: { email: "E-mail", sms: "SMS", whatsapp: "WhatsApp" },
        channels: {
            title: "Channels", lead: "By which ways patients are told; one of a kind is active.",
            addMail: "Add a mail server", addOther: "Add a provider", noMail: "There is no mail server yet.",
            noOther: "There is no provider of SMS or WhatsApp yet.", mail: "E-mail",
            other: "SMS and WhatsApp", kind: "Kind", where: "Server", host: "Mail server", port: "Port",
            portHint: "Blank: 587, or 465 with TLS from the start.", security: "Encryption",
            securities: { starttls: "STARTTLS", tls: "TLS from the start", none: "None, inside the clinic's network" },
            user: "User name", from: "Sender's address", fromName: "Sender's name", replyTo: "Answers go to",
            secret: "Password or key", secretHint: "Goes in and never comes out. Blank: as it is.",
            settings: "Request and answer (JSON)",
            settingsHint: "url, headers, body and how the answer is read: docs/notifications.md has one for each provider.",
            notJson: "This is not JSON.", test: "Test", testTitle: (id: string) => `Send a test by ${id}`,
            to: "To", toHint: "An e-mail address or a telephone number, as the channel is.", send: "Send",
            sending: "On its way …", result: (status: string) => `Result: ${status}`,
        },
        provider: {
            provider: "Provider", other: "Another, by its request as JSON",
            called: (name: string) => `At the provider: ${name}.`,
            fields: {
                account: "Account", sender: "Sender", service: "Sending service", number: "Sending number",
                verify: "Word of your choice", app: "App", key: "Key", entity: "Registered entity",
            },
            secretHint: "Goes in and never comes out.",
            reports: "Reports of deliveries",
            reportsLead: "The provider reports what became of a message; where it failed, the next channel is tried.",
            address: "This gateway's address", addressHint: "As the provider reaches it, over HTTPS.",
            callbackSecret: "Secret of the reports",
            tokenHint: "Of your choice, at least 16 characters. Goes into the address as ?token=…",
            reportsTo: "Reports come to",
        },
        templates: {
            title: "Templates", lead: "What patients are told, by event, channel and language.",
            add: "Add a template", none: "There is no template yet.", event: "Event", channel: "Channel",
            language: "Language (en, hi, …)", subject: "Subject (e-mail)", body: "Text", category: "Category",
            provider: "Template at the provider", providerLanguage: "Its language there", dlt: "DLT template id",
            preview: "Preview", previewNote: "With samples in place of the placeholders.",
            placeholders: "Placeholders",
            events: {
                booked: "Booked", rescheduled: "Moved", cancelled: "Cancelled", reminder: "Reminder",
                waitlist_offer: "Waiting list offer", follow_up: "Follow-up",
            },
        },
        boards: {
            title: "Queue boards", lead: "Televisions of waiting rooms: numbers, no names.", add: "Add a board",
            none: "There is no board yet.", name: "Where it hangs", seen: "Last seen", never: "never",
            revoke: "Revoke", revoked: "Revoked", revokeTitle: (name: string) => `Revoke ${name}?`,
            revokeText: "It shows nothing any more, and cannot be enabled again.",
            link: "Open this address once on the television", made: (name: string) => `The board ${name}`,
        },
    },
    hi: {
        kinds: { email: "ई-मेल", sms: "एसएमएस", whatsapp: "व्हाट्सऐप" },
        channels: {
            title: "माध्यम", lead: "मरीज़ों को कैसे बताया जाता है; हर प्रकार का एक ही सक्रिय रहता है।",
            addMail: "मेल सर्वर जोड़ें", addOther: "प्रदाता जोड़ें", noMail: "अभी कोई मेल सर्वर नहीं है।",
            noOther: "अभी एसएमएस या व्हाट्सऐप का कोई प्रदाता नहीं है।", mail: "ई-मेल",
            other: "एसएमएस और व्हाट्सऐप", kind: "प्रकार", where: "सर्वर", host: "मेल सर्वर", port: "पोर्ट",
            portHint: "खाली: 587, या शुरू से TLS के साथ 465।", security: "एन्क्रिप्शन",
            securities: { starttls: "STARTTLS", tls: "शुरू से TLS", none: "कोई नहीं, क्लिनिक के नेटवर्क के भीतर" },
            user: "उपयोगकर्ता नाम", from: "भेजने वाले का पता", fromName: "भेजने वाले का नाम", replyTo: "उत्तर यहाँ जाएँ",
            secret: "पासवर्ड या कुंजी", secretHint: "भीतर जाता है, बाहर कभी नहीं आता। खाली: जैसा है वैसा।",
            settings: "अनुरोध और उत्तर (JSON)",
            settingsHint: "url, headers, body और उत्तर कैसे पढ़ें: docs/notifications.md में हर प्रदाता का उदाहरण है।",
            notJson: "यह JSON नहीं है।", test: "परीक्षण", testTitle: (id) => `${id} से परीक्षण भेजें`,
            to: "किसे", toHint: "ई-मेल पता या टेलीफ़ोन नंबर, जैसा माध्यम हो।", send: "भेजें",
            sending: "भेजा जा रहा है …", result: (status) => `परिणाम: ${status}`,
        },
        provider: {
            provider: "प्रदाता", other: "कोई और, JSON में उसके अनुरोध से",
            called: (name) => `प्रदाता के यहाँ: ${name}।`,
            fields: {
                account: "खाता", sender: "भेजने वाला", service: "भेजने की सेवा", number: "भेजने का नंबर",
                verify: "आपका चुना शब्द", app: "ऐप", key: "कुंजी", entity: "पंजीकृत संस्था",
            },
            secretHint: "भीतर जाता है, बाहर कभी नहीं दिखता।",
            reports: "पहुँचने की सूचना",
            reportsLead: "प्रदाता बताता है कि संदेश का क्या हुआ; जहाँ नहीं पहुँचा, वहाँ अगला माध्यम आज़माया जाता है।",
            address: "इस गेटवे का पता", addressHint: "जिस पते से प्रदाता इस तक HTTPS से पहुँचता है।",
            callbackSecret: "सूचनाओं का गुप्त शब्द",
            tokenHint: "आपका चुना, कम से कम 16 अक्षर। पते में ?token=… के रूप में जाता है।",
            reportsTo: "सूचनाएँ यहाँ आती हैं",
        },
        templates: {
            title: "टेम्पलेट", lead: "मरीज़ों को क्या बताया जाता है, घटना, माध्यम और भाषा के अनुसार।",
            add: "टेम्पलेट जोड़ें", none: "अभी कोई टेम्पलेट नहीं है।", event: "घटना", channel: "माध्यम",
            language: "भाषा (en, hi, …)", subject: "विषय (ई-मेल)", body: "पाठ", category: "श्रेणी",
            provider: "प्रदाता के यहाँ टेम्पलेट", providerLanguage: "वहाँ उसकी भाषा", dlt: "DLT टेम्पलेट आईडी",
            preview: "पूर्वावलोकन", previewNote: "प्लेसहोल्डर की जगह नमूने हैं।",
            placeholders: "प्लेसहोल्डर",
            events: {
                booked: "बुक हुई", rescheduled: "समय बदला", cancelled: "रद्द हुई", reminder: "याद दिलाना",
                waitlist_offer: "प्रतीक्षा सूची से", follow_up: "फिर दिखाना",
            },
        },
        boards: {
            title: "कतार बोर्ड", lead: "प्रतीक्षा कक्ष के टीवी: नंबर, नाम नहीं।", add: "बोर्ड जोड़ें",
            none: "अभी कोई बोर्ड नहीं है।", name: "कहाँ लगा है", seen: "पिछली बार देखा", never: "कभी नहीं",
            revoke: "वापस लें", revoked: "वापस लिया गया", revokeTitle: (name) => `${name} वापस लें?`,
            revokeText: "यह आगे कुछ नहीं दिखाएगा, और फिर चालू नहीं हो सकता।",
            link: "यह पता टीवी पर एक बार खोलें", made: (name) => `बोर्ड ${name}`,
        },
    },
});
