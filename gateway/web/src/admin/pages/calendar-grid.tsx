/*
 * calendar-grid.tsx
 *		EventCalendar, and the keyboard's way through it: one cell has the
 *		focus, arrows move it within and between columns, Enter books or opens,
 *		M moves, Delete cancels, Page Up and Down turn the page.
 */
import { createCalendar, destroyCalendar, Interaction, ResourceTimeGrid, type Calendar as Ec } from "@event-calendar/core";
import "@event-calendar/core/index.css";
import { useEffect, useRef } from "preact/hooks";
import type { Appointment, Doctor, Point } from "../api";
import type { Chosen } from "../parts/patient-form";
import { language, words, type Words } from "../i18n";
import { toast } from "../parts/toast";
import { instantOf, shown, weekday } from "../time";
import type { Target } from "./calendar-dialogs";

interface Common { id: string; doctor: string; start: string; end: string }

export type Cell =
    | Common & { kind: "appointment"; appointment: Appointment }
    | Common & { kind: "free"; point: Point }
    | Common & { kind: "blocked"; reason: string; detail: string }
    /* Where nobody works: it says so, and does nothing. */
    | Common & { kind: "outside" };

interface Props {
    days: string[];
    doctors: Doctor[];
    cells: Cell[];
    zone: string;
    stepMin: number;
    patients: ReadonlyMap<string, Chosen>;
    write: boolean;
    /* A dialog stands in front. */
    isCovered: boolean;
    onBook: (doctor: string, point: Point) => void;
    onLook: (appointment: Appointment) => void;
    onMove: (appointment: Appointment, target?: Target, revert?: () => void) => void;
    onCancel: (appointment: Appointment) => void;
    onStep: (steps: number) => void;
}

const SLOT_PX = 30;

/* Of one day, or to its end. */
const minutesBetween = (start: string, end: string): number =>
    minutesOf(end) - minutesOf(start) + (end.slice(0, 10) > start.slice(0, 10) ? 24 * 60 : 0);

export const minutesOf = (wallTime: string): number =>
    Number(wallTime.slice(11, 13)) * 60 + Number(wallTime.slice(14, 16));

/* The hours that anything is in, whole ones. */
export function hoursOf(cells: Cell[]): [string, string] {
    let low = 24 * 60;
    let high = 0;

    for (const cell of cells) {
        low = Math.min(low, minutesOf(cell.start));
        high = Math.max(high, cell.end.slice(0, 10) > cell.start.slice(0, 10) ? 24 * 60 : minutesOf(cell.end));
    }
    if (high <= low)
        return ["08:00", "18:00"];
    return [`${String(Math.floor(low / 60)).padStart(2, "0")}:00`,
        `${String(Math.ceil(high / 60)).padStart(2, "0")}:00`];
}

/* The shortest slot there is gives the rows. */
function rowMinutes(cells: Cell[], otherwise: number): number {
    const lengths = cells.filter((c) => c.kind === "free").map((c) => minutesOf(c.end) - minutesOf(c.start))
        .filter((n) => n >= 5);

    return lengths.length === 0 ? otherwise : Math.min(...lengths);
}

function nameOf(cell: Cell, props: Props): string {
    return cell.kind === "appointment"
        ? props.patients.get(cell.appointment.patient_id)?.name ?? cell.appointment.patient_id : "";
}

/* The whole of what a narrow column may have cut. */
const titleOf = (cell: Cell, props: Props): string => `${cell.start.slice(11, 16)} ${nameOf(cell, props)}`;

/* What a screen reader says beside what stands there. */
function also(cell: Cell, props: Props, w: Words): string {
    const doctor = props.doctors.find((d) => d.doctor_id === cell.doctor)?.name ?? cell.doctor;
    const date = cell.start.slice(0, 10);
    const day = `${weekday(date, language.value)} ${shown(date)}`;

    switch (cell.kind) {
    case "free":
        return `, ${w.calendar.free}, ${doctor}, ${day}`;
    case "appointment":
        return `, ${w.status[cell.appointment.status]}, ${doctor}, ${day}`;
    case "blocked":
    case "outside":
        return `, ${cell.start.slice(11, 16)}–${cell.end.slice(11, 16)}, ${doctor}, ${day}`;
    }
}

