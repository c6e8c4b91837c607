/*
 * calendar-board.ts
 *		What stands in the grid.  EventCalendar has the frame: the doctors and
 *		dates above, the hours beside, now, what scrolls, and a cell for each
 *		doctor's day.  In that cell is a column of ours, whose visits and slots
 *		are too many to be EventCalendar's events.  What has not changed is not
 *		drawn again.  Of a column, the parts in sight are drawn at once, the
 *		others while the browser is idle, or as soon as somebody scrolls, tabs
 *		or prints there: each has its place from the beginning, so nothing moves.
 */
import { createCalendar, destroyCalendar, ResourceTimeGrid, type Calendar as Ec } from "@event-calendar/core";
import type { Known } from "../clinic";
import { pause } from "../pause";
import { language, weekday, words, type Words } from "../i18n";
import { offsetOf, shown } from "../time";
import { chunksOf, clock, columnKey, type Cell, type Chunk, type Column, type Layout, type Placed } from "./calendar-cells";

export interface Shown {
    layout: Layout;
    zone: string;
    write: boolean;
}

/* A row is 30 px, at the usual size of letters. */
const ROW_REM = 1.875;
const GAP_PX = 2;
const HOUR_MIN = 60;
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

/* What of the frame stays the same. */
const FRAME: Ec.Options = {
    headerToolbar: { start: "", center: "", end: "" },
    theme: (theme: Ec.Theme) => ({ ...theme, colHead: "ec-col-head head" }),
    allDaySlot: false,
    firstDay: 1,
    nowIndicator: true,
    scrollTime: "00:00",
    slotDuration: { minutes: HOUR_MIN },
    slotLabelInterval: { minutes: HOUR_MIN },
    slotLabelFormat: (time: Date) => clock(time.getHours() * HOUR_MIN),
    columnWidth: `minmax(${COLUMN_REM}rem, 1fr)`,
};

