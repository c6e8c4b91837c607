/*
 * pages.ts
 *		THE table of pages: where each is, its name, who may see it, the part
 *		of the script that it is in. A page's view is given what stands behind
 *		its path.
 */
import type { Words } from "./i18n";
import { accountWords } from "./i18n/account";
import { patientWords } from "./i18n/patients";
import { reportWords } from "./i18n/reports";
import { settingsWords } from "./i18n/settings";
import { lazy, type Part } from "./lazy";
import type { IconName } from "./parts/icon";

export interface Page {
    path: string;
    title: (words: Words) => string;
    icon: IconName;
    /* The scope without which there is nothing to see; "": for everybody. */
    scope: string;
    part: Part;
}

/* One's own account: behind the name, not among the pages. */
export const account: Page = {
    path: "account", title: () => accountWords.value.title, icon: "user", scope: "",
    part: lazy(async () => (await import("./pages/account")).Account),
};

export const pages: Page[] = [{
    path: "today", title: (w) => w.today.title, icon: "today", scope: "appointments:read",
    part: lazy(async () => (await import("./pages/today")).Today),
}, {
    path: "calendar", title: (w) => w.calendar.title, icon: "calendar", scope: "appointments:read",
    part: lazy(async () => (await import("./pages/calendar")).Calendar),
}, {
    path: "patients", title: () => patientWords.value.title, icon: "patients", scope: "patients:read",
    part: lazy(async () => (await import("./pages/patients")).Patients),
}, {
    path: "reports", title: () => reportWords.value.title, icon: "reports", scope: "reports:read",
    part: lazy(async () => (await import("./pages/reports")).Reports),
}, {
    path: "settings", title: () => settingsWords.value.title, icon: "settings", scope: "schedule:manage",
    part: lazy(async () => (await import("./pages/settings")).Settings),
}];
