/*
 * calendar-grid.tsx
 *		The grid of the calendar's days as part of the page: its elements are
 *		EventCalendar's and the Board's, which redraws what has changed; keys and drags have one
 *		listener each, whatever the number of cells.
 */
import { effect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Appointment, Point } from "../api";
import { patients } from "../clinic";
import { words } from "../i18n";
import { toast } from "../parts/toast";
import { session } from "../session";
import { Board, type Shown } from "./calendar-board";
import type { Cell } from "./calendar-cells";
import type { Target } from "./calendar-dialogs";
import { Drag } from "./calendar-drag";
import { Keyboard } from "./calendar-keys";

export interface Props extends Shown {
    /* Its days are still read. */
    isBlank: boolean;
    /* A dialog stands in front. */
    isCovered: boolean;
    onBook: (doctor: string, point: Point) => void;
    onLook: (appointment: Appointment) => void;
    onMove: (appointment: Appointment, target?: Target) => void;
    onCancel: (appointment: Appointment) => void;
    onStep: (steps: number) => void;
}

let kept: Board | undefined;

/* EventCalendar's frame is the dearest part of the page: it is kept while somebody is signed in. */
export const theBoard = (): Board => kept ??= new Board();

effect(() => {
    if (session.value !== null)
        return;
    kept?.end();
    kept = undefined;
});

interface Parts { board: Board; keys: Keyboard; drag: Drag }

function activate(props: Props, cell: Cell): void {
    if (cell.kind === "free" && props.write)
        props.onBook(cell.doctor, cell.point);
    else if (cell.kind === "appointment")
        props.onLook(cell.appointment);
    else if (cell.kind === "blocked")
        toast(cell.detail);
}

export function Grid(props: Props) {
    const root = useRef<HTMLDivElement>(null);
    const latest = useRef(props);
    const parts = useRef<Parts | undefined>(undefined);
    const w = words.value;

    latest.current = props;
    useLayoutEffect(() => {
        const board = theBoard();

        board.enter(root.current as HTMLDivElement);
        const drag = new Drag(board, latest);

        const forgetNames = effect(() => board.rename(patients.value));

        parts.current = { board, drag, keys: new Keyboard(board, latest) };
        return () => {
            forgetNames();
            drag.end();
            board.leave();
        };
    }, []);
    useLayoutEffect(() => {
        const { board, keys } = parts.current as Parts;

        keys.before();
        void board.draw(latest.current).then(() => keys.settle());
    }, [props.layout, props.write, w]);
    useEffect(() => {
        if (props.isCovered)
            return;
        parts.current?.drag.settle();
        setTimeout(() => parts.current?.keys.resume(), 0);
    }, [props.isCovered]);
    return (
        <div ref={root} class="calendar" role="region" aria-label={w.calendar.region}
            aria-description={w.calendar.keys} aria-busy={props.isBlank}
            onClick={(event) => {
                const cell = parts.current?.keys.cellAt(event.target);

                if (cell && !parts.current?.drag.tookClick())
                    activate(latest.current, cell);
            }}
            onPointerOver={(event) => {
                const cell = parts.current?.keys.cellAt(event.target);

                if (cell)
                    parts.current?.board.tell(cell);
            }}
            onKeyDown={(event) => parts.current?.keys.press(event)}
            onFocusIn={(event) => parts.current?.keys.entered(event.target)} />
    );
}
