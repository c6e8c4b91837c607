/*
 * document.ts
 *		The part of OpenAPI 3.1 that the gateway's document uses.
 */
export interface Schema {
    $ref?: string;
    type?: string | string[];
    format?: string;
    description?: string;
    enum?: (string | null)[];
    const?: string;
    minimum?: number;
    maximum?: number;
    minLength?: number;
    maxLength?: number;
    default?: unknown;
    items?: Schema;
    properties?: Record<string, Schema>;
    required?: string[];
    examples?: unknown[];
}

export interface Parameter {
    name: string;
    in: "path" | "query" | "header";
    required: boolean;
    description: string;
    schema: Schema;
    example?: unknown;
    "x-try"?: string;
}

export interface Answer {
    description: string;
    content?: Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }>;
}

export interface Operation {
    operationId: string;
    tags: string[];
    summary: string;
    description?: string;
    security: Record<string, string[]>[];
    parameters?: Parameter[];
    requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
    responses: Record<string, Answer>;
}

export interface OpenApi {
    info: { description: string };
    tags: { name: string; description: string }[];
    paths: Record<string, Record<string, Operation>>;
    webhooks: Record<string, { post: Operation }>;
    components: {
        parameters: Record<string, Parameter>;
        responses: Record<string, Answer>;
        schemas: Record<string, Schema>;
    };
}

export interface Call {
    method: string;
    path: string;
    operation: Operation;
}

let document_: OpenApi;

/* What a reference leads to; other things are themselves. */
export function resolve<T extends object>(thing: T): T {
    const ref = (thing as { $ref?: string }).$ref;

    if (ref === undefined)
        return thing;
    return ref.split("/").slice(1).reduce(
        (from: unknown, step) => (from as Record<string, unknown>)[step],
        document_,
    ) as T;
}

/* The last word of a reference: the object's name. */
export function refName(schema: Schema): string | undefined {
    return schema.$ref?.split("/").pop();
}

export async function readDocument(): Promise<OpenApi> {
    const answer = await fetch("api/v1/openapi.json");

    if (!answer.ok)
        throw new Error(`the document could not be read: ${answer.status}`);
    document_ = (await answer.json()) as OpenApi;
    return document_;
}

export function allCalls(document: OpenApi): Call[] {
    return Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) =>
            ({ method: method.toUpperCase(), path, operation })));
}

export function parametersOf(operation: Operation): Parameter[] {
    return (operation.parameters ?? []).map(resolve);
}
