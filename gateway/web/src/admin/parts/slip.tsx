/*
 * slip.tsx
 *		The slip of a token, for a printer of 80 mm: what the patient takes to
 *		the waiting room.
 */
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import type { Appointment } from "../api";
import { branch, doctorName } from "../clinic";
import { reportWords } from "../i18n/reports";
import { shown, timeOf } from "../time";

const asked = signal<{ appointment: Appointment; count: number } | null>(null);
let count = 0;

/* Prints it, wherever the button stands: in a list, a dialog, a message. */
export function SlipButton({ appointment: a, class: name }: { appointment: Appointment; class?: string }) {
    const w = reportWords.value.list;

    return (
        <button type="button" class={name} aria-label={w.slipOf(a.token_number)} onClick={() => {
            asked.value = { appointment: a, count: ++count };
        }}>{w.slip}</button>
    );
}

/* The one that was asked for, until it is printed; beside all that is not. */
export function Slips() {
    const now = asked.value;

    return now && <Slip key={now.count} appointment={now.appointment} />;
}

/* Prints it alone; what is on the screen stays there. */
function Slip({ appointment }: { appointment: Appointment }) {
    const w = reportWords.value.slip;
    const here = branch.value;

    useLayoutEffect(() => {
        const done = () => {
            asked.value = null;
        };

        document.body.dataset.print = "slip";
        addEventListener("afterprint", done, { once: true });
        print();
        return () => {
            delete document.body.dataset.print;
            removeEventListener("afterprint", done);
        };
    }, []);
    return (
        <div class="slip" aria-hidden="true">
            <p class="slip-branch">{here?.name}</p>
            <p>{w.token}</p>
            <p class="slip-token">{appointment.token_number}</p>
            <p><strong>{doctorName(appointment.doctor_id)}</strong></p>
            <p>{shown(appointment.token_date)}, {timeOf(appointment.slot_start, here?.time_zone ?? "UTC")}</p>
            <p class="slip-small">{appointment.appointment_id}</p>
            {here?.phone && <p class="slip-small">{here.phone}</p>}
            <p class="slip-small">{w.keep}</p>
        </div>
    );
}
