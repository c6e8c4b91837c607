/*
 * client.ts
 *      Books as a TypeScript program would: every name and type comes from
 *      schema.d.ts, which is generated from the OpenAPI document.
 *
 *      usage: node client.js URL CLIENT_ID CLIENT_SECRET DOCTOR BRANCH DATE
 */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Appointment = components["schemas"]["Appointment"];

const [url, client_id, client_secret, doctor_id, branch_id, date] =
    process.argv.slice(2) as [string, string, string, string, string, string];
const api = createClient<paths>({ baseUrl: url });

function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
    if (answer.error !== undefined || answer.data === undefined)
        throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
    return answer.data;
}

const token = must(await api.POST("/api/v1/auth/token", {
    body: { grant_type: "client_credentials", client_id, client_secret },
    bodySerializer: (body) => new URLSearchParams(body as Record<string, string>),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
}));
api.use({
    onRequest({ request }) {
        request.headers.set("Authorization", `Bearer ${token.access_token}`);
        return request;
    },
});

const slots = must(await api.GET("/api/v1/appointments/slots", {
    params: { query: { doctor_id, branch_id, date } },
}));
const [first, second] = slots;
if (first === undefined || second === undefined)
    throw new Error("there is no slot to book");

const booked: Appointment = must(await api.POST("/api/v1/appointments", {
    params: { header: { "Idempotency-Key": "typescript-1" } },
    body: { patient_id: "PAT-2026-00123", doctor_id, branch_id,
        slot_start: first.start_time, slot_end: first.end_time },
}));
const again = await api.POST("/api/v1/appointments", {
    body: { patient_id: "PAT-2026-00123", doctor_id, branch_id,
        slot_start: first.start_time },
});
const moved: Appointment = must(await api.PATCH(
    "/api/v1/appointments/{appointment_id}/reschedule", {
        params: { path: { appointment_id: booked.appointment_id } },
        body: { new_slot_start: second.start_time },
    }));
const cancelled: Appointment = must(await api.DELETE(
    "/api/v1/appointments/{appointment_id}", {
        params: { path: { appointment_id: booked.appointment_id },
            query: { reason: "only a test" } },
    }));

console.log(JSON.stringify({ booked, moved, cancelled, refused: again.error }));
