/*
 * main.tsx
 *		The television of a waiting room: which token is called, who is next.
 */
import { computed, effect, signal, untracked } from "@preact/signals";
import { render, type JSX } from "preact";
import "./board.css";
import {
    branch, branchTime, fresh, heard, isFresh, isFrozen, refused, start, tick, view,
    type Doctor, type View,
} from "./feed";
import { announce, chime, silenced, speech, wake } from "./sound";
import { words, type Language } from "./words";

const A_PAGE = 6;			/* doctors that a television shows at once */
const A_PAGE_MS = 12000;

const language = signal<Language>(
    (localStorage.getItem("appt-board-language") ?? navigator.language).startsWith("hi")
        ? "hi" : "en");
const dark = signal(localStorage.getItem("appt-board-dark") ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "on" : "off"));
const wide = signal(matchMedia("(min-width: 60rem)").matches);
const w = computed(() => words[language.value]);

effect(() => {
    document.documentElement.lang = language.value;
    document.documentElement.dataset.theme = dark.value === "on" ? "dark" : "light";
    document.title = view.value ? `${w.value.title} · ${view.value.branch_name}` : w.value.title;
});

/* Once: not again in another language, or when the sound is turned on. */
effect(() => {
    const calls = fresh.value;

    if (calls.length > 0)
        untracked(() => announce(calls, language.value));
});

/* An RFC 3339 timestamp has the branch's own clock in it. */
const clock = (timestamp: string): string => timestamp.slice(11, 16);

function time(at: Date, zone: string): string {
    return at.toLocaleTimeString("en-GB",
        { timeZone: zone, hour: "2-digit", minute: "2-digit" });
}

function date(at: Date, zone: string): string {
    return at.toLocaleDateString(language.value === "hi" ? "hi-IN" : "en-GB",
        { timeZone: zone, weekday: "long", day: "numeric", month: "long" });
}

/* Those of a doctor who is called come first, so that nobody misses it. */
function shown(doctors: Doctor[]): { doctors: Doctor[]; page: number; pages: number } {
    const pages = wide.value ? Math.max(1, Math.ceil(doctors.length / A_PAGE)) : 1;
    const called = doctors.findIndex((doctor) =>
        doctor.in_consultation.some((c) => isFresh(doctor, c.token_number)));
    const page = pages === 1 ? 0
        : called >= 0 ? Math.floor(called / A_PAGE)
            : Math.floor(tick.value / A_PAGE_MS) % pages;

    return { page, pages, doctors: pages === 1 ? doctors
        : doctors.slice(page * A_PAGE, (page + 1) * A_PAGE) };
}

function Queue({ doctor }: { doctor: Doctor }): JSX.Element {
    const isCalled = doctor.in_consultation.some((c) => isFresh(doctor, c.token_number));

    return (
        <li class={isCalled ? "doctor called" : "doctor"}>
            <div class="who">
                <h2>{doctor.name}</h2>
                {doctor.specialty && <p>{doctor.specialty}</p>}
            </div>
            <div class="now">
                <h3>{w.value.now}</h3>
                {doctor.in_consultation.length === 0
                    ? <p class="none">{w.value.free}</p>
                    : <p class={doctor.in_consultation.length > 1 ? "token several" : "token"}>
                        {doctor.in_consultation.map((c) =>
                            <span key={c.token_number}
                                class={isFresh(doctor, c.token_number) ? "fresh" : undefined}>
                                {c.token_number}
                            </span>)}
                    </p>}
            </div>
            <div class="next">
                <h3>{w.value.next}</h3>
                {doctor.next.length === 0
                    ? <p class="none">{w.value.nobody}</p>
                    : <ol>
                        {doctor.next.map((n) => (
                            <li key={n.token_number}>
                                <b>{n.token_number}</b>
                                <span>{w.value.about(clock(n.estimated_start))}</span>
                            </li>
                        ))}
                    </ol>}
                {doctor.waiting > doctor.next.length &&
                    <p class="more">{w.value.waiting(doctor.waiting)}</p>}
            </div>
        </li>
    );
}

