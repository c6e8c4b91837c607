/*
 * week.tsx
 *		A week at a glance: seven columns on one scale; on a narrow screen seven
 *		lines.
 */
import { words } from "../i18n";
import { clinicWords } from "../i18n/clinic-settings";
import { Icon } from "./icon";

/* What is on a weekday from one time of the clock to another. */
export interface Stretch { id: string; weekday: number; from: string; to: string; notes: string[] }

export const DAYS = [1, 2, 3, 4, 5, 6, 7];

export const dayName = (n: number, style: "short" | "long" = "long"): string =>
    words.value.weekdays[style][n % 7];
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

export function Week({ label, stretches, none, add, onEdit, onAdd }: {
    label: string; stretches: Stretch[]; none: string; add: string;
    onEdit: (id: string) => void; onAdd: (weekday: number) => void;
}) {
    const first = Math.min(8 * 60, ...stretches.map((one) => minutesOf(one.from)));
    const last = Math.max(18 * 60, ...stretches.map((one) => minutesOf(one.to)));
    const total = stretches.reduce((sum, one) => sum + minutesOf(one.to) - minutesOf(one.from), 0);
    const hours = Array.from({ length: Math.floor(last / 60) - Math.ceil(first / 60) + 1 },
        (_, n) => Math.ceil(first / 60) + n);
    const part = (minutes: number) => (minutes - first) / (last - first);

    return (
        <section class="card week" aria-label={label} style={{ "--length": String((last - first) / 60) }}>
            <div class="scale" aria-hidden="true">
                {hours.map((hour) => (
                    <span key={hour} style={{ "--at": String(part(hour * 60)) }}>{String(hour).padStart(2, "0")}</span>
                ))}
            </div>
            {DAYS.map((n) => {
                const mine = stretches.filter((one) => one.weekday === n)
                    .sort((a, b) => a.from.localeCompare(b.from));

                return (
                    <div key={n} class="day">
                        <h2 id={`day-${n}`}><span class="short">{dayName(n, "short")}</span>
                            <span class="long">{dayName(n)}</span></h2>
                        <ul aria-labelledby={`day-${n}`}>
                            {mine.map((one) => (
                                <li key={one.id} style={{
                                    "--at": String(part(minutesOf(one.from))),
                                    "--size": String(part(minutesOf(one.to)) - part(minutesOf(one.from))),
                                    "--lane": String(mine.filter((other) => other.id < one.id
                                        && other.from < one.to && one.from < other.to).length),
                                }}>
                                    <button type="button" onClick={() => onEdit(one.id)}>
                                        <strong class="number">{one.from}–{one.to}</strong>
                                        {one.notes.map((note) => <small key={note}>{note}</small>)}
                                    </button>
                                </li>
                            ))}
                            {mine.length === 0 && <li class="off muted">{none}</li>}
                        </ul>
                        <button type="button" class="small" onClick={() => onAdd(n)}>
                            <Icon name="plus" /><span class="hidden">{add}, {dayName(n)}</span></button>
                    </div>
                );
            })}
            <p class="muted total">{clinicWords.value.hours.total(String(Math.round(total / 6) / 10))}</p>
        </section>
    );
}
