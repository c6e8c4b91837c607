/*
 * heading.tsx
 *		A page's heading below the way back, or one within a page, with what can
 *		be done beside it.
 */
import type { ComponentChildren } from "preact";
import { Icon } from "./icon";

export function Heading({ back, title, sub, within, children }: {
    back?: { href: string; text: string }; title: string; sub?: ComponentChildren;
    within?: boolean; children?: ComponentChildren;
}) {
    return (
        <>
            {back && <p class="back"><a href={back.href}><Icon name="left" />{back.text}</a></p>}
            <div class="page-head">
                <div class="head-title">
                    {within ? <h2>{title}</h2> : <h1>{title}</h1>}
                    {sub && <p class="muted">{sub}</p>}
                </div>
                {children}
            </div>
        </>
    );
}
