/*
 * pages.ts
 *		THE table of pages: where each is, its name, who may see it. A page's
 *		view is given what stands behind its path.
 */
import type { ComponentType } from "preact";
import type { Words } from "./i18n";
import { accountWords } from "./i18n/account";
import { patientWords } from "./i18n/patients";
import { reportWords } from "./i18n/reports";
import { settingsWords } from "./i18n/settings";
import { Account } from "./pages/account";
import { Calendar } from "./pages/calendar";
import { Patients } from "./pages/patients";
import { Reports } from "./pages/reports";
import { Settings } from "./pages/settings";
import { Today } from "./pages/today";
import type { IconName } from "./parts/icon";

export interface Page {
    path: string;
    title: (words: Words) => string;
    icon: IconName;
    /* The scope without which there is nothing to see; "": for everybody. */
    scope: string;
    view: ComponentType<{ rest: string[] }>;
}

/* One's own account: behind the name, not among the pages. */
export const account: Page = {
    path: "account", title: () => accountWords.value.title, icon: "user", scope: "", view: Account,
};

export const pages: Page[] = [
    { path: "today", title: (w) => w.today.title, icon: "today", scope: "appointments:read", view: Today },
    { path: "calendar", title: (w) => w.calendar.title, icon: "calendar", scope: "appointments:read", view: Calendar },
    { path: "patients", title: () => patientWords.value.title, icon: "patients", scope: "patients:read", view: Patients },
    { path: "reports", title: () => reportWords.value.title, icon: "reports", scope: "reports:read", view: Reports },
    { path: "settings", title: () => settingsWords.value.title, icon: "settings", scope: "schedule:manage", view: Settings },
];
