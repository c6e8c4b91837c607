/*
 * plot.tsx
 *		A plot by uPlot, in the page's colours: a picture of a table that stands
 *		beside it, which is what a screen reader reads.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../theme";

export interface Line { label: string; values: (number | null)[]; colour: "accent" | "info" | "warn" | "bad" }

const HEIGHT = 280;
const LABEL_PX = 76;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue("--accent") === ""
        ? "gray" : resolved(`var(--${name})`);
}

/* light-dark() as the browser has it just now. */
function resolved(value: string): string {
    const probe = document.createElement("span");

    probe.style.color = value;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
}

/* Rises when the system turns light or dark. */
function useScheme(): number {
    const [turns, setTurns] = useState(0);

    useEffect(() => {
        const query = matchMedia("(prefers-color-scheme: dark)");
        const turn = () => setTurns((n) => n + 1);

        query.addEventListener("change", turn);
        return () => query.removeEventListener("change", turn);
    }, []);
    return turns;
}

export function Plot({ label, x, at, lines, bars, unit }: {
    label: string; x: string; at: string[]; lines: Line[]; bars?: boolean; unit: (n: number) => string;
}) {
    const host = useRef<HTMLDivElement>(null);
    const scheme = useScheme();

    useEffect(() => {
        const element = host.current;

        if (!element)
            return undefined;
        const text = colour("muted");
        const grid = colour("line");
        const plot = new uPlot({
            width: Math.max(240, element.clientWidth), height: HEIGHT,
            cursor: { points: { show: !bars }, drag: { x: false, y: false } },
            scales: { x: { time: false, range: (_, low, high) => [low - 0.5, high + 0.5] },
                y: { range: (_, __, high) => [0, Math.max(1, high * 1.1)] } },
            axes: [
                { stroke: text, grid: { show: false }, ticks: { show: false }, space: LABEL_PX,
                    incrs: [1, 2, 5, 7, 10, 14, 20, 30], values: (_, all) => all.map((n) => at[n] ?? "") },
                { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false },
                    size: 64, incrs: WHOLE, values: (_, all) => all.map(unit) },
            ],
            series: [
                { label: x, value: (_, n) => (n === null ? "–" : at[n] ?? "–") },
                ...lines.map((line): uPlot.Series => ({
                    label: line.label, stroke: colour(line.colour), width: 2,
                    fill: bars ? colour(line.colour) : undefined,
                    paths: bars ? uPlot.paths.bars?.({ size: [0.6, 48] }) : undefined,
                    points: { show: !bars && at.length < 40, size: 6 },
                    value: (_, n) => (n === null ? "–" : unit(n)),
                })),
            ],
        }, [at.map((_, n) => n), ...lines.map((line) => line.values)], element);
        const watch = new ResizeObserver(() =>
            plot.setSize({ width: Math.max(240, element.clientWidth), height: HEIGHT }));

        watch.observe(element);
        return () => {
            watch.disconnect();
            plot.destroy();
        };
    }, [JSON.stringify([x, at, lines]), bars, theme.value, scheme]);
    return <div ref={host} class="plot" role="img" aria-label={label} />;
}
