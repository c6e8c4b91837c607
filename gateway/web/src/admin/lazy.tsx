/*
 * lazy.tsx
 *		The parts of the script that the pages are in: each is loaded when it is
 *		looked at, or once the browser has nothing else to do, so that a server
 *		that is lost later takes no page away.
 *
 *		A part that does not come is asked for again until it does. Where the
 *		server answers and it still does not, the gateway has another build by
 *		now, or the browser keeps that it failed once: then all is loaded anew.
 *		Nothing is typed by then, as the page is not there yet.
 */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { base, healed, NetworkError, suspect, trouble } from "./api";
import { Failed, Loading } from "./parts/states";
import { asleep } from "./session";

export type View = ComponentType<{ rest: string[] }>;

export interface Part {
    view: View;
    /* Settles once it is there, or cannot be had. */
    load: () => Promise<void>;
}

const RETRY_MS = 2000;
const ANEW_KEY = "appt-loaded-anew";
const ANEW_PAUSE_MS = 60000;

/* Not twice in a minute: it would be of no use. */
function loadAnew(): void {
    const last = Number(sessionStorage.getItem(ANEW_KEY) ?? 0);

    if (asleep.value || Date.now() - last < ANEW_PAUSE_MS)
        return;
    sessionStorage.setItem(ANEW_KEY, String(Date.now()));
    location.reload();
}

/* Whether the server has the page: if not, the banner says so, and when it has again. */
async function isServed(): Promise<boolean> {
    try {
        return (await fetch(`${base}/admin`, { cache: "no-store" })).ok;
    } catch {
        return false;
    }
}

export function lazy(get: () => Promise<View>): Part {
    const found = signal<View | undefined>(undefined);
    const isLost = signal(false);

    async function load(): Promise<void> {
        try {
            found.value ??= await get();
        } catch {
            /* Who looks at it tries again. */
        }
    }

    async function look(): Promise<void> {
        await load();
        if (found.value)
            return;
        isLost.value = true;
        if (await isServed())
            loadAnew();
        else
            suspect();
    }

    function view(props: { rest: string[] }) {
        const There = found.value;

        useEffect(() => {
            if (found.value)
                return undefined;
            void look();
            const timer = setInterval(() => trouble.value === null && void look(), RETRY_MS);

            return () => clearInterval(timer);
        }, [There, healed.value]);
        if (There)
            return <There {...props} />;
        return isLost.value ? <Failed error={new NetworkError()} onRetry={() => void look()} /> : <Loading />;
    }

    return { view, load };
}
