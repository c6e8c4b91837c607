/*
 * versioned.ts
 *		A form of something that has a version: it is changed for the version
 *		that was shown. Where somebody else was faster, what is there now is
 *		shown with one's own changes kept, to be looked over and sent again.
 */
import { useState } from "preact/hooks";
import { ApiError, once } from "../api";
import { useForm, type Form, type Values } from "./form";

export interface VersionedForm<T extends Values> extends Form<T> {
    /* Somebody else changed it meanwhile. */
    stale: boolean;
    /* Runs send with the headers of this deed; true: it was done. What it gives has the next version. */
    change: (body: object, send: (headers: ReturnType<typeof once>) =>
        Promise<{ version: number } | void>) => Promise<boolean>;
}

/* row: what is changed, none where one is added; read: the row as it is now. */
export function useVersioned<T extends Values, Row extends { version: number }>(
    { row, valuesOf, read, draft }: {
        row?: Row; valuesOf: (row?: Row) => T; read?: () => Promise<Row>; draft: string;
    },
): VersionedForm<T> {
    const form = useForm<T>(valuesOf(row), draft);
    const [version, setVersion] = useState(row?.version);
    const [stale, setStale] = useState(false);
    const change: VersionedForm<T>["change"] = (body, send) => {
        setStale(false);
        return form.submit({ body, version }, async (key) => {
            try {
                setVersion((await send(once(key, version)))?.version ?? version);
            } catch (error) {
                if (error instanceof ApiError && error.status === 412 && read) {
                    const now = await read();

                    form.rebase(valuesOf(now));
                    setVersion(now.version);
                    setStale(true);
                }
                throw error;
            }
        });
    };

    return { ...form, stale, change };
}
