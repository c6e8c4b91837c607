/*
 * api.ts
 *		How the page asks the gateway: the calls as the OpenAPI document has
 *		them, refusals as errors with the server's own sentence, and what is
 *		known of the connection.
 *
 *		ask(api.GET("/api/v1/branches"))            gives the answer or throws
 *		ask(api.POST("/api/v1/appointments", {body, ...once(key)}))
 */
import { signal } from "@preact/signals";
import createClient from "openapi-fetch";
import type { components, paths } from "../../types/openapi";
import { base, PER_PAGE, taken } from "./first";

export { base };

export type Schemas = components["schemas"];
export type Appointment = Schemas["Appointment"];
export type Branch = Schemas["Branch"];
export type Department = Schemas["Department"];
export type Doctor = Schemas["Doctor"];
export type Patient = Schemas["Patient"];
export type PatientSummary = Schemas["PatientSummary"];
export type Point = Schemas["ExplainedSlot"];

/* What can be booked. */
export type Slot = Pick<Point, "start_time" | "end_time">;
export type QueueEntry = Schemas["QueueEntry"];
export type VisitType = Schemas["VisitType"];

export interface FieldError { field: string; message: string }

/* A refusal: what RFC 9457 says of it, its detail as the message. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        detail: string,
        readonly errors: FieldError[],
        readonly reason?: string,
    ) {
        super(detail);
    }
}

/* The code of what the page itself refuses, in its own words. */
export const HERE = "here";

/* A field is not as it must be, as the page can see. */
export function refusedHere(field: string, message: string): ApiError {
    return new ApiError(422, HERE, message, [{ field, message }]);
}

/* No answer came: nobody knows whether it was done. */
export class NetworkError extends Error {}

/* What is wrong with the connection, for the banner. */
export type Trouble = "gateway" | "database";
export const trouble = signal<Trouble | null>(null);

/* Rises whenever the connection is there again: what was shown is stale. */
export const healed = signal(0);

const PROBE_MS = 2000;
let csrf = "";
let unauthorized: () => void = () => undefined;
let renewed: () => Promise<boolean> = () => Promise.resolve(false);

/* Told by session.ts, which knows who is signed in. */
export function setCsrf(token: string): void {
    csrf = token;
}

export function onUnauthorized(handler: () => void): void {
    unauthorized = handler;
}

/* Whether the same person is signed in with another token, of another tab. */
export function onForged(handler: () => Promise<boolean>): void {
    renewed = handler;
}

async function send(request: Request): Promise<Response> {
    const again = request.method === "GET" ? undefined : request.clone();

    if (again && csrf !== "")
        request.headers.set("X-CSRF-Token", csrf);
    let answer: Response;
    try {
        answer = await (!again && taken(request.url) || fetch(request));
        if (again && answer.status === 403 && await codeOf(answer) === "csrf_token_invalid"
                && await renewed()) {
            again.headers.set("X-CSRF-Token", csrf);
            answer = await fetch(again);
        }
    } catch (error) {
        if (request.signal.aborted)
            throw error;
        troubled("gateway");
        throw new NetworkError("network");
    }
    if (answer.status === 502 || answer.status === 503 || answer.status === 504)
        troubled(answer.status === 502 ? "gateway" : "database");
    if (answer.status === 401 && !["invalid_credentials", "totp_required"].includes(await codeOf(answer)))
        unauthorized();
    return answer;
}

/* Of a problem, whose body can still be read. */
async function codeOf(answer: Response): Promise<string> {
    const body = await answer.clone().json().catch(() => ({})) as { code?: string };

    return body.code ?? "";
}

/* Says so, and asks until the service is ready again. */
function troubled(kind: Trouble): void {
    if (trouble.value === null)
        setTimeout(probe, PROBE_MS);
    trouble.value = kind;
}

async function probe(): Promise<void> {
    try {
        const answer = await fetch(`${base}/readyz`, { cache: "no-store" });

        if (answer.ok) {
            trouble.value = null;
            healed.value++;
            return;
        }
        trouble.value = "database";
    } catch {
        trouble.value = "gateway";
    }
    setTimeout(probe, PROBE_MS);
}

/* Something that stays open broke: whether the service is there is asked. */
export function suspect(): void {
    if (trouble.value === null)
        fetch(`${base}/readyz`, { cache: "no-store" }).then(
            (answer) => answer.ok || troubled("database"), () => troubled("gateway"));
}

addEventListener("offline", () => troubled("gateway"));

export const api = createClient<paths>({
    baseUrl: base,
    credentials: "same-origin",
    cache: "no-store",
    fetch: send,
});

interface Asked<T> { data?: T; error?: unknown; response: Response }

/* The answer's body; throws ApiError or NetworkError. */
export async function ask<T>(asked: Promise<Asked<T>>): Promise<T> {
    const { data, error, response } = await asked;

    if (!response.ok)
        throw problem(response.status, error);
    return data as T;
}

/* The same with how many there are in all. */
export async function askPage<T>(asked: Promise<Asked<T[]>>): Promise<{ rows: T[]; total: number }> {
    const { data, error, response } = await asked;

    if (!response.ok)
        throw problem(response.status, error);
    return { rows: data ?? [], total: Number(response.headers.get("x-total-count") ?? 0) };
}

const PAGES_MAX = 50;

/*
 * All pages of a list: as many at once as are expected, of which the first says how
 * many there are, then the rest.
 */
export async function askAll<T>(
    get: (page: { page: number; per_page: number }) => Promise<Asked<T[]>>, expected = 1,
): Promise<T[]> {
    const some = (from: number, to: number): Promise<{ rows: T[]; total: number }[]> =>
        Promise.all(Array.from({ length: Math.max(0, to - from + 1) }, (_, n) =>
            askPage(get({ page: from + n, per_page: PER_PAGE }))));
    const first = await some(1, expected);
    const rest = await some(expected + 1, Math.min(Math.ceil(first[0].total / PER_PAGE), PAGES_MAX));

    return [...first, ...rest].flatMap((page) => page.rows);
}

function problem(status: number, body: unknown): ApiError {
    const said = (typeof body === "object" && body !== null ? body : {}) as {
        code?: string; detail?: string; title?: string; errors?: FieldError[]; reason?: string;
    };

    return new ApiError(status, said.code ?? `http_${status}`,
        said.detail ?? said.title ?? `HTTP ${status}`, said.errors ?? [], said.reason);
}

/* A name for one deed of the user, the same however often it is sent. */
export function newKey(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));

    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* Headers of a deed: once(key), with the version it is meant for. */
export function once(key: string, version?: number): { headers: Record<string, string> } {
    const headers: Record<string, string> = { "Idempotency-Key": key };

    if (version !== undefined)
        headers["If-Match"] = `"${version}"`;
    return { headers };
}

/*
 * The key of a deed that may have to be tried again: the same while nobody
 * knows whether it was done, another when the request is another or an answer
 * came.
 */
export class Deed {
    private key = "";
    private request = "";

    for(request: unknown): string {
        const text = JSON.stringify(request);

        if (this.key === "" || text !== this.request) {
            this.key = newKey();
            this.request = text;
        }
        return this.key;
    }

    /* After an answer, or an error that is none of the network's. */
    settled(error?: unknown): void {
        if (error instanceof NetworkError || (error instanceof ApiError && error.status >= 500))
            return;
        this.key = "";
    }
}
