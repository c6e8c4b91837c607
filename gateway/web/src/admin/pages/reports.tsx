/*
 * reports.tsx
 *		Reports: utilisation, no-shows, waiting time, bookings by hour, each as
 *		a plot and a table, and the whole of it as CSV; the day list to print.
 *
 *		reports/utilisation?from=2026-03-01&to=2026-03-31&doctor=DOC-001
 */
import type { ComponentChildren } from "preact";
import { api, ask, askPage, base } from "../api";
import { branch } from "../clinic";
import { words } from "../i18n";
import { reportWords } from "../i18n/reports";
import { TextField } from "../parts/field";
import { Heading } from "../parts/heading";
import { useBusy, useLoad } from "../parts/load";
import { Plot, type Line } from "../parts/plot";
import { Empty, Shown } from "../parts/states";
import { Table, type Column } from "../parts/table";
import { toastError } from "../parts/toast";
import { Whose, whose } from "../parts/whose";
import { href, place, refine } from "../router";
import { addDays, shown, today } from "../time";
import { DayList } from "./day-list";

type W = typeof reportWords.value;
type Name = "utilisation" | "no_show_rate" | "waiting_time" | "bookings_by_hour";
type Row = Record<string, string | number | boolean | null>;

interface Cells { id: string; cells: ComponentChildren[] }

/* What a report's rows come to. */
interface Summary {
    plot: { x: string; at: string[]; lines: Line[]; bars: boolean; unit: (n: number) => string };
    columns: string[];
    /* How many of the columns are names; figures stand at the right. */
    names?: number;
    rows: Cells[];
}

interface Report { path: string; name: Name; words: (w: W) => { title: string; lead: string };
    sum: (rows: Row[], w: W) => Summary }

const number = (row: Row, name: string): number => Number(row[name] ?? 0);
const round = (n: number): number => Math.round(n * 10) / 10;
const share = (part: number, whole: number): number => (whole === 0 ? 0 : round((100 * part) / whole));

