/*
 * heading.tsx
 *		A page's heading below the way back, with what can be done beside it.
 */
import type { ComponentChildren } from "preact";
import { Icon } from "./icon";
import "./parts.css";

export function Heading({ back, title, sub, children }: {
    back?: { href: string; text: string }; title: string; sub?: ComponentChildren;
    children?: ComponentChildren;
}) {
    return (
        <>
            {back && <p class="back"><a href={back.href}><Icon name="left" />{back.text}</a></p>}
            <div class="page-head">
                <div class="head-title">
                    <h1>{title}</h1>
                    {sub && <p class="muted">{sub}</p>}
                </div>
                {children}
            </div>
        </>
    );
}
