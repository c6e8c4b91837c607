/*
 * calendar-keys.ts
 *		The keyboard's way through the grid: one cell is in the tab order, the
 *		one that had the focus last; arrows move within and between columns,
 *		Enter books or opens, M moves, Delete cancels, Page Up and Down turn
 *		the page.
 */
import type { Board } from "./calendar-board";
import { columnKey, minutesOf, type Cell } from "./calendar-cells";
import type { Props } from "./calendar-grid";

export class Keyboard {
    private at: string | null = null;
    private place: { doctor: string; start: string } | null = null;
    private stop: HTMLElement | undefined;
    private had = false;

    constructor(private board: Board, private props: { current: Props }) {}

    cellAt(target: EventTarget | null): Cell | undefined {
        const id = target instanceof Element ? target.closest<HTMLElement>("[data-cell]")?.dataset.cell : undefined;

        return id === undefined ? undefined : this.props.current.layout.byId.get(id);
    }

    entered(target: EventTarget | null): void {
        const cell = this.cellAt(target);

        if (!cell)
            return;
        this.at = cell.id;
        this.place = { doctor: cell.doctor, start: cell.start };
        this.mark();
    }

    /* Before a change, which may make the button with the focus anew. */
    before(): void {
        this.had ||= this.board.root.contains(document.activeElement);
    }

    /* After it: the focus is where it was, or next to what has gone. */
    settle(): void {
        if (this.at !== null && !this.props.current.layout.byId.has(this.at))
            this.at = (this.place && this.near(this.place.doctor, this.place.start)?.id) ?? null;
        this.mark();
        if (this.had && !this.props.current.isCovered)
            this.resume();
        this.had = false;
    }

    /* The focus comes back to the grid, unless it is elsewhere. */
    resume(): void {
        if (this.at !== null && (document.activeElement === document.body || !document.activeElement))
            this.board.element(this.at)?.focus();
    }

    /* Exactly one cell is reached by Tab. */
    private mark(): void {
        const { byId } = this.props.current.layout;
        const id = this.at !== null && byId.has(this.at) ? this.at
            : ([...byId.values()].find((c) => c.kind === "free") ?? byId.values().next().value)?.id;
        const stop = id === undefined ? undefined : this.board.element(id);

        if (this.stop && this.stop !== stop)
            this.stop.tabIndex = -1;
        if (stop)
            stop.tabIndex = 0;
        this.stop = stop;
    }

    private column(doctor: string, date: string): Cell[] {
        return (this.props.current.layout.byKey.get(columnKey(doctor, date))?.placed ?? [])
            .map((p) => p.cell).filter((c) => c.kind !== "outside");
    }

    /* The column's cell that begins then, or next to it. */
    private near(doctor: string, start: string): Cell | undefined {
        const wanted = minutesOf(start);
        const away = (cell: Cell): number => Math.abs(cell.from - wanted);

        return this.column(doctor, start.slice(0, 10)).sort((a, b) => away(a) - away(b))[0];
    }

    /* The nearest cell of the next column that has any. */
    private beside(cell: Cell, step: number): Cell | undefined {
        const { columns } = this.props.current.layout;
        let n = columns.findIndex((c) => c.key === columnKey(cell.doctor, cell.start.slice(0, 10)));

        for (n += step; n >= 0 && n < columns.length; n += step) {
            const { doctor, date } = columns[n];
            const near = this.near(doctor.doctor_id, `${date}${cell.start.slice(10)}`);

            if (near)
                return near;
        }
        return undefined;
    }

    press(event: KeyboardEvent): void {
        const props = this.props.current;
        const cell = this.cellAt(event.target);

        if (!cell || event.ctrlKey || event.metaKey || event.altKey)
            return;
        const column = this.column(cell.doctor, cell.start.slice(0, 10));
        const n = column.findIndex((c) => c.id === cell.id);
        const go = (to: Cell | undefined): void => {
            if (to)
                this.board.element(to.id)?.focus();
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
}
