/*
 * client.ts URL CLIENT_ID SECRET
 *		A small program of a user: types generated from the OpenAPI document
 *		(api.d.ts), calls by openapi-fetch. Books, is refused the slot the
 *		second time, reschedules and cancels; prints what happened as JSON.
 */
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

type Appointment = components["schemas"]["Appointment"];
type Problem = components["schemas"]["Problem"];

const [url, clientId, secret] = process.argv.slice(2) as [string, string, string];
const api = createClient<paths>({ baseUrl: url });

/* Gets a token for all further calls. */
async function authorize(): Promise<void> {
    const { data, error } = await api.POST("/api/v1/auth/token", {
        body: {
            grant_type: "client_credentials",
            client_id: clientId,
            client_secret: secret,
        },
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });

    if (!data)
        throw new Error("error" in error ? error.error : error.detail);
    api.use({
        onRequest({ request }) {
            request.headers.set("Authorization", `Bearer ${data.access_token}`);
            return request;
        },
    });
}

/* The appointment of an answer that must be one. */
function given(answer: { data?: Appointment; error?: Problem }): Appointment {
    if (!answer.data)
        throw new Error(answer.error?.detail ?? "no answer");
    return answer.data;
}

await authorize();
const where = { doctor_id: "DOC-001", branch_id: "MUM-01" };
const { data: slots } = await api.GET("/api/v1/appointments/slots", {
    params: { query: { ...where, date: "2026-03-16" } },
});
const [first, second] = slots ?? [];
if (!first || !second)
    throw new Error("no slots");

const wish = {
    ...where,
    patient_id: "PAT-2026-00123",
    slot_start: first.start_time,
    slot_end: first.end_time,
};
const booked = given(await api.POST("/api/v1/appointments", { body: wish }));
const again = await api.POST("/api/v1/appointments", { body: wish });
const path = { appointment_id: booked.appointment_id };
const moved = given(await api.PATCH(
    "/api/v1/appointments/{appointment_id}/reschedule",
    { params: { path }, body: { new_slot_start: second.start_time } }));
const cancelled = given(await api.DELETE(
    "/api/v1/appointments/{appointment_id}",
    { params: { path, query: { reason: "The patient is well" } } }));

console.log(JSON.stringify({
    first, second, booked, moved, cancelled,
    again: { status: again.response.status, code: again.error?.code,
        reason: again.error?.reason },
}));
