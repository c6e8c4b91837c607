/*
 * calendar-cells.ts
 *		What the calendar's grid shows, cell by cell, and where: a column a
 *		doctor's day, cells that share a moment beside each other. All on the
 *		branch's wall clock.
 */
import type { Appointment, Doctor, Point } from "../api";
import type { Span } from "./calendar-read";

/* From and to in minutes of the day it begins on. */
interface Common { id: string; doctor: string; start: string; end: string; from: number; to: number }

export type Cell =
    | Common & { kind: "appointment"; appointment: Appointment }
    | Common & { kind: "free"; point: Point }
    | Common & { kind: "blocked"; reason: string; detail: string }
    /* Where nobody works: it says so, and does nothing. */
    | Common & { kind: "outside" };

/* A cell in its column, in minutes of the column's day. */
export interface Placed {
    cell: Cell;
    from: number;
    to: number;
    lane: number;
    lanes: number;
}

/* A doctor's day. */
export interface Column {
    key: string;
    doctor: Doctor;
    date: string;
    placed: Placed[];
}

export interface Layout {
    days: string[];
    doctors: Doctor[];
    /* A day's doctors, and then the next day's. */
    columns: Column[];
    byKey: ReadonlyMap<string, Column>;
    /* Those that do something. */
    byId: ReadonlyMap<string, Cell>;
    low: number;
    high: number;
    /* What a row of the grid takes: the shortest slot there is. */
    row: number;
}

const DAY_MIN = 24 * 60;
const SHORTEST_MIN = 5;
/* Of a day of which nothing is known. */
const DAY_START_MIN = 8 * 60;
const DAY_END_MIN = 18 * 60;

export const columnKey = (doctor: string, date: string): string => `${date} ${doctor}`;

export const minutesOf = (wallTime: string): number =>
    Number(wallTime.slice(11, 13)) * 60 + Number(wallTime.slice(14, 16));

/* On the branch's wall clock, whose offset an answer has with each instant. */
const at = (instant: string): string => instant.slice(0, 19);

const dayOf = (cell: Common): string => cell.start.slice(0, 10);

const minutesUntil = (end: string, day: string): number =>
    minutesOf(end) + (end.startsWith(day) ? 0 : DAY_MIN);

export const clock = (minutes: number): string =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

const isBehind = (cell: Cell): boolean => cell.kind === "blocked" || cell.kind === "outside";

function groupBy<T>(all: T[], keyOf: (one: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();

    for (const one of all) {
        const key = keyOf(one);
        const group = groups.get(key);

        if (group)
            group.push(one);
        else
            groups.set(key, [one]);
    }
    return groups;
}

/* A doctor's cells: appointments, free slots, and stretches that are neither. */
function cellsOf(doctor: string, there: Appointment[], points: Point[]): Cell[] {
    const cells: Cell[] = there.map((a) => ({
        kind: "appointment", id: a.appointment_id, doctor, appointment: a, ...stretchOf(a.slot_start, a.slot_end),
    }));
    const ends = new Map(there.map((a) => [a.slot_start, a.slot_end]));
    const taken = there.map((a) => [Date.parse(a.slot_start), Date.parse(a.slot_end)]);
    let last: Extract<Cell, { kind: "blocked" }> | undefined;

    for (const point of points) {
        if (point.free) {
            cells.push({ kind: "free", id: `free ${doctor} ${point.start_time}`, doctor, point,
                ...stretchOf(point.start_time, point.end_time) });
            last = undefined;
            continue;
        }
        if (ends.get(point.start_time) === point.end_time || isUnder(taken, point)) {
            last = undefined;
            continue;
        }
        const span = stretchOf(point.start_time, point.end_time);
        if (last && last.reason === point.reason && last.end === span.start) {
            last.end = span.end;
            last.to = minutesUntil(span.end, dayOf(last));
            continue;
        }
        last = { kind: "blocked", id: `not ${doctor} ${point.start_time}`, doctor, ...span,
            reason: point.reason ?? "", detail: point.detail ?? "" };
        cells.push(last);
    }
    return cells;
}

function stretchOf(from: string, to: string): Pick<Common, "start" | "end" | "from" | "to"> {
    const [start, end] = [at(from), at(to)];

    return { start, end, from: minutesOf(start), to: minutesUntil(end, start.slice(0, 10)) };
}

/* A visit stands where the point would. */
function isUnder(taken: number[][], point: Point): boolean {
    const [from, to] = [Date.parse(point.start_time), Date.parse(point.end_time)];
    const over = taken.find(([s, e]) => s < to && from < e);

    return over !== undefined && (point.reason === "taken" || (over[0] <= from && to <= over[1]));
}

/* By when they begin, visits before what is free beside them. */
function inOrder(a: Cell, b: Cell): number {
    return a.from - b.from || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0);
}