/* Of EventCalendar's, whose clock in this browser shows the branch's time. */
const dateOf = (date: Date): string => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-`
    + `${String(date.getDate()).padStart(2, "0")}`;

/* A function of its own for each language. */
const headOf = () => (day: Date): string =>
    `${weekday(dateOf(day), "short")} ${shown(dateOf(day)).slice(0, 5)}`;

const remPx = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize);
let rem = remPx();

/* EventCalendar draws what it was told in microtasks of its own, some behind others. */
const TURNS = 8;
async function settled(): Promise<void> {
    for (let n = 0; n < TURNS; n++)
        await undefined;
}

interface Drawn {
    state: string;
    element: HTMLElement;
    /* Those that are still to be drawn. */
    due: Chunk[];
}

const IDLE_MS = 1000;

export class Board {
    private frame: Ec | undefined;
    private readonly stand = make("div", "frame");
    private given: Record<string, unknown> = {};
    private spoken = "";
    private drawn = new Map<string, Drawn>();
    private elements = new Map<string, HTMLElement>();
    private isWaiting = false;
    private isGone = false;
    private now: Shown | undefined;
    private names: ReadonlyMap<string, Known> = new Map();
    private w: Words = words.value;
    private perMinute = ROW_REM;
    /* What it stands in. */
    root = this.stand;

    private readonly all = (): void => this.drawDue(() => true);
    private readonly seen = (): void => this.drawInSight();

    /* It stands in this part of the page from now on. */
    enter(root: HTMLElement): void {
        this.root = root;
        this.isGone = false;
        /* What scrolls is EventCalendar's, which may make another. */
        root.addEventListener("scroll", this.seen, { passive: true, capture: true });
        addEventListener("resize", this.seen);
        addEventListener("beforeprint", this.all);
    }

    /* The frame stays for the next time; whose visits there were does not. */
    leave(): void {
        this.isGone = true;
        this.now = undefined;
        this.names = new Map();
        this.drawn.forEach((there) => this.empty(there));
        removeEventListener("resize", this.seen);
        removeEventListener("beforeprint", this.all);
    }

    end(): void {
        this.leave();
        if (this.frame)
            void destroyCalendar(this.frame);
    }

    /* EventCalendar's frame before anybody looks. */
    prepare(layout: Layout, zone: string): void {
        if (this.frame)
            return;
        this.measure(layout);
        this.drawFrame(layout, zone);
    }

    private measure(layout: Layout): void {
        if (this.frame)
            rem = remPx();
        this.perMinute = ROW_REM / layout.row * rem;
    }

    /* What scrolls. */
    get pane(): HTMLElement {
        return this.root.querySelector<HTMLElement>(".ec-main") ?? this.root;
    }

    /* All is in its place once that has come to pass. */
    async draw(next: Shown): Promise<void> {
        const { layout } = next;

        this.now = next;
        this.w = words.value;
        this.measure(layout);
        layout.columns.forEach((column, n) => this.renew(column, n % layout.doctors.length === 0, next));
        for (const key of this.drawn.keys())
            if (!layout.byKey.has(key))
                this.forget(key);
        this.root.style.setProperty("--columns", tracksOf(layout.columns));
        this.drawFrame(layout, next.zone);
        await settled();
        if (this.isGone)
            return;
        if (!this.stand.isConnected) {
            this.root.append(this.stand);
            await this.measured();
        }
        if (this.now === next && !this.isGone)
            this.drawInSight();
    }

    /*
     * Once EventCalendar has measured its heads and hours, which it tells to all
     * that stands in them: before the frame is shown, and before it is filled.
     */
    private measured(): Promise<void> {
        return new Promise((done) => {
            const sizes = new ResizeObserver(() => {
                sizes.disconnect();
                done();
            });

            sizes.observe(this.stand);
        });
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
        const { low = 0, columns = [] } = this.now?.layout ?? {};
        const pane = this.pane.getBoundingClientRect();
        const wanted: [Column, DOMRect][] = [];

        for (const column of columns) {
            const there = this.drawn.get(column.key);
            const box = there && there.due.length > 0 ? there.element.getBoundingClientRect() : undefined;

            if (box && box.left < pane.right && box.right > pane.left)
                wanted.push([column, box]);
        }
        wanted.forEach(([column, { top }]) => this.drawParts(column, (chunk) =>
            top + (chunk.from - low) * this.perMinute < pane.bottom
                && top + (chunk.to - low) * this.perMinute > pane.top));
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
        void pause(IDLE_MS).then((isTime) => {
            this.isWaiting = false;
            if (!this.isGone)
                this.drawDue(isTime);
        });
    }

    /* Names that were not known when the visits were drawn. */
    rename(names: ReadonlyMap<string, Known>): void {
        this.names = names;
        for (const { doctor, placed } of this.now?.layout.columns ?? []) {
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
        this.place(element, from, to, this.now?.layout.low ?? 0);
        this.drawn.get(column.key)?.element.append(element);
    }

    private place(element: HTMLElement, from: number, to: number, origin: number, gapPx = 0): void {
        element.style.top = `${(from - origin) * this.perMinute}px`;
        element.style.height = `${(to - from) * this.perMinute - gapPx}px`;
    }

    /*
     * EventCalendar is told what is another than before. What it does first it does
     * outside the page: it measures what it makes, piece by piece, which would have
     * all of the page laid out each time.
     */
    private drawFrame(layout: Layout, zone: string): void {
        const options = this.optionsOf(layout, zone);

        if (this.frame) {
            for (const [name, value] of Object.entries(options))
                if (JSON.stringify(value) !== JSON.stringify(this.given[name]))
                    this.frame.setOption(name as keyof Ec.Options, value as never);
            if (this.spoken !== language.value)
                this.frame.setOption("dayHeaderFormat", headOf());
        } else {
            this.frame = createCalendar(this.stand, [ResourceTimeGrid], { ...FRAME, ...options,
                dayHeaderFormat: headOf(),
                dayCellContent: ({ date, resource }) =>
                    ({ domNodes: [this.columnOf(columnKey(resource.id, dateOf(date))).element] }) });
        }
        this.given = options;
        this.spoken = language.value;
    }

    private optionsOf(layout: Layout, zone: string): Record<string, unknown> {
        const isWeek = layout.days.length > 1;

        return {
            view: isWeek ? "resourceTimeGridWeek" : "resourceTimeGridDay",
            date: layout.days[0],
            datesAboveResources: isWeek,
            slotMinTime: clock(layout.low),
            slotMaxTime: clock(layout.high),
            slotHeight: HOUR_MIN * this.perMinute,
            timeZone: offsetOf(new Date(), zone),
            resources: layout.doctors.map((d) => ({ id: d.doctor_id, title: d.name })),
        };
    }

    private columnOf(key: string): Drawn {
        const there = this.drawn.get(key) ?? { state: "", element: make("div", "column"), due: [] };

        this.drawn.set(key, there);
        return there;
    }

    private forget(key: string): void {
        this.empty(this.columnOf(key));
        this.drawn.delete(key);
    }

    private empty(there: Drawn): void {
        for (const old of there.element.querySelectorAll<HTMLElement>("[data-cell]"))
            this.elements.delete(old.dataset.cell ?? "");
        there.element.replaceChildren();
        there.state = "";
        there.due = [];
    }

    /* What has changed is to be drawn anew: what was in its place, at once. */
    private renew(column: Column, isFirst: boolean, { layout, write }: Shown): void {
        const there = this.columnOf(column.key);
        const state = JSON.stringify([write, language.value, layout.low, this.perMinute,
            column.placed.map(({ cell, lane, lanes }) => [cell.id, cell.end, lane,
                lanes, cell.kind === "appointment" ? [cell.start, cell.appointment.status, cell.appointment.token_number,
                    cell.appointment.patient_id] : cell.kind === "blocked" ? [cell.reason, cell.detail] : 0])]);

        there.element.classList.toggle("first", isFirst);
        if (there.state === state)
            return;
        this.empty(there);
        there.state = state;
        there.due = chunksOf(column.placed);
    }

    private part({ from, to, placed }: Chunk, column: Column): HTMLElement {
        const chunk = make("div", "chunk");
        const isBehind = ({ cell }: Placed): boolean => cell.kind === "outside" || cell.kind === "blocked";

        this.place(chunk, from, to, this.now?.layout.low ?? 0);
        chunk.append(...[...placed.filter(isBehind), ...placed.filter((p) => !isBehind(p))]
            .map((p) => this.cell(p, column, from)));
        return chunk;
    }

    private cell({ cell, from, to, lane, lanes }: Placed, column: Column, origin: number): HTMLElement {
        const element = this.fill(cell, column.doctor.name);

        this.place(element, from, to, origin, cell.kind === "outside" ? 0 : GAP_PX);
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
            ? this.names.get(cell.appointment.patient_id)?.name ?? cell.appointment.patient_id : "";
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

/* Those in which two stand beside each other are wider; null: all are alike. */
function tracksOf(columns: Column[]): string | null {
    return columns.every((c) => lanesOf(c) === 1) ? null : columns.map((c) =>
        `minmax(${Math.max(COLUMN_REM, lanesOf(c) * LANE_REM)}rem, 1fr)`).join(" ");
}

const lanesOf = (column: Column): number => column.placed.reduce((most, p) => Math.max(most, p.lanes), 1);

const dayOf = (cell: Cell): string =>
    `${weekday(cell.start.slice(0, 10))} ${shown(cell.start.slice(0, 10))}`;

const spanOf = (cell: Cell, doctor: string): string =>
    `, ${cell.start.slice(11, 16)}–${cell.end.slice(11, 16)}, ${doctor}, ${dayOf(cell)}`;