/* A cell's button: text alone, whatever a name may be. */
function buttonOf(cell: Cell, props: Props, w: Words, isStop: boolean): HTMLElement {
    const button = document.createElement(cell.kind === "outside" ? "span" : "button");
    const add = (name: string, text: string): void => {
        const element = document.createElement("span");

        element.className = name;
        element.textContent = text;
        button.append(element);
    };

    button.className = "cell";
    if (button instanceof HTMLButtonElement) {
        button.type = "button";
        button.tabIndex = isStop ? 0 : -1;
        button.dataset.cell = cell.id;
    }
    switch (cell.kind) {
    case "free":
        add("cell-time", cell.start.slice(11, 16));
        break;
    case "appointment":
        add("cell-time", cell.start.slice(11, 16));
        add("cell-name", nameOf(cell, props));
        button.title = titleOf(cell, props);
        add("hidden", `, ${w.common.token}`);
        add("cell-token", `${cell.appointment.token_number}`);
        if (props.write)
            button.setAttribute("aria-keyshortcuts", "M Delete");
        break;
    case "blocked":
        add("cell-reason", w.calendar.reasons[cell.reason] ?? cell.reason);
        button.title = cell.detail;
        break;
    case "outside":
        add("cell-reason", w.calendar.reasons.outside_hours);
        break;
    }
    add("hidden", also(cell, props, w));
    return button;
}

/* The buttons of an event, each at its time. */
function nodesOf(cells: Cell[], props: Props, w: Words, stopId?: string): HTMLElement[] {
    const [{ start }] = cells;
    const all = minutesBetween(start, cells[cells.length - 1].end);

    return cells.map((cell) => {
        const button = buttonOf(cell, props, w, cell.id === stopId);

        if (cell.kind === "free") {
            button.style.top = `${minutesBetween(start, cell.start) / all * 100}%`;
            button.style.height = `${minutesBetween(cell.start, cell.end) / all * 100}%`;
        }
        return button;
    });
}

/*
 * What EventCalendar is given at a time, since each event costs it much: a
 * doctor's free slots of a day, but for those with somebody beside them, lie
 * behind the rest as one; each other cell is one by itself.
 */
function groupsOf(cells: Cell[]): Cell[][] {
    const groups: Cell[][] = [];
    const there = new Map<string, Cell[]>();
    const free = new Map<string, Cell[]>();
    const column = (cell: Cell): string => `${cell.doctor} ${cell.start.slice(0, 10)}`;
    const into = (columns: Map<string, Cell[]>, cell: Cell): Cell[] => {
        const found = columns.get(column(cell)) ?? [];

        columns.set(column(cell), found);
        found.push(cell);
        return found;
    };

    for (const cell of cells)
        if (cell.kind === "appointment")
            into(there, cell);
    for (const cell of cells) {
        const isAlone = cell.kind === "free" && !there.get(column(cell))?.some((a) =>
            a.start < cell.end && cell.start < a.end);

        if (!isAlone)
            groups.push([cell]);
        else if (into(free, cell).length === 1)
            groups.push(free.get(column(cell)) as Cell[]);
    }
    return groups;
}

function eventsOf(props: Props): Ec.EventInput[] {
    const there = props.cells.filter((c) => c.kind === "appointment");

    return groupsOf(props.cells).map((cells) => {
        const [cell] = cells;
        const isBehind = cell.kind === "blocked" || cell.kind === "outside" || (cell.kind === "free" && (cells.length > 1
            || !there.some((a) => a.doctor === cell.doctor && a.start < cell.end && cell.start < a.end)));

        return {
            id: cell.id,
            resourceId: cell.doctor,
            start: cell.start,
            end: cells[cells.length - 1].end,
            display: isBehind ? "background" : "auto",
            startEditable: props.write && cell.kind === "appointment" && cell.appointment.status === "booked",
            classNames: [cell.kind, cell.kind === "appointment" ? cell.appointment.status
                : cell.kind === "blocked" ? `reason-${cell.reason}` : cell.kind === "free" ? "run" : ""]
                .filter(Boolean),
            extendedProps: { cells },
        };
    });
}

