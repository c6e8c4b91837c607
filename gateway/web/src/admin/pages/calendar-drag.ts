/*
 * calendar-drag.ts
 *		A visit moved by the pointer: at once with a mouse or a pen, after a
 *		long press with a finger, which scrolls otherwise. Where it would go is
 *		shown; Escape, or letting go outside the grid, leaves it where it is.
 */
import type { Appointment } from "../api";
import { instantOf } from "../time";
import { isMovable, type Board } from "./calendar-board";
import { clock, slotAt, type Cell, type Column } from "./calendar-cells";
import type { Props } from "./calendar-grid";

type Visit = Extract<Cell, { kind: "appointment" }>;

interface Grip {
    cell: Visit;
    element: HTMLElement;
    pointer: number;
    x: number;
    y: number;
    /* From the visit's beginning to where it is held, and to its end. */
    held: number;
    length: number;
    timer?: ReturnType<typeof setTimeout>;
    isFinger: boolean;
}

const SLACK_PX = 5;
const FINGER_SLACK_PX = 10;
/* The click that a drag ends with comes until then. */
const CLICK_MS = 50;
const PRESS_MS = 400;
const SNAP_MIN = 5;
const EDGE_PX = 40;
const SCROLL_PX = 12;

export class Drag {
    private grip: Grip | undefined;
    private ghost: HTMLElement | undefined;
    private goal: { column: Column; minute: number } | undefined;
    private frame = 0;
    private wasDragged = false;
    private undo: (() => void)[] = [];

    constructor(private board: Board, private props: { current: Props }) {
        const { root } = board;

        this.on(root, "pointerdown", (event) => this.down(event));
        this.on(root, "pointermove", (event) => this.move(event));
        this.on(root, "pointerup", (event) => this.up(event));
        this.on(root, "pointercancel", () => this.cancel());
        this.on(root, "touchmove", (event) => this.ghost && event.preventDefault());
        this.on(root, "contextmenu", (event) => this.grip?.isFinger && event.preventDefault());
        this.on(window, "keydown", (event) => this.escape(event as KeyboardEvent));
    }

    /* Whether this click is the end of a drag. */
    tookClick(): boolean {
        return this.wasDragged;
    }

    /* Nothing waits for an answer any more. */
    settle(): void {
        if (!this.grip)
            this.clear();
    }

    end(): void {
        this.cancel();
        this.undo.forEach((undo) => undo());
    }

    private on<K extends keyof HTMLElementEventMap>(target: EventTarget, kind: K,
        then: (event: HTMLElementEventMap[K]) => unknown): void {
        const listener = (event: Event): void => void then(event as HTMLElementEventMap[K]);

        target.addEventListener(kind, listener, { passive: false, capture: target === window });
        this.undo.push(() => target.removeEventListener(kind, listener, { capture: target === window }));
    }

    private down(event: PointerEvent): void {
        const element = (event.target as Element).closest<HTMLElement>("[data-cell]");
        const cell = this.props.current.layout.byId.get(element?.dataset.cell ?? "");
        const at = this.board.at(event.clientX, event.clientY);

        this.cancel();
        if (!element || !at || cell?.kind !== "appointment" || !isMovable(cell, this.props.current.write)
                || event.button !== 0 || !event.isPrimary)
            return;
        const placed = at.column.placed.find((p) => p.cell === cell);
        if (!placed)
            return;
        this.grip = { cell, element, pointer: event.pointerId, x: event.clientX, y: event.clientY,
            held: at.minute - placed.from, length: placed.to - placed.from, isFinger: event.pointerType === "touch" };
        if (this.grip.isFinger)
            this.grip.timer = setTimeout(() => this.lift(), PRESS_MS);
    }

    private move(event: PointerEvent): void {
        const { grip } = this;

        if (!grip || event.pointerId !== grip.pointer)
            return;
        const far = Math.hypot(event.clientX - grip.x, event.clientY - grip.y);
        if (!this.ghost && grip.isFinger && far > FINGER_SLACK_PX)
            this.cancel();
        if (!this.ghost && !grip.isFinger && far > SLACK_PX)
            this.lift();
        if (!this.ghost)
            return;
        grip.x = event.clientX;
        grip.y = event.clientY;
        this.follow();
    }

