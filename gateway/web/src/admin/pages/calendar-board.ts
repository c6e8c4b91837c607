/*
 * calendar-board.ts
 *		The grid's elements: heads above, hours beside, a column a doctor's day.
 *		What has not changed is not drawn again. Of a column, the parts in sight
 *		are drawn at once, the others while the browser is idle, or as soon as
 *		somebody scrolls, tabs or prints there: each has its place from the
 *		beginning, so nothing moves.
 */
import type { Chosen } from "../parts/patient-form";
import { language, words, type Words } from "../i18n";
import { shown, today, weekday } from "../time";
import { chunksOf, clock, columnKey, type Cell, type Chunk, type Column, type Layout, type Placed } from "./calendar-cells";

export interface Shown {
    layout: Layout;
    zone: string;
    patients: ReadonlyMap<string, Chosen>;
    write: boolean;
}

/* A row is 30 px, at the usual size of letters. */
const ROW_REM = 1.875;
const GAP_PX = 2;
const COLUMN_REM = 7;
const LANE_REM = 5.25;

function make(kind: string, name: string, ...children: (Node | string)[]): HTMLElement {
    const element = document.createElement(kind);

    element.className = name;
    element.append(...children);
    return element;
}

function button(name: string, cell: Cell): HTMLElement {
    const element = make("button", name);

    element.setAttribute("type", "button");
    element.tabIndex = -1;
    element.dataset.cell = cell.id;
    return element;
}

export const isMovable = (cell: Cell, write: boolean): boolean =>
    write && cell.kind === "appointment" && cell.appointment.status === "booked";

interface Drawn {
    state: string;
    element: HTMLElement;
    /* Those that are still to be drawn. */
    due: Chunk[];
}

/* What a browser without requestIdleCallback does between two frames. */
const SHORT_MS = 8;
const IDLE_MS = 1000;
const later = (then: (isTime: () => boolean) => void): void => {
    if ("requestIdleCallback" in window) {
        requestIdleCallback((idle) => then(() => idle.timeRemaining() > 2), { timeout: IDLE_MS });
        return;
    }
    setTimeout(() => {
        const end = performance.now() + SHORT_MS;

        then(() => performance.now() < end);
    }, 0);
};

export class Board {
    private frame = "";
    private drawn = new Map<string, Drawn>();
    private elements = new Map<string, HTMLElement>();
    private isWaiting = false;
    private isGone = false;
    private now: Shown | undefined;
    private named: Shown["patients"] | undefined;
    private w: Words = words.value;
    private perMinute = ROW_REM;

    private readonly all = (): void => this.drawDue(() => true);
    private readonly seen = (): void => this.drawInSight();

    constructor(readonly root: HTMLElement) {
        root.addEventListener("scroll", this.seen, { passive: true });
        addEventListener("resize", this.seen);
        addEventListener("beforeprint", this.all);
    }

    end(): void {
        this.isGone = true;
        removeEventListener("resize", this.seen);
        removeEventListener("beforeprint", this.all);
    }

    draw(next: Shown): void {
        const { layout } = next;
        const frame = JSON.stringify([layout.low, layout.high, layout.row, language.value, today(next.zone),
            layout.columns.map((c) => [c.key, c.doctor.name, lanesOf(c)])]);

        this.now = next;
        this.named ??= next.patients;
        this.w = words.value;
        this.perMinute = ROW_REM / layout.row;
        if (frame !== this.frame)
            this.drawFrame(next);
        this.frame = frame;
        for (const column of layout.columns)
            this.renew(column, next);
        this.drawInSight();
    }

    /* The cell's, drawn if it was not yet. */
    element(id: string): HTMLElement | undefined {
        const cell = this.now?.layout.byId.get(id);
        const column = cell && this.now?.layout.byKey.get(columnKey(cell.doctor, cell.start.slice(0, 10)));

        if (column && !this.elements.has(id))
            this.drawParts(column, (chunk) => chunk.placed.some((p) => p.cell.id === id));
        return this.elements.get(id);
    }

    private drawInSight(): void {
        const { root } = this;
        const { low = 0, columns = [] } = this.now?.layout ?? {};
        const [left, right] = [root.scrollLeft, root.scrollLeft + root.clientWidth];
        const [top, bottom] = [root.scrollTop, root.scrollTop + root.clientHeight];
        const first = columns[0] && this.drawn.get(columns[0].key)?.element;
        const px = this.perMinute * parseFloat(getComputedStyle(document.documentElement).fontSize);
        const wanted: Column[] = [];

        if (!first)
            return;
        /* Where what stays in sight below the heads is. */
        root.style.setProperty("--heads", `${root.querySelector<HTMLElement>(".heads")?.offsetHeight}px`);
        for (const column of columns) {
            const there = this.drawn.get(column.key);

            if (there && there.due.length > 0 && there.element.offsetLeft < right
                    && there.element.offsetLeft + there.element.offsetWidth > left)
                wanted.push(column);
        }
        wanted.forEach((column) => this.drawParts(column, (chunk) =>
            (chunk.from - low) * px < bottom && (chunk.to - low) * px > top));
        this.wait();
    }