const cellsIn = (event: Ec.Event): Cell[] => event.extendedProps.cells as Cell[];

/* A date whose clock, in this browser, shows the wall time. */
function wallOf(date: Date): string {
    const two = (n: number): string => String(n).padStart(2, "0");

    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function Grid(props: Props) {
    const root = useRef<HTMLDivElement>(null);
    const calendar = useRef<Ec | undefined>(undefined);
    const latest = useRef(props);
    const isNew = useRef(true);
    const given = useRef<Ec.Options>({});
    const focus = useRef<Keyboard | undefined>(undefined);
    const w = words.value;

    latest.current = props;
    useEffect(() => {
        const target = root.current as HTMLDivElement;
        const keyboard = new Keyboard(target, latest);
        const watch = new MutationObserver(() => plain(target));

        watch.observe(target,
            { subtree: true, childList: true, attributeFilter: ["role", "aria-colindex"] });
        focus.current = keyboard;
        given.current = optionsOf(latest.current);
        calendar.current = createCalendar(target, [ResourceTimeGrid, Interaction], {
            ...given.current,
            view: "resourceTimeGridDay",
            headerToolbar: { start: "", center: "", end: "" },
            allDaySlot: false,
            nowIndicator: false,
            firstDay: 1,
            slotEventOverlap: false,
            eventDurationEditable: false,
            eventStartEditable: true,
            dragScroll: true,
            slotHeight: SLOT_PX,
            columnWidth: "minmax(7rem, 1fr)",
            eventTimeFormat: () => "",
            eventContent: ({ event }) => ({ domNodes:
                nodesOf(cellsIn(event), latest.current, words.value, keyboard.stopId()) }),
            eventAllUpdated: () => keyboard.settle(),
            eventDragStart: () => keyboard.dragged(),
            eventDrop: ({ event, newResource, revert }) => {
                const [cell] = cellsIn(event);

                if (cell.kind !== "appointment")
                    return;
                latest.current.onMove(cell.appointment, {
                    doctor_id: newResource?.id ?? cell.doctor,
                    start: startOf(latest.current, newResource?.id ?? cell.doctor, wallOf(event.start)),
                }, revert);
            },
        });
        return () => {
            const going = calendar.current;

            calendar.current = undefined;
            watch.disconnect();
            if (going)
                void destroyCalendar(going);
        };
    }, []);
    useEffect(() => {
        if (isNew.current) {
            isNew.current = false;
            return undefined;
        }
        focus.current?.before();
        const options = optionsOf(props);

        for (const [name, value] of Object.entries(options))
            if (name === "events" || !isSame(value, given.current[name as keyof Ec.Options]))
                calendar.current?.setOption(name as keyof Ec.Options, value);
        given.current = options;
        const timer = setTimeout(() => focus.current?.settle(), 0);

        return () => clearTimeout(timer);
    }, [props.cells, props.days, props.doctors.map((d) => d.doctor_id).join(), props.write, w]);
    useEffect(() => name(root.current as HTMLDivElement, latest.current), [props.patients]);
    useEffect(() => {
        if (!props.isCovered)
            setTimeout(() => focus.current?.resume(), 0);
    }, [props.isCovered]);
    return (
        <div ref={root} class="calendar" role="region" aria-label={w.calendar.region}
            aria-description={w.calendar.keys}
            onClick={(event) => focus.current?.clicked(event.target as HTMLElement)}
            onKeyDown={(event) => focus.current?.press(event)}
            onFocusIn={(event) => focus.current?.entered(event.target as HTMLElement)} />
    );
}

/* As EventCalendar sees it; a format reads the language when it is used. */
function isSame(a: unknown, b: unknown): boolean {
    return JSON.stringify(a) === JSON.stringify(b);
}

/* Puts the names to the appointments that were drawn before they were known. */
function name(root: HTMLElement, props: Props): void {
    for (const cell of props.cells) {
        const there = cell.kind === "appointment"
            && root.querySelector(`[data-cell="${CSS.escape(cell.id)}"] .cell-name`);

        if (there) {
            there.textContent = nameOf(cell, props);
            (there.parentElement as HTMLElement).title = titleOf(cell, props);
        }
    }
}

function optionsOf(props: Props): Ec.Options {
    const [slotMinTime, slotMaxTime] = hoursOf(props.cells.filter((c) => c.kind !== "outside"));
    const row = rowMinutes(props.cells, props.stepMin);

    return {
        date: props.days[0],
        datesAboveResources: props.days.length > 1,
        duration: { days: props.days.length },
        slotMinTime,
        slotMaxTime,
        slotDuration: { minutes: row },
        snapDuration: { minutes: Math.min(row, 5) },
        slotLabelInterval: { minutes: 60 },
        slotLabelFormat: (time) => wallOf(time).slice(11, 16),
        locale: language.value,
        dayHeaderFormat: (day) => {
            const date = wallOf(day).slice(0, 10);

            return `${weekday(date, language.value, "short")} ${shown(date).slice(0, 5)}`;
        },
        resources: props.doctors.map((d) => ({ id: d.doctor_id, title: d.name })),
        events: eventsOf(props),
    };
}

/*
 * The instant that something was dropped at: that of the free slot which
 * begins there or less than half a slot away, if one does.
 */
function startOf(props: Props, doctor: string, at: string): string {
    const away = (cell: Cell): number => Math.abs(minutesOf(cell.start) - minutesOf(at));
    const near = props.cells.filter((c) => c.kind === "free" && c.doctor === doctor
        && c.start.slice(0, 10) === at.slice(0, 10)
        && away(c) < (minutesOf(c.end) - minutesOf(c.start)) / 2).sort((x, y) => away(x) - away(y))[0];

    return near?.kind === "free" ? near.point.start_time : instantOf(at, props.zone);
}

function activate(props: Props, cell: Cell): void {
    if (cell.kind === "free" && props.write)
        props.onBook(cell.doctor, cell.point);
    else if (cell.kind === "appointment")
        props.onLook(cell.appointment);
    else if (cell.kind === "blocked")
        toast(cell.detail);
}

/*
 * EventCalendar says that it is a table, whose rows have no cells, whenever it
 * draws a part anew. The cells are buttons that say where they are; the rest
 * says nothing.
 */
function plain(root: HTMLElement): void {
    for (const element of root.querySelectorAll('[role]:not([role="presentation"]), [aria-colindex]')) {
        element.setAttribute("role", "presentation");
        element.removeAttribute("aria-colindex");
    }
}

/* ---- the keyboard -------------------------------------------------------- */

/* Roving focus over the cells: one is in the tab order, the one that had it last. */
class Keyboard {
    private at: string | null = null;
    private place: { doctor: string; start: string } | null = null;
    private dragging = false;
    private had = false;
    private sought: Cell[] | undefined;
    private soughtAt: string | null = null;
    private found: string | undefined;
    private all: Cell[] | undefined;
    private doing: Cell[] = [];

    constructor(private root: HTMLElement, private props: { current: Props }) {}

    /* The click that ends a drag is none. */
    dragged(): void {
        const end = (): void => {
            setTimeout(() => {
                this.dragging = false;
            }, 50);
        };

        this.dragging = true;
        addEventListener("pointerup", end, { once: true, capture: true });
    }

    clicked(target: HTMLElement): void {
        const cell = this.cellAt(target);

        if (cell && !this.dragging)
            activate(this.props.current, cell);
    }

    entered(target: HTMLElement): void {
        const cell = this.cellAt(target);

        if (!cell)
            return;
        this.at = cell.id;
        this.place = { doctor: cell.doctor, start: cell.start };
        this.stop();
    }

    /* Before a change, which makes every button anew. */
    before(): void {
        this.had ||= this.root.contains(document.activeElement);
    }

    /* After it: the focus is where it was, or next to what has gone. */
    settle(): void {
        if (this.at !== null && !this.element(this.at))
            this.at = (this.place && this.near(this.place.doctor, this.place.start)?.id) ?? null;
        this.stop();
        if (this.had && !this.props.current.isCovered)
            this.resume();
        this.had = false;
    }

    /* The focus comes back to the grid, unless it is elsewhere. */
    resume(): void {
        if (this.at !== null && (document.activeElement === document.body || !document.activeElement))
            this.element(this.at)?.focus();
    }

    /* The cell that Tab comes to. */
    stopId(): string | undefined {
        const cells = this.cells();

        if (this.sought !== cells || this.soughtAt !== this.at) {
            this.sought = cells;
            this.soughtAt = this.at;
            this.found = (cells.find((c) => c.id === this.at) ?? cells.find((c) => c.kind === "free") ?? cells[0])?.id;
        }
        return this.found;
    }

    private cellAt(target: HTMLElement): Cell | undefined {
        const id = target.closest<HTMLElement>("[data-cell]")?.dataset.cell
            ?? target.closest(".ec-event, .ec-bg-event")?.querySelector<HTMLElement>("[data-cell]")?.dataset.cell;

        return this.cells().find((c) => c.id === id);
    }

    private element(id: string): HTMLElement | null {
        return this.root.querySelector<HTMLElement>(`[data-cell="${CSS.escape(id)}"]`);
    }

    /* Those that do something. */
    private cells(): Cell[] {
        const all = this.props.current.cells;

        if (this.all !== all) {
            this.all = all;
            this.doing = all.filter((c) => c.kind !== "outside");
        }
        return this.doing;
    }

    /* The column's cell that begins then, or next to it. */
    private near(doctor: string, start: string): Cell | undefined {
        const column = this.column(doctor, start.slice(0, 10));
        const wanted = minutesOf(start);

        return [...column].sort((a, b) =>
            Math.abs(minutesOf(a.start) - wanted) - Math.abs(minutesOf(b.start) - wanted))[0];
    }

    private column(doctor: string, date: string): Cell[] {
        return this.cells().filter((c) => c.doctor === doctor && c.start.slice(0, 10) === date)
            .sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : a.kind < b.kind ? -1 : 1);
    }

    /* Exactly one cell is reached by Tab. */
    private stop(): void {
        const id = this.stopId();

        for (const el of this.root.querySelectorAll<HTMLElement>("[data-cell]"))
            el.tabIndex = el.dataset.cell === id ? 0 : -1;
    }

    press(event: KeyboardEvent): void {
        const props = this.props.current;
        const cell = this.cellAt(event.target as HTMLElement);

        if (!cell || event.ctrlKey || event.metaKey || event.altKey)
            return;
        const column = this.column(cell.doctor, cell.start.slice(0, 10));
        const n = column.findIndex((c) => c.id === cell.id);
        const go = (to: Cell | undefined): void => {
            if (to)
                this.element(to.id)?.focus();
        };

        switch (event.key) {
        case "ArrowDown": go(column[n + 1]); break;
        case "ArrowUp": go(column[n - 1]); break;
        case "ArrowRight": go(this.beside(cell, 1)); break;
        case "ArrowLeft": go(this.beside(cell, -1)); break;
        case "Home": go(column[0]); break;
        case "End": go(column[column.length - 1]); break;
        case "PageDown": props.onStep(1); break;
        case "PageUp": props.onStep(-1); break;
        case "m": case "M":
            if (cell.kind === "appointment" && props.write)
                props.onMove(cell.appointment);
            break;
        case "Delete":
            if (cell.kind === "appointment" && props.write)
                props.onCancel(cell.appointment);
            break;
        default:
            return;
        }
        event.preventDefault();
    }

    /* The nearest cell of the next column that has any. */
    private beside(cell: Cell, step: number): Cell | undefined {
        const { days, doctors } = this.props.current;
        const columns = days.flatMap((day) => doctors.map((d) => [d.doctor_id, day]));
        let n = columns.findIndex(([doctor, day]) => doctor === cell.doctor && day === cell.start.slice(0, 10));

        for (n += step; n >= 0 && n < columns.length; n += step) {
            const [doctor, day] = columns[n];
            const near = this.near(doctor, `${day}${cell.start.slice(10)}`);

            if (near)
                return near;
        }
        return undefined;
    }
}
