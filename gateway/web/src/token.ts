/*
 * token.ts
 *		The access token that calls are tried with: by one button where the
 *		gateway is a demo's, else with a client of the visitor's own. It lives
 *		in this page alone.
 */
import { byId } from "./html";

interface Client {
    client_id: string;
    client_secret: string;
}

/* What a gateway hands out that is a demo's; nulls elsewhere. */
type DemoClient = Client | { client_id: null; client_secret: null };

interface Token {
    access_token: string;
    expires_in: number;
    scope: string;
}

let token: string | undefined;

export function authorization(): Record<string, string> {
    return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

async function get(client: Client): Promise<void> {
    const state = byId("token-state");
    const answer = await fetch("api/v1/auth/token", {
        method: "POST",
        body: new URLSearchParams({ grant_type: "client_credentials", ...client }),
    });
    const body = (await answer.json()) as Token & { error_description?: string };

    token = answer.ok ? body.access_token : undefined;
    state.textContent = answer.ok
        ? `Here it is, for ${body.expires_in / 60} minutes. Calls are sent with it. It may: ${body.scope}.`
        : `No token: ${body.error_description ?? answer.statusText}`;
}

function said(work: Promise<void>): void {
    work.catch((error: Error) => {
        byId("token-state").textContent = `No token: ${error.message}`;
    });
}

export async function demoClient(): Promise<DemoClient> {
    return (await (await fetch("docs/client")).json()) as DemoClient;
}

export function offerTokens(client: DemoClient): void {
    byId<HTMLFormElement>("token-form").addEventListener("submit", (event) => {
        event.preventDefault();
        said(get({
            client_id: byId<HTMLInputElement>("client-id").value,
            client_secret: byId<HTMLInputElement>("client-secret").value,
        }));
    });
    if (client.client_id === null)
        return;
    byId("token-demo").hidden = false;
    byId("token-get").addEventListener("click", () => said(get(client)));
}
