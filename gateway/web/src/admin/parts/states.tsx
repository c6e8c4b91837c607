/*
 * states.tsx
 *		What stands in a page's place while it is read, when there is nothing,
 *		and when it cannot be read.
 */
import type { ComponentChildren } from "preact";
import { words } from "../i18n";
import { Icon, type IconName } from "./icon";
import type { Loaded } from "./load";
import { Refusal } from "./refusal";

export function Loading() {
    return (
        <div class="state" role="status">
            <span class="spinner" />
            <p>{words.value.common.loading}</p>
        </div>
    );
}

export function Empty({ icon = "check", title, children }: {
    icon?: IconName; title: string; children?: ComponentChildren;
}) {
    return (
        <div class="state">
            <Icon name={icon} />
            <p class="state-title">{title}</p>
            {children}
        </div>
    );
}

export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
    return (
        <div class="state" role="alert">
            <Icon name="alert" />
            <p class="state-title"><Refusal error={error} /></p>
            <button type="button" onClick={onRetry}>{words.value.common.tryAgain}</button>
        </div>
    );
}

/* The one of them that fits, or what was read. */
export function Shown<T>({ loaded, children }: {
    loaded: Loaded<T>; children: (data: T) => ComponentChildren;
}) {
    if (loaded.data !== undefined)
        return <>{children(loaded.data)}</>;
    return loaded.error ? <Failed error={loaded.error} onRetry={loaded.reload} /> : <Loading />;
}
