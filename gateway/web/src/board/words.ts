/*
 * words.ts
 *		The board's words, in the languages of the waiting room.
 */
export type Language = "en" | "hi";

const en = {
    name: "English",
    title: "Queue",
    now: "Now",
    free: "Please wait",
    next: "Next",
    nobody: "Nobody is waiting",
    waiting: (n: number) => n === 1 ? "1 is waiting" : `${n} are waiting`,
    about: (time: string) => `about ${time}`,
    nobodyToday: "No doctor sees patients just now.",
    page: (at: number, of: number) => `Page ${at} of ${of}`,
    frozen: (time: string) => `No news since ${time}. Please ask at the desk.`,
    unreached: "The clinic's server cannot be reached. This page goes on by itself as soon as it can.",
    unknown: "This screen is not set up, or not any more.",
    setUp: "Open it once with the address that was shown when the board was made.",
    otherBranch: (branch: string) => `This screen is set up for ${branch}.`,
    loading: "Reading the queues …",
    chime: "Chime",
    speech: "Speech",
    tapForSound: "Press here once for sound",
    dark: "Dark",
    language: "Language",
    controls: "This screen",
    called: (token: number, doctor: string) => `Token ${token}, ${doctor}`,
};

type Words = typeof en;

const hi: Words = {
    name: "हिन्दी",
    title: "कतार",
    now: "अभी",
    free: "कृपया प्रतीक्षा करें",
    next: "अगला",
    nobody: "कोई प्रतीक्षा में नहीं",
    waiting: (n) => `${n} प्रतीक्षा में`,
    about: (time) => `लगभग ${time}`,
    nobodyToday: "इस समय कोई डॉक्टर मरीज़ नहीं देख रहे हैं।",
    page: (at, of) => `पृष्ठ ${at} / ${of}`,
    frozen: (time) => `${time} के बाद कोई सूचना नहीं। कृपया काउंटर पर पूछें।`,
    unreached: "क्लिनिक के सर्वर से संपर्क नहीं हो रहा है। संपर्क होते ही यह पृष्ठ अपने आप आगे चलेगा।",
    unknown: "यह स्क्रीन चालू नहीं की गई है, या अब चालू नहीं है।",
    setUp: "इसे एक बार उस पते से खोलें जो बोर्ड बनाते समय दिखाया गया था।",
    otherBranch: (branch) => `यह स्क्रीन ${branch} के लिए है।`,
    loading: "कतार पढ़ी जा रही है …",
    chime: "घंटी",
    speech: "आवाज़",
    tapForSound: "आवाज़ के लिए एक बार यहाँ दबाएँ",
    dark: "गहरा रंग",
    language: "भाषा",
    controls: "यह स्क्रीन",
    called: (token, doctor) => `टोकन ${token}, ${doctor}`,
};

export const words: Record<Language, Words> = { en, hi };
