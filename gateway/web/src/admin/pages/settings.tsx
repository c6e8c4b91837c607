/*
 * settings.tsx
 *		Admin > Settings: the frame of its sections, and THE table of them. A
 *		narrow screen shows the list or the section, not both.
 */
import type { ComponentType } from "preact";
import { settingsWords } from "../i18n/settings";
import { Icon } from "../parts/icon";
import { Empty } from "../parts/states";
import { words } from "../i18n";
import { href } from "../router";
import { may } from "../session";
import { Closures, TimeOff } from "./settings-absences";
import { Access } from "./settings-access";
import { Boards } from "./settings-boards";
import { Branches, Departments, Doctors, VisitTypes } from "./settings-clinic";
import { WorkingHours } from "./settings-hours";
import { Channels, Templates } from "./settings-messages";
import { Rules } from "./settings-rules";
import { Staff } from "./settings-staff";
import { Webhooks } from "./settings-webhooks";

type SettingsWords = typeof settingsWords.value;

interface Section {
    path: string;
    group: keyof SettingsWords["groups"];
    name: keyof SettingsWords["names"];
    scope: string;
    view: ComponentType<{ rest: string[] }>;
}

const sections: Section[] = [
    { path: "branches", group: "clinic", name: "branches", scope: "schedule:manage", view: Branches },
    { path: "departments", group: "clinic", name: "departments", scope: "schedule:manage", view: Departments },
    { path: "doctors", group: "clinic", name: "doctors", scope: "schedule:manage", view: Doctors },
    { path: "staff", group: "clinic", name: "staff", scope: "staff:manage", view: Staff },
    { path: "visit-types", group: "clinic", name: "visitTypes", scope: "schedule:manage", view: VisitTypes },
    { path: "rules", group: "clinic", name: "rules", scope: "schedule:manage", view: Rules },
    { path: "hours/week", group: "hours", name: "hours", scope: "schedule:manage", view: WorkingHours },
    { path: "hours/time-off", group: "hours", name: "off", scope: "schedule:manage", view: TimeOff },
    { path: "hours/closures", group: "hours", name: "closures", scope: "schedule:manage", view: Closures },
    { path: "messages/channels", group: "messages", name: "channels", scope: "notifications:manage", view: Channels },
    { path: "messages/templates", group: "messages", name: "templates", scope: "schedule:manage", view: Templates },
    { path: "boards", group: "people", name: "boards", scope: "staff:manage", view: Boards },
    { path: "api/webhooks", group: "api", name: "webhooks", scope: "webhooks:manage", view: Webhooks },
    { path: "api/access", group: "api", name: "access", scope: "clients:manage", view: Access },
];

export function Settings({ rest }: { rest: string[] }) {
    const w = settingsWords.value;
    const mine = sections.filter((section) => may(section.scope));
    const asked = rest.join("/");
    const here = mine.find(({ path }) => asked === path || asked.startsWith(`${path}/`))
        ?? (asked === "" ? mine[0] : undefined);
    const groups = [...new Set(mine.map((section) => section.group))];

    return (
        <div class={asked === "" ? "settings" : "settings inside"}>
            <nav class="crumbs" aria-label={w.where}>
                <ol>
                    <li><a href="#/">{w.admin}</a></li>
                    <li><a href={href("settings")}>{w.title}</a></li>
                    {here && <li>{w.groups[here.group]}</li>}
                    {here && <li><a href={href(`settings/${here.path}`)} aria-current="location">
                        {w.names[here.name]}</a></li>}
                </ol>
            </nav>
            {asked === "" && <h1 class="narrow">{w.title}</h1>}
            <nav class="sections" aria-label={w.sections}>
                {groups.map((group) => (
                    <div key={group}>
                        <h2 id={`group-${group}`}>{w.groups[group]}</h2>
                        <ul aria-labelledby={`group-${group}`}>
                            {mine.filter((section) => section.group === group).map((section) => (
                                <li key={section.path}>
                                    <a href={href(`settings/${section.path}`)}
                                        aria-current={section === here ? "page" : undefined}>
                                        {w.names[section.name]}<Icon name="right" /></a>
                                </li>
                            ))}
                        </ul>
                    </div>
                ))}
            </nav>
            <div class="section">
                {here ? <here.view rest={rest.slice(here.path.split("/").length)} />
                    : <Empty icon="alert" title={words.value.shell.noSuchPage} />}
            </div>
        </div>
    );
}