    private drawParts(column: Column, isWanted: (chunk: Chunk) => boolean): void {
        const there = this.drawn.get(column.key);
        const parts = there?.due.filter(isWanted) ?? [];

        if (!there || parts.length === 0)
            return;
        there.due = there.due.filter((chunk) => !parts.includes(chunk));
        there.element.append(...parts.map((chunk) => this.part(chunk, column)));
    }

    /* A part after the other, as long as there is time; one in any case. */
    private drawDue(isTime: () => boolean): void {
        let isFirst = true;

        for (const column of this.now?.layout.columns ?? []) {
            for (const chunk of this.drawn.get(column.key)?.due ?? []) {
                if (!isFirst && !isTime()) {
                    this.wait();
                    return;
                }
                isFirst = false;
                this.drawParts(column, (one) => one === chunk);
            }
        }
    }

    private wait(): void {
        if (this.isWaiting || this.isGone)
            return;
        this.isWaiting = true;
        later((isTime) => {
            this.isWaiting = false;
            if (!this.isGone)
                this.drawDue(isTime);
        });
    }

    /* Names that were not known when the visits were drawn. */
    rename(patients: ReadonlyMap<string, Chosen>): void {
        if (!this.now || patients === this.named)
            return;
        this.named = patients;
        this.now = { ...this.now, patients };
        for (const { doctor, placed } of this.now.layout.columns) {
            for (const { cell } of placed) {
                const name = cell.kind === "appointment" && this.elements.get(cell.id)?.querySelector(".cell-name");

                if (name && name.textContent !== this.nameOf(cell)) {
                    name.textContent = this.nameOf(cell);
                    this.elements.get(cell.id)?.removeAttribute("title");
                    this.elements.get(cell.id)?.setAttribute("aria-label", this.labelOf(cell, doctor.name));
                }
            }
        }
    }

    /* The whole of what a narrow cell may have cut, once somebody points there. */
    tell(cell: Cell): void {
        const element = this.elements.get(cell.id);

        if (element && cell.kind === "appointment" && element.title === "")
            element.title = this.titleOf(cell);
    }

    private titleOf(cell: Cell): string {
        return cell.kind === "appointment" ? `${cell.start.slice(11, 16)} ${this.nameOf(cell)}, `
            + `${this.w.common.token} ${cell.appointment.token_number}, ${this.w.status[cell.appointment.status]}` : "";
    }

    /* The column there, and the minute of its day. */
    at(x: number, y: number): { column: Column; minute: number } | undefined {
        for (const column of this.now?.layout.columns ?? []) {
            const box = this.drawn.get(column.key)?.element.getBoundingClientRect();

            if (box && this.now && x >= box.left && x < box.right) {
                const { low, high } = this.now.layout;

                return { column, minute: low + (y - box.top) / box.height * (high - low) };
            }
        }
        return undefined;
    }

    /* Puts something of one's own into a column. */
    put(element: HTMLElement, column: Column, from: number, to: number): void {
        this.stand(element, from, to, this.now?.layout.low ?? 0);
        this.drawn.get(column.key)?.element.append(element);
    }

    private stand(element: HTMLElement, from: number, to: number, origin: number, gapPx = 0): void {
        element.style.top = `${(from - origin) * this.perMinute}rem`;
        element.style.height = `calc(${(to - from) * this.perMinute}rem - ${gapPx}px)`;
    }

    private drawFrame({ layout, zone }: Shown): void {
        const { columns, low, high } = layout;
        const heads = make("div", "heads", make("span", "corner"));
        const hours = make("div", "hours");
        const body = make("div", "body", hours);
        const dates = [...new Set(columns.map((c) => c.date))];
        const doctors = columns.length / dates.length;

        if (dates.length > 1) {
            for (const date of dates) {
                const head = make("div", date === today(zone) ? "day-head today" : "day-head", make("span", "",
                    `${weekday(date, language.value, "short")} ${shown(date).slice(0, 5)}`));

                head.style.gridColumn = `span ${doctors}`;
                heads.append(head);
            }
            heads.append(make("span", "corner"));
        }
        this.drawn.clear();
        columns.forEach((column, n) => {
            const element = make("div", n % doctors === 0 ? "column first" : "column");

            heads.append(make("div", n % doctors === 0 ? "head first" : "head", column.doctor.name));
            body.append(element);
            this.drawn.set(column.key, { state: "", element, due: [] });
        });
        for (let at = low; at < high; at += 60) {
            const hour = make("span", "hour", clock(at));

            this.stand(hour, at, at + 60, low);
            hours.append(hour);
        }
        body.style.height = `${(high - low) * this.perMinute}rem`;
        body.style.setProperty("--hour", `${60 * this.perMinute}rem`);
        const board = make("div", "board", heads, body);
        board.style.gridTemplateColumns = `3.75rem ${columns.map((c) =>
            `minmax(${Math.max(COLUMN_REM, lanesOf(c) * LANE_REM)}rem, 1fr)`).join(" ")}`;
        this.elements.clear();
        this.root.replaceChildren(board);
    }

