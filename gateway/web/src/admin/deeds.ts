/*
 * deeds.ts
 *		What a desk does with an appointment, and how it is undone.
 */
import { api, ask, newKey, once, type Appointment } from "./api";
import { words } from "./i18n";
import { toast, toastError } from "./parts/toast";

export type Deed = "checkIn" | "start" | "complete" | "noShow" | "skip" | "recall" | "priority" | "ordinary";

const HIGH_PRIORITY = 10;

type Status = Appointment["status"];

/* Which make sense in which state; the server has the last word. */
export const deedsOf: Record<Status, Deed[]> = {
    booked: ["checkIn", "noShow", "priority", "ordinary"],
    checked_in: ["start", "skip", "recall", "priority", "ordinary", "noShow"],
    in_consultation: ["complete", "recall", "skip"],
    completed: [],
    cancelled: [],
    no_show: [],
};

async function send(deed: Deed, appointment_id: string): Promise<Appointment> {
    const at = { params: { path: { appointment_id } }, ...once(newKey()) };

    switch (deed) {
    case "checkIn":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/check-in", at));
    case "start":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/start", at));
    case "complete":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/complete", at));
    case "noShow":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/no-show", at));
    case "skip":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/skip", at));
    case "recall":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/recall", at));
    case "priority":
    case "ordinary":
        return ask(api.POST("/api/v1/appointments/{appointment_id}/priority",
            { ...at, body: { priority: deed === "priority" ? HIGH_PRIORITY : 0 } }));
    }
}

/* Sets the status that it had, with a reason for the history. */
function correct(appointment_id: string, status: "booked" | "checked_in" | "in_consultation"): Promise<Appointment> {
    return ask(api.POST("/api/v1/appointments/{appointment_id}/correct", {
        params: { path: { appointment_id } }, ...once(newKey()),
        body: { status, reason: words.value.deeds.undoReason, override: true },
    }));
}

/* What takes the deed back, if anything does. */
function undoOf(deed: Deed, appointment_id: string, before: Status): (() => Promise<unknown>) | undefined {
    switch (deed) {
    case "checkIn":
        return () => ask(api.POST("/api/v1/appointments/{appointment_id}/undo-check-in",
            { params: { path: { appointment_id } }, ...once(newKey()) }));
    case "start":
    case "complete":
    case "noShow":
        if (before === "booked" || before === "checked_in" || before === "in_consultation")
            return () => correct(appointment_id, before);
        return undefined;
    case "recall":
        return before === "checked_in" ? () => correct(appointment_id, before) : undefined;
    case "priority":
        return () => send("ordinary", appointment_id);
    case "ordinary":
        return () => send("priority", appointment_id);
    case "skip":
        return undefined;
    }
}

/*
 * Does it, says so with a way back and the slip of who has come, and tells the
 * page; a refusal is said in the server's words.
 */
export async function perform(deed: Deed, appointment_id: string, before: Status, who: string,
    changed: () => void): Promise<void> {
    try {
        const now = await send(deed, appointment_id);
        const undo = undoOf(deed, appointment_id, before);

        toast(words.value.deeds.done[deed](who), undo && (async () => {
            await undo();
            changed();
        }), deed === "checkIn" ? now : undefined);
    } catch (error) {
        toastError(error);
    }
    changed();
}

/* The next of a doctor's queue; whoever it was is called back by undo. */
export async function callNext(doctor_id: string, date: string, nameOf: (a: Appointment) => Promise<string>,
    changed: () => void): Promise<void> {
    try {
        const called = await ask(api.POST("/api/v1/queue/call-next",
            { body: { doctor_id, date }, ...once(newKey()) }));

        toast(words.value.deeds.done.start(await nameOf(called)), async () => {
            await correct(called.appointment_id, "checked_in");
            changed();
        });
    } catch (error) {
        toastError(error);
    }
    changed();
}