function Queues({ of }: { of: View }): JSX.Element {
    const { doctors, page, pages } = shown(of.doctors);

    if (doctors.length === 0)
        return <p class="empty">{w.value.nobodyToday}</p>;
    return (
        <>
            <ul class="doctors" data-count={Math.min(doctors.length, A_PAGE)}>
                {doctors.map((doctor) => <Queue key={doctor.doctor_id} doctor={doctor} />)}
            </ul>
            {pages > 1 && <p class="pages">{w.value.page(page + 1, pages)}</p>}
        </>
    );
}

function Switch({ on, label, set }: {
    on: boolean; label: string; set: (on: boolean) => void;
}): JSX.Element {
    return (
        <button type="button" aria-pressed={on} onClick={() => set(!on)}>{label}</button>
    );
}

function Controls(): JSX.Element {
    return (
        <div class="controls" role="group" aria-label={w.value.controls}>
            {silenced.value && chime.value &&
                <button type="button" class="hint" onClick={() => void wake()}>
                    {w.value.tapForSound}
                </button>}
            <Switch on={chime.value} label={w.value.chime} set={(on) => {
                chime.value = on;
                void wake();
            }} />
            <Switch on={speech.value} label={w.value.speech} set={(on) => { speech.value = on; }} />
            <Switch on={dark.value === "on"} label={w.value.dark} set={(on) => {
                dark.value = on ? "on" : "off";
                localStorage.setItem("appt-board-dark", dark.value);
            }} />
            <label>
                <span class="hidden">{w.value.language}</span>
                <select value={language.value} onChange={(event) => {
                    language.value = event.currentTarget.value as Language;
                    localStorage.setItem("appt-board-language", language.value);
                }}>
                    {(Object.keys(words) as Language[]).map((key) =>
                        <option key={key} value={key} lang={key}>{words[key].name}</option>)}
                </select>
            </label>
        </div>
    );
}

/* What stands in place of the queues. */
function Note({ children }: { children: string[] }): JSX.Element {
    return <div class="note">{children.map((line) => <p key={line}>{line}</p>)}</div>;
}

function Main(): JSX.Element {
    const of = view.value;

    if (refused.value)
        return <Note>{[w.value.unknown, w.value.setUp]}</Note>;
    if (!of)
        return <Note>{[tick.value - began > 15000 ? w.value.unreached : w.value.loading]}</Note>;
    if (of.branch_id !== branch)
        return <Note>{[w.value.otherBranch(of.branch_name)]}</Note>;
    return <Queues of={of} />;
}

function Board(): JSX.Element {
    const of = view.value;
    const frozen = !refused.value && isFrozen();

    return (
        <div class={frozen ? "board frozen" : "board"}>
            <header>
                <h1>{of?.branch_name ?? w.value.title}</h1>
                {of && <p class="date">{date(branchTime(), of.time_zone)}</p>}
                {of && <p class="clock">{time(branchTime(), of.time_zone)}</p>}
            </header>
            {frozen && of &&
                <p class="alarm" role="alert">
                    {w.value.frozen(time(new Date(heard.value + branchTime().getTime() - tick.value),
                        of.time_zone))}
                </p>}
            <main><Main /></main>
            <footer>
                <p class="notice">{of?.notice}</p>
                <Controls />
            </footer>
            <div class="hidden" aria-live="polite">
                {fresh.value.map((call) => w.value.called(call.token, call.doctor.name)).join(". ")}
            </div>
        </div>
    );
}

/* The screen stays on, where the browser can see to it. */
async function stayOn(): Promise<void> {
    if (document.visibilityState === "visible")
        await navigator.wakeLock?.request("screen").catch(() => undefined);
}

const began = Date.now();

matchMedia("(min-width: 60rem)").addEventListener("change", (event) => {
    wide.value = event.matches;
});
document.addEventListener("visibilitychange", () => void stayOn());
document.addEventListener("pointerdown", () => void wake());
void stayOn();
void wake();
start();
render(<Board />, document.getElementById("app") as HTMLElement);
