/*
 * docs.ts
 *		The REST reference: Swagger UI on the gateway's own OpenAPI document.
 *
 *		Nothing is asked of any other host. Calls can be tried from the page;
 *		they go to the address that the page came from.
 */
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

interface Document {
    servers: { url: string; description: string }[];
}

/* The page's own address without /docs: where the calls are, proxy or not. */
function base(): string {
    return new URL(".", location.href).href.replace(/\/$/, "");
}

async function load(): Promise<Document> {
    const answer = await fetch("api/v1/openapi.json");

    if (!answer.ok)
        throw new Error(`the document could not be read: ${answer.status}`);
    const document = (await answer.json()) as Document;
    document.servers = [{ url: base(), description: "This gateway" }];
    return document;
}

function show(spec: Document): void {
    SwaggerUI({
        spec,
        dom_id: "#docs",
        deepLinking: true,
        docExpansion: "list",
        defaultModelsExpandDepth: 0,
        defaultModelRendering: "model",
        displayRequestDuration: true,
        filter: true,
        validatorUrl: null,
        persistAuthorization: false,
    });
}

load().then(show, (error: Error) => {
    const words = document.createElement("p");

    words.setAttribute("role", "alert");
    words.textContent = `${error.message}. Reload the page to try again.`;
    document.getElementById("docs")?.replaceChildren(words);
});