    /* What has changed is to be drawn anew: what was in its place, at once. */
    private renew(column: Column, { write }: Shown): void {
        const there = this.drawn.get(column.key);
        const state = JSON.stringify([write, column.placed.map(({ cell, lane, lanes }) => [cell.id, cell.end, lane,
            lanes, cell.kind === "appointment" ? [cell.start, cell.appointment.status, cell.appointment.token_number,
                cell.appointment.patient_id] : cell.kind === "blocked" ? [cell.reason, cell.detail] : 0])]);

        if (!there || there.state === state)
            return;
        for (const old of there.element.querySelectorAll<HTMLElement>("[data-cell]"))
            this.elements.delete(old.dataset.cell ?? "");
        there.state = state;
        there.due = chunksOf(column.placed);
        there.element.replaceChildren();
    }

    private part({ from, to, placed }: Chunk, column: Column): HTMLElement {
        const chunk = make("div", "chunk");
        const isBehind = ({ cell }: Placed): boolean => cell.kind === "outside" || cell.kind === "blocked";

        this.stand(chunk, from, to, this.now?.layout.low ?? 0);
        chunk.append(...[...placed.filter(isBehind), ...placed.filter((p) => !isBehind(p))]
            .map((p) => this.cell(p, column, from)));
        return chunk;
    }

    private cell({ cell, from, to, lane, lanes }: Placed, column: Column, origin: number): HTMLElement {
        const element = this.fill(cell, column.doctor.name);

        this.stand(element, from, to, origin, cell.kind === "outside" ? 0 : GAP_PX);
        if (lanes > 1) {
            element.classList.add("beside");
            element.style.left = `${lane / lanes * 100}%`;
            element.style.width = `${100 / lanes}%`;
        }
        if (cell.kind !== "outside")
            this.elements.set(cell.id, element);
        return element;
    }

    /* Text alone, whatever a name may be. */
    private fill(cell: Cell, doctor: string): HTMLElement {
        const w = this.w;
        const time = cell.start.slice(11, 16);
        let element: HTMLElement;

        switch (cell.kind) {
        case "free":
            element = button("cell free", cell);
            element.textContent = time;
            break;
        case "appointment":
            element = button(`cell appointment ${cell.appointment.status}`, cell);
            element.append(make("span", "cell-time", time), " ", make("span", "cell-name", this.nameOf(cell)));
            element.dataset.token = `${cell.appointment.token_number}`;
            if (this.now?.write)
                element.setAttribute("aria-keyshortcuts", "M Delete");
            break;
        case "blocked":
            element = button("cell blocked", cell);
            element.append(make("span", "cell-reason", w.calendar.reasons[cell.reason] ?? cell.reason));
            element.title = cell.detail;
            break;
        case "outside":
            return make("div", "cell outside", make("span", "cell-reason", w.calendar.reasons.outside_hours),
                make("span", "hidden", spanOf(cell, doctor)));
        }
        element.setAttribute("aria-label", this.labelOf(cell, doctor));
        return element;
    }

    private nameOf(cell: Cell): string {
        return cell.kind === "appointment"
            ? this.now?.patients.get(cell.appointment.patient_id)?.name ?? cell.appointment.patient_id : "";
    }

    private labelOf(cell: Cell, doctor: string): string {
        const w = this.w;
        const time = cell.start.slice(11, 16);

        switch (cell.kind) {
        case "free":
            return `${time}, ${w.calendar.free}, ${doctor}, ${dayOf(cell)}`;
        case "appointment":
            return `${this.titleOf(cell)}, ${doctor}, ${dayOf(cell)}`;
        case "blocked":
            return `${w.calendar.reasons[cell.reason] ?? cell.reason}${spanOf(cell, doctor)}`;
        case "outside":
            return "";
        }
    }
}

const lanesOf = (column: Column): number => column.placed.reduce((most, p) => Math.max(most, p.lanes), 1);

const dayOf = (cell: Cell): string =>
    `${weekday(cell.start.slice(0, 10), language.value)} ${shown(cell.start.slice(0, 10))}`;

const spanOf = (cell: Cell, doctor: string): string =>
    `, ${cell.start.slice(11, 16)}–${cell.end.slice(11, 16)}, ${doctor}, ${dayOf(cell)}`;
