/*
 * app.tsx
 *		The frame of every page: navigation, branch, account, banners.
 */
import { useEffect, useState } from "preact/hooks";
import { trouble } from "./api";
import { branch, branches, chooseBranch, clinicError, clinicIsRead, readClinic } from "./clinic";
import { chooseLanguage, language, languages, words, type Language } from "./i18n";
import { account, pages, type Page } from "./pages";
import { SignIn, Asleep, IdleWarning } from "./pages/sign-in";
import { Icon } from "./parts/icon";
import { Slips } from "./parts/slip";
import { Empty, Failed, Loading } from "./parts/states";
import { Toasts } from "./parts/toast";
import { href, place } from "./router";
import { asleep, idleEndsIn, may, session, signOut } from "./session";
import { theme, type Theme } from "./theme";
import { timeOf, zoneDiffers } from "./time";

const THEMES: Theme[] = ["system", "light", "dark"];

export function App() {
    return (
        <>
            <Banner />
            {session.value === undefined ? <Loading />
                : session.value === null ? <SignIn /> : <Desk key={session.value.staff_id} />}
            {asleep.value && <Asleep />}
            {!asleep.value && idleEndsIn.value !== null && <IdleWarning minutes={idleEndsIn.value} />}
            <Toasts />
            <Slips />
        </>
    );
}

function Banner() {
    const w = words.value.shell;

    return (
        <div role="status">
            {trouble.value && (
                <p class="banner">
                    <Icon name="alert" />
                    {trouble.value === "gateway" ? w.gatewayLost : w.databaseLost}
                </p>
            )}
        </div>
    );
}

/* The page that the address names; the first that may be seen without one. */
export function pageHere(): Page | undefined {
    const name = place.value.path[0];
    const who = session.value;

    if (name === account.path || (who?.totp_required && !who.totp_enrolled))
        return account;
    return name === undefined ? pages.find((page) => may(page.scope))
        : pages.find((page) => page.path === name);
}

function Desk() {
    const w = words.value;
    const page = pageHere();
    const title = page?.title(w) ?? w.common.product;

    useEffect(() => {
        document.title = `${title} · ${w.common.product}`;
    }, [title, w]);
    return (
        <div class="desk">
            <a class="skip" href="#content" onClick={(event) => {
                event.preventDefault();
                document.getElementById("content")?.focus();
            }}>{w.shell.skip}</a>
            <Side here={page} />
            <main id="content" tabIndex={-1}>
                <ZoneNote />
                <Content page={page} />
            </main>
        </div>
    );
}

function Content({ page }: { page: Page | undefined }) {
    const w = words.value.shell;

    if (!page)
        return <Empty icon="alert" title={w.noSuchPage} />;
    if (page === account)
        return <page.part.view rest={[]} />;
    if (!may(page.scope))
        return <Empty icon="alert" title={w.notAllowed} />;
    if (!clinicIsRead.value)
        return clinicError.value
            ? <Failed error={clinicError.value} onRetry={() => void readClinic()} /> : <Loading />;
    return <page.part.view rest={place.value.path.slice(1)} />;
}

function Side({ here }: { here: Page | undefined }) {
    const w = words.value;
    const [open, setOpen] = useState(false);

    useEffect(() => setOpen(false), [place.value]);
    return (
        <header class={open ? "side open" : "side"}>
            <div class="side-head">
                <span class="mark" aria-hidden="true"><Icon name="plus" /></span>
                <BranchPicker />
                <button type="button" class="icon-button menu" aria-expanded={open}
                    aria-controls="side-body" aria-label={w.shell.menu} onClick={() => setOpen(!open)}>
                    <Icon name={open ? "close" : "menu"} />
                </button>
            </div>
            <div class="side-body" id="side-body">
                <nav aria-label={w.shell.navigation}>
                    <ul>
                        {pages.filter((page) => may(page.scope)).map((page) => (
                            <li key={page.path}>
                                <a href={href(page.path)} aria-current={page === here ? "page" : undefined}>
                                    <Icon name={page.icon} />{page.title(w)}
                                </a>
                            </li>
                        ))}
                    </ul>
                </nav>
                <Foot here={here} />
            </div>
        </header>
    );
}

function BranchPicker() {
    const w = words.value;

    if (branches.value.length < 2)
        return <strong class="branch-name">{branch.value?.name ?? w.common.product}</strong>;
    return (
        <select class="branch-picker" aria-label={w.common.branch} value={branch.value?.branch_id}
            onChange={(event) => chooseBranch(event.currentTarget.value)}>
            {branches.value.map((b) => <option key={b.branch_id} value={b.branch_id}>{b.name}</option>)}
        </select>
    );
}

function Foot({ here }: { here: Page | undefined }) {
    const w = words.value.shell;
    const who = session.value;

    return (
        <div class="account">
            <div class="choices">
                <label>
                    <span>{w.language}</span>
                    <select value={language.value}
                        onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}>
                        {Object.entries(languages).map(([id, { name }]) =>
                            <option key={id} value={id} lang={id}>{name}</option>)}
                    </select>
                </label>
                <label>
                    <span>{w.theme}</span>
                    <select value={theme.value} onChange={(event) => {
                        theme.value = event.currentTarget.value as Theme;
                    }}>
                        {THEMES.map((name) => <option key={name} value={name}>{w.themes[name]}</option>)}
                    </select>
                </label>
            </div>
            <div class="who">
                <a class="who-link" href={href(account.path)} aria-current={here === account ? "page" : undefined}>
                    <span class="avatar" aria-hidden="true">{(who?.name ?? "?").slice(0, 1)}</span>
                    <span class="who-name"><strong>{who?.name}</strong>
                        <small>{who ? w.roles[who.role] ?? who.role : ""}</small></span>
                </a>
                <button type="button" class="icon-button" aria-label={w.signOut} title={w.signOut}
                    onClick={() => void signOut()}><Icon name="out" /></button>
            </div>
        </div>
    );
}

/* Where this computer's clock shows another time than the branch's. */
function ZoneNote() {
    const zone = branch.value?.time_zone;
    const [, setNow] = useState(0);

    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), 20000);

        return () => clearInterval(timer);
    }, []);
    if (zone === undefined || !zoneDiffers(zone))
        return null;
    return (
        <p class="zone"><Icon name="clock" />{words.value.shell.zone(zone, timeOf(new Date(), zone))}</p>
    );
}