    private up(event: PointerEvent): void {
        const { grip, goal, ghost } = this;

        if (!grip || event.pointerId !== grip.pointer)
            return;
        if (!ghost || !goal) {
            this.cancel();
            return;
        }
        const { doctor_id } = goal.column.doctor;
        const slot = slotAt(goal.column, goal.minute);
        const start = slot?.point.start_time
            ?? instantOf(`${goal.column.date}T${clock(goal.minute)}:00`, this.props.current.zone);
        const { appointment } = grip.cell;

        this.release();
        if (isThere(appointment, doctor_id, start))
            this.clear();
        else
            this.props.current.onMove(appointment, { doctor_id, start });
    }

    private escape(event: KeyboardEvent): void {
        if (event.key !== "Escape" || !this.ghost || !this.grip)
            return;
        event.preventDefault();
        event.stopPropagation();
        this.cancel();
    }

    private lift(): void {
        const { grip } = this;

        if (!grip)
            return;
        this.wasDragged = true;
        this.board.root.setPointerCapture(grip.pointer);
        this.ghost = grip.element.cloneNode(true) as HTMLElement;
        this.ghost.removeAttribute("data-cell");
        this.ghost.removeAttribute("style");
        this.ghost.setAttribute("aria-hidden", "true");
        this.ghost.inert = true;
        this.ghost.classList.remove("beside");
        this.ghost.classList.add("ghost");
        grip.element.classList.add("lifted");
        this.board.root.classList.add("dragging");
        this.follow();
        this.scroll();
    }

    /* Where it would go: to a free slot that is near, or to the next five minutes. */
    private follow(): void {
        const { grip, ghost } = this;
        const { pane } = this.board;
        const box = pane.getBoundingClientRect();

        if (!grip || !ghost)
            return;
        const isInside = grip.x >= box.left + sizeOf(pane, ".ec-sidebar", "clientWidth") && grip.x < box.right
            && grip.y >= box.top + sizeOf(pane, ".ec-header", "clientHeight") && grip.y < box.bottom;
        const at = isInside ? this.board.at(grip.x, grip.y) : undefined;
        if (!at) {
            this.goal = undefined;
            ghost.remove();
            return;
        }
        const { low, high } = this.props.current.layout;
        const near = Math.round((at.minute - grip.held) / SNAP_MIN) * SNAP_MIN;
        const wanted = Math.max(low, Math.min(near, high - Math.min(grip.length, high - low)));
        const slot = slotAt(at.column, wanted);
        const minute = slot ? slot.from : wanted;
        const time = ghost.querySelector(".cell-time");

        this.goal = { column: at.column, minute };
        if (time)
            time.textContent = clock(minute);
        this.board.put(ghost, at.column, minute, minute + grip.length);
    }

    /* Near an edge the grid goes on by itself. */
    private scroll(): void {
        const { grip } = this;
        const { pane } = this.board;

        if (!grip || !this.ghost)
            return;
        const box = pane.getBoundingClientRect();
        const towards = (at: number, low: number, high: number): number =>
            at < low + EDGE_PX ? -SCROLL_PX : at > high - EDGE_PX ? SCROLL_PX : 0;
        const heads = sizeOf(pane, ".ec-header", "clientHeight");
        const [left, top] = [pane.scrollLeft, pane.scrollTop];

        pane.scrollBy({ left: towards(grip.x, box.left, box.right), top: towards(grip.y, box.top + heads, box.bottom),
            behavior: "instant" });
        if (pane.scrollLeft !== left || pane.scrollTop !== top)
            this.follow();
        this.frame = requestAnimationFrame(() => this.scroll());
    }

    private release(): void {
        clearTimeout(this.grip?.timer);
        cancelAnimationFrame(this.frame);
        if (this.grip && this.board.root.hasPointerCapture(this.grip.pointer))
            this.board.root.releasePointerCapture(this.grip.pointer);
        this.board.root.classList.remove("dragging");
        if (this.wasDragged) {
            setTimeout(() => {
                this.wasDragged = false;
            }, CLICK_MS);
        }
        this.grip = undefined;
        this.goal = undefined;
    }

    private clear(): void {
        this.ghost?.remove();
        this.ghost = undefined;
        this.board.root.querySelectorAll(".lifted").forEach((one) => one.classList.remove("lifted"));
    }

    private cancel(): void {
        this.release();
        this.clear();
    }
}

const sizeOf = (pane: HTMLElement, what: string, size: "clientWidth" | "clientHeight"): number =>
    pane.querySelector(what)?.[size] ?? 0;

const isThere = (a: Appointment, doctor_id: string, start: string): boolean =>
    a.doctor_id === doctor_id && Date.parse(a.slot_start) === Date.parse(start);
