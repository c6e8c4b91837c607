/*
 * calendar-for.tsx
 *		For whom the calendar was opened: a patient's page leads there by Book,
 *		with the patient in the address, and the next booking begins with that
 *		patient.
 */
import { useEffect } from "preact/hooks";
import { learnPatients, patients } from "../clinic";
import { patientWords } from "../i18n/patients";
import { Icon } from "../parts/icon";
import type { Chosen } from "../parts/patient-form";
import { place, refine } from "../router";

/* null: nobody, or not known yet. */
export function bookingFor(): Chosen | null {
    return patients.value.get(place.value.query.patient ?? "") ?? null;
}

/* It is done, or not wanted any more. */
export function endBookingFor(): void {
    if (place.value.query.patient !== undefined)
        refine({ patient: undefined });
}

export function BookingFor() {
    const p = patientWords.value;
    const id = place.value.query.patient;
    const patient = bookingFor();

    useEffect(() => {
        if (id !== undefined)
            void learnPatients([id]);
    }, [id]);
    if (!patient)
        return null;
    return (
        <p class="booking-for">
            <Icon name="user" />
            <span>{p.bookingFor(patient.name)}</span>
            <button type="button" class="small" onClick={endBookingFor}>{p.bookingEnd}</button>
        </p>
    );
}