/* Rows by a column's value, in its order. */
function by(rows: Row[], name: string): [string, Row[]][] {
    const groups = new Map<string, Row[]>();

    for (const row of rows)
        groups.set(String(row[name]), [...groups.get(String(row[name])) ?? [], row]);
    return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

const sum = (rows: Row[], name: string): number => rows.reduce((n, row) => n + number(row, name), 0);

/* An average of averages, each by its number of visits. */
function mean(rows: Row[], name: string, weight: string): number {
    const visits = sum(rows, weight);

    return visits === 0 ? 0 : round(rows.reduce((n, row) => n + number(row, name) * number(row, weight), 0) / visits);
}

const shortDay = (date: string): string => shown(date).slice(0, 5);

const reports: Report[] = [
    {
        path: "utilisation", name: "utilisation", words: (w) => w.utilisation,
        sum: (rows, w) => {
            const days = by(rows, "visit_date");
            const cells = (of: Row[]) => [w.length(sum(of, "offered_min")), w.length(sum(of, "booked_min")),
                w.length(sum(of, "free_min")), w.percent(share(sum(of, "booked_min"), sum(of, "offered_min")))];

            return {
                plot: { x: w.day, at: days.map(([day]) => shortDay(day)), bars: true, unit: w.percent, lines: [{
                    label: w.utilisation.share, colour: "accent", values: days.map(([, of]) =>
                        share(sum(of, "booked_min"), sum(of, "offered_min"))) }] },
                columns: [w.doctor, w.utilisation.offered, w.utilisation.booked, w.utilisation.free, "%"],
                rows: [...by(rows, "doctor_name").map(([id, of]) => ({ id, cells: [id, ...cells(of)] })),
                    { id: "", cells: [w.total, ...cells(rows)] }],
            };
        },
    },
    {
        path: "no-shows", name: "no_show_rate", words: (w) => w.noShows,
        sum: (rows, w) => {
            const months = by(rows, "visit_month");
            const cells = (of: Row[]) => [sum(of, "visits_due"), sum(of, "kept"), sum(of, "no_shows"),
                w.percent(share(sum(of, "no_shows"), sum(of, "visits_due")))];

            return {
                plot: { x: w.doctor, at: by(rows, "doctor_name").map(([name]) => name), bars: true, unit: w.percent, lines: [{
                    label: w.noShows.share, colour: "bad", values: by(rows, "doctor_name").map(([, of]) =>
                        share(sum(of, "no_shows"), sum(of, "visits_due"))) }] },
                names: 2, columns: [w.noShows.month, w.doctor, w.noShows.due, w.noShows.kept, w.noShows.noShows, "%"],
                rows: [...months.flatMap(([month, of]) => by(of, "doctor_name").map(([name, his]) =>
                    ({ id: `${month} ${name}`, cells: [shown(month).slice(3), name, ...cells(his)] }))),
                { id: "", cells: [w.total, "", ...cells(rows)] }],
            };
        },
    },
    {
        path: "waiting", name: "waiting_time", words: (w) => w.waiting,
        sum: (rows, w) => {
            const days = by(rows, "visit_date");
            const longest = (of: Row[]) => Math.max(0, ...of.map((row) => number(row, "longest_waiting_min")));
            const cells = (of: Row[]) => [sum(of, "visits_measured"),
                w.minutes(mean(of, "average_waiting_min", "visits_measured")), w.minutes(longest(of)),
                w.minutes(mean(of, "average_consultation_min", "visits_measured"))];

            return {
                plot: { x: w.day, at: days.map(([day]) => shortDay(day)), bars: false, unit: w.minutes, lines: [
                    { label: w.waiting.average, colour: "accent", values: days.map(([, of]) =>
                        mean(of, "average_waiting_min", "visits_measured")) },
                    { label: w.waiting.longest, colour: "warn", values: days.map(([, of]) => longest(of)) }] },
                columns: [w.doctor, w.waiting.visits, w.waiting.average, w.waiting.longest, w.waiting.consultation],
                rows: [...by(rows, "doctor_name").map(([id, of]) => ({ id, cells: [id, ...cells(of)] })),
                    { id: "", cells: [w.total, ...cells(rows)] }],
            };
        },
    },
    {
        path: "hours", name: "bookings_by_hour", words: (w) => w.hours,
        sum: (rows, w) => {
            const busy = rows.map((row) => number(row, "hour"));
            const first = Math.min(...busy);
            const hours = Array.from({ length: Math.max(...busy) - first + 1 }, (_, n) => first + n)
                .map((hour): [string, Row[]] => [`${String(hour).padStart(2, "0")}:00`,
                    rows.filter((row) => row.hour === hour)]);
            const cells = (of: Row[]) => ["appointments", "walk_ins", "no_shows", "cancelled"].map((n) => sum(of, n));

            return {
                plot: { x: w.hours.hour, at: hours.map(([hour]) => hour), bars: true, unit: String, lines: [
                    { label: w.hours.appointments, colour: "accent", values: hours.map(([, of]) => sum(of, "appointments")) }] },
                columns: [w.hours.hour, w.hours.appointments, w.hours.walkIns, w.hours.noShows, w.hours.cancelled],
                rows: [...hours.map(([id, of]) => ({ id, cells: [id, ...cells(of)] })),
                    { id: "", cells: [w.total, ...cells(rows)] }],
            };
        },
    },
];

export function Reports({ rest }: { rest: string[] }) {
    const w = reportWords.value;
    const path = rest[0] ?? reports[0].path;
    const report = reports.find((one) => one.path === path);
    const links = [...reports.map((one) => ({ path: one.path, title: one.words(w).title })),
        { path: "day-list", title: w.list.title }];

    return (
        <div class="page reports">
            <nav class="tabs" aria-label={w.which}>
                <ul>{links.map((link) => (
                    <li key={link.path}><a href={href(`reports/${link.path}`, keep())}
                        aria-current={link.path === path ? "page" : undefined}>{link.title}</a></li>
                ))}</ul>
            </nav>
            {path === "day-list" ? <DayList />
                : report ? <One key={report.path} report={report} />
                    : <Empty icon="alert" title={words.value.shell.noSuchPage} />}
        </div>
    );
}

/* The period, the department and the doctor go along from one report to another. */
function keep(): Record<string, string | undefined> {
    const { from, to, department, doctor } = place.value.query;

    return { from, to, department, doctor };
}

interface Asked { from: string; to: string; branch_id?: string; department_id?: string; doctor_id?: string }

/* Without Accept: text/csv. */
type Json = Promise<{ data?: Row[]; error?: unknown; response: Response }>;

const PER_PAGE = 100;
const AT_ONCE = 4;

/* All pages, some at a time. */
async function readAll(report: Name, query: Asked): Promise<Row[]> {
    const page = (n: number) => askPage<Row>(api.GET("/api/v1/reports/{report}",
        { params: { path: { report }, query: { ...query, page: n, per_page: PER_PAGE } } }) as Json);
    const first = await page(1);
    const rows = [...first.rows];

    for (let n = 2; (n - 1) * PER_PAGE < first.total; n += AT_ONCE) {
        const more = Array.from({ length: AT_ONCE }, (_, i) => n + i)
            .filter((i) => (i - 1) * PER_PAGE < first.total);

        rows.push(...(await Promise.all(more.map(page))).flatMap((p) => p.rows));
    }
    return rows;
}

/* The server's CSV, page after page, with one line of headings. */
async function saveCsv(report: Name, query: Asked): Promise<void> {
    const parts: string[] = [];
    let total = 1;

    for (let page = 1; (page - 1) * PER_PAGE < total; page++) {
        const { data, error, response } = await api.GET("/api/v1/reports/{report}", {
            params: { path: { report }, query: { ...query, page, per_page: PER_PAGE } },
            headers: { Accept: "text/csv" }, parseAs: "text",
        });

        await ask(Promise.resolve({ data: [], error, response }));
        const text = data as unknown as string;
        total = Number(response.headers.get("x-total-count") ?? 0);
        parts.push(page === 1 ? text : text.slice(text.indexOf("\n") + 1));
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
    link.download = `${report}_${query.from}_${query.to}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function One({ report }: { report: Report }) {
    const w = reportWords.value;
    const { title, lead } = report.words(w);
    const now = today(branch.value?.time_zone ?? "UTC");
    const { from = addDays(now, -29), to = now } = place.value.query;
    const query: Asked = { from, to, branch_id: branch.value?.branch_id, ...whose() };
    const loaded = useLoad(() => readAll(report.name, query), [base, report.name, query]);
    const [busy, run] = useBusy();
    const spans: [string, string, string][] = [
        [w.spans.week, addDays(now, -6), now], [w.spans.month, addDays(now, -29), now],
        [w.spans.next, now, addDays(now, 6)],
    ];

    return (
        <>
            <Heading title={title} sub={[lead, branch.value?.name].filter(Boolean).join(" ")}>
                <button type="button" aria-label={w.csvOf(title)} aria-disabled={busy}
                    onClick={() => void run(() => saveCsv(report.name, query).catch(toastError))}>{w.csv}</button>
            </Heading>
            <div class="card filters">
                <TextField label={w.from} type="date" value={from} onValue={(value) => value && refine({ from: value })} />
                <TextField label={w.to} type="date" value={to} onValue={(value) => value && refine({ to: value })} />
                <Whose />
                <div class="spans" role="group" aria-label={w.show}>
                    {spans.map(([name, first, last]) => (
                        <button key={name} type="button" class="small" aria-pressed={first === from && last === to}
                            onClick={() => refine({ from: first, to: last })}>{name}</button>
                    ))}
                </div>
            </div>
            <Shown loaded={loaded}>
                {(rows) => rows.length === 0 ? <Empty icon="reports" title={w.nothing} />
                    : <Result title={title} of={report.sum(rows, w)} />}
            </Shown>
        </>
    );
}

function Result({ title, of }: { title: string; of: Summary }) {
    const columns: Column<Cells>[] = of.columns.map((name, n) => ({
        title: name, class: n < (of.names ?? 1) ? undefined : "number", cell: (row) => row.cells[n],
    }));

    return (
        <div class="result">
            <section class="card"><Plot label={reportWords.value.plot(title)} {...of.plot} /></section>
            <section class="card list-card">
                <Table caption={title} columns={columns} rows={of.rows} id={(row) => row.id}
                    rowClass={(row) => (row.id === "" ? "total" : "")} />
            </section>
        </div>
    );
}
