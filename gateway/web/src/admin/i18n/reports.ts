/*
 * i18n/reports.ts
 *		Words of the reports and of what is printed.
 */
import { wordsOf } from "./own";

export const reportWords = wordsOf({
    en: {
        title: "Reports",
        which: "Reports",
        from: "From",
        to: "To",
        doctor: "Doctor",
        spans: { week: "Last 7 days", month: "Last 30 days", next: "Next 7 days" },
        show: "Period",
        csv: "CSV",
        csvOf: (report: string) => `${report} as CSV`,
        nothing: "There is nothing in this period.",
        plot: (title: string) => `${title}: a plot of the table beside it`,
        minutes: (n: number) => `${n} min`,
        length: (min: number) => `${Math.round(min / 6) / 10} h`,
        percent: (n: number) => `${n} %`,
        total: "In all",
        day: "Day",
        utilisation: {
            title: "Utilisation", lead: "How much of the offered time was booked.",
            offered: "Offered", booked: "Booked", free: "Free", share: "Booked",
        },
        noShows: {
            title: "No-shows", lead: "Of the visits that were due, by month and doctor.",
            due: "Due", kept: "Came", noShows: "Did not come", share: "Did not come", month: "Month",
        },
        waiting: {
            title: "Waiting time", lead: "From check-in to consultation.",
            visits: "Visits", average: "On average", longest: "Longest", consultation: "Consultation, on average",
        },
        hours: {
            title: "Bookings by hour", lead: "When patients come.",
            hour: "Hour", appointments: "Visits", walkIns: "Walk-ins", noShows: "Did not come",
            cancelled: "Cancelled",
        },
        list: {
            title: "Day list", lead: "To print on A4, a doctor a page.", date: "Date", print: "Print the list",
            none: "Nobody is booked on this day.", time: "Time", token: "Token", patient: "Patient",
            phone: "Telephone", what: "Visit", status: "Status", slip: "Slip",
            slipOf: (token: number) => `Slip of token ${token}`,
            count: (n: number) => n === 1 ? "1 visit" : `${n} visits`,
            printedAt: (at: string) => `Printed ${at}`,
            moveDay: "Move the day",
            moveTitle: (doctor: string, date: string) => `Move the day of ${doctor}, ${date}`,
            moveLead: "Each booked visit goes to the same time of another day or with another doctor: all of them or, where one does not fit, none. Patients are told as of any move.",
            toDate: "To the day", toDoctor: "With", reasonHint: "Stands in each visit's history.", moveGo: "Move all",
            whereTo: "Choose another day or another doctor.",
            willMove: (n: number, doctor: string, day: string) =>
                `${n === 1 ? "1 visit goes" : `${n} visits go`} to ${doctor} on ${day}.`,
            dayMoved: (n: number, doctor: string, day: string) =>
                `${n === 1 ? "1 visit is" : `${n} visits are`} now with ${doctor} on ${day}.`,
        },
        slip: { token: "Token", keep: "Please keep this slip until you are called." },
    },
    hi: {
        title: "रिपोर्ट",
        which: "रिपोर्ट",
        from: "से",
        to: "तक",
        doctor: "डॉक्टर",
        spans: { week: "पिछले 7 दिन", month: "पिछले 30 दिन", next: "अगले 7 दिन" },
        show: "अवधि",
        csv: "CSV",
        csvOf: (report) => `${report} CSV में`,
        nothing: "इस अवधि में कुछ नहीं है।",
        plot: (title) => `${title}: बगल की तालिका का चित्र`,
        minutes: (n) => `${n} मिनट`,
        length: (min) => `${Math.round(min / 6) / 10} घंटे`,
        percent: (n) => `${n} %`,
        total: "कुल",
        day: "दिन",
        utilisation: {
            title: "उपयोग", lead: "दिए गए समय का कितना भाग बुक हुआ।",
            offered: "दिया गया", booked: "बुक", free: "खाली", share: "बुक",
        },
        noShows: {
            title: "नहीं आए", lead: "जिन्हें आना था उनमें से, महीने और डॉक्टर के अनुसार।",
            due: "आना था", kept: "आए", noShows: "नहीं आए", share: "नहीं आए", month: "महीना",
        },
        waiting: {
            title: "प्रतीक्षा समय", lead: "चेक-इन से परामर्श तक।",
            visits: "विज़िट", average: "औसतन", longest: "सबसे लंबा", consultation: "परामर्श, औसतन",
        },
        hours: {
            title: "घंटेवार बुकिंग", lead: "मरीज़ कब आते हैं।",
            hour: "घंटा", appointments: "विज़िट", walkIns: "बिना बुकिंग", noShows: "नहीं आए",
            cancelled: "रद्द",
        },
        list: {
            title: "दिन की सूची", lead: "A4 पर छापने के लिए, हर डॉक्टर एक पन्ने पर।", date: "तारीख़", print: "सूची छापें",
            none: "इस दिन कोई बुक नहीं है।", time: "समय", token: "टोकन", patient: "मरीज़",
            phone: "टेलीफ़ोन", what: "विज़िट", status: "स्थिति", slip: "पर्ची",
            slipOf: (token) => `पर्ची, टोकन ${token}`,
            count: (n) => `${n} विज़िट`,
            printedAt: (at) => `${at} पर छपा`,
            moveDay: "पूरा दिन बदलें",
            moveTitle: (doctor, date) => `${doctor} का दिन बदलें, ${date}`,
            moveLead: "हर बुक विज़िट उसी समय पर किसी और दिन या किसी और डॉक्टर के पास जाती है: सब एक साथ, या एक भी न बैठे तो कोई नहीं। मरीज़ों को वैसे ही बताया जाता है जैसे किसी भी बदलाव पर।",
            toDate: "किस दिन", toDoctor: "किसके साथ", reasonHint: "हर विज़िट के इतिहास में रहता है।", moveGo: "सब बदलें",
            whereTo: "कोई और दिन या कोई और डॉक्टर चुनें।",
            willMove: (n, doctor, day) => `${n} विज़िट ${doctor} के पास, ${day} को जाएँगी।`,
            dayMoved: (n, doctor, day) => `${n} विज़िट अब ${doctor} के पास, ${day} को हैं।`,
        },
        slip: { token: "टोकन", keep: "बुलाए जाने तक यह पर्ची अपने पास रखें।" },
    },
});