/* The hours that anything is in, whole ones. */
function hoursOf(cells: Cell[]): [number, number] {
    let low = DAY_MIN;
    let high = 0;

    for (const cell of cells) {
        low = Math.min(low, cell.from);
        high = Math.max(high, Math.min(cell.to, DAY_MIN));
    }
    return high <= low ? [DAY_START_MIN, DAY_END_MIN] : [Math.floor(low / 60) * 60, Math.ceil(high / 60) * 60];
}

function rowOf(cells: Cell[], otherwise: number): number {
    const lengths = cells.filter((c) => c.kind === "free").map((c) => c.to - c.from).filter((n) => n >= SHORTEST_MIN);

    return lengths.length === 0 ? otherwise : Math.min(...lengths);
}

/* Beside each other, who shares a moment: the first lane that is empty. */
function placedOf(cells: Cell[], high: number): Placed[] {
    const placed: Placed[] = [];
    let cluster: Placed[] = [];
    let ends: number[] = [];
    const close = (): void => {
        cluster.forEach((one) => {
            one.lanes = ends.length;
        });
        cluster = [];
        ends = [];
    };

    for (const cell of cells) {
        const one = { cell, from: cell.from, to: Math.min(cell.to, high), lane: 0, lanes: 1 };

        placed.push(one);
        if (isBehind(cell))
            continue;
        if (ends.every((end) => end <= one.from))
            close();
        const lane = ends.findIndex((end) => end <= one.from);
        one.lane = lane < 0 ? ends.length : lane;
        ends[one.lane] = one.to;
        cluster.push(one);
    }
    close();
    return placed;
}

/* The hours of the grid in which the doctor does not work. */
function outside(doctor: string, date: string, cells: Cell[], low: number, high: number): Cell[] {
    const found: Cell[] = [];
    let from = low;
    const gap = (to: number): void => {
        if (to - from >= SHORTEST_MIN)
            found.push({ kind: "outside", id: `outside ${doctor} ${date} ${from}`, doctor, from, to,
                start: `${date}T${clock(from)}:00`, end: `${date}T${clock(to)}:00` });
    };

    for (const cell of cells) {
        gap(cell.from);
        from = Math.max(from, cell.to);
    }
    gap(high);
    return found;
}

export function layoutOf(span: Span, days: string[], doctors: Doctor[], stepMin: number): Layout {
    const there = groupBy(span.appointments.filter((a) => a.status !== "cancelled"), (a) => a.doctor_id);
    const all = doctors.flatMap(({ doctor_id }) =>
        cellsOf(doctor_id, there.get(doctor_id) ?? [], span.points.get(doctor_id) ?? []));
    const [low, high] = hoursOf(all);
    const cells = groupBy(all, (c) => columnKey(c.doctor, dayOf(c)));
    const columns = days.flatMap((date) => doctors.map((doctor): Column => {
        const key = columnKey(doctor.doctor_id, date);
        const mine = (cells.get(key) ?? []).sort(inOrder);
        const gaps = outside(doctor.doctor_id, date, mine, low, high);

        return { key, doctor, date, placed: placedOf(gaps.length === 0 ? mine : [...mine, ...gaps].sort(inOrder), high) };
    }));

    return {
        days, doctors, columns, low, high, row: rowOf(all, stepMin),
        byKey: new Map(columns.map((c) => [c.key, c])),
        byId: new Map(columns.flatMap((c) => c.placed).filter((p) => p.cell.kind !== "outside")
            .map(({ cell }) => [cell.id, cell])),
    };
}

/* While the days are read: the hours are those of the layout before. */
export function blankOf(days: string[], doctors: Doctor[], stepMin: number, before?: Layout): Layout {
    const columns = days.flatMap((date) => doctors.map((doctor): Column =>
        ({ key: columnKey(doctor.doctor_id, date), doctor, date, placed: [] })));
    const { low, high, row } = before ?? { low: DAY_START_MIN, high: DAY_END_MIN, row: stepMin };

    return { days, doctors, columns, low, high, row, byKey: new Map(columns.map((c) => [c.key, c])), byId: new Map() };
}

export interface Chunk { from: number; to: number; placed: Placed[] }

const CHUNK_MIN = 120;

/* Parts of a column that no cell crosses, of two hours or more. */
export function chunksOf(placed: Placed[]): Chunk[] {
    const chunks: Chunk[] = [];

    for (const one of placed) {
        const last = chunks.at(-1);

        if (!last || (one.from >= last.to && one.from >= last.from + CHUNK_MIN))
            chunks.push({ from: one.from, to: one.to, placed: [one] });
        else {
            last.to = Math.max(last.to, one.to);
            last.placed.push(one);
        }
    }
    return chunks;
}

/* The free slot of the column that begins less than half its length away. */
export function slotAt(column: Column | undefined, minute: number): Extract<Cell, { kind: "free" }> | undefined {
    let best: Extract<Cell, { kind: "free" }> | undefined;
    let least = Infinity;

    for (const { cell, from, to } of column?.placed ?? []) {
        const away = Math.abs(from - minute);

        if (cell.kind === "free" && away < (to - from) / 2 && away < least) {
            best = cell;
            least = away;
        }
    }
    return best;
}
