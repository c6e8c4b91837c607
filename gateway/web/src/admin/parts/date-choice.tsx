/*
 * date-choice.tsx
 *		A date among a page's tools. The browser's own field takes longer to make
 *		than all else there, so it is made once the browser has nothing else to do,
 *		or somebody comes to it; before that its place has the date to read.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { pause } from "../pause";
import { shown } from "../time";

const MADE_MS = 3000;

export function DateChoice({ label, value, onValue }: {
    label: string; value: string; onValue: (value: string) => void;
}) {
    const [isMade, setMade] = useState(false);
    const field = useRef<HTMLInputElement>(null);
    const hadFocus = useRef(false);

    useEffect(() => void pause(MADE_MS).then(() => setMade(true)), []);
    useLayoutEffect(() => {
        if (isMade && hadFocus.current)
            field.current?.focus();
    }, [isMade]);
    /* Two elements: Chromium types nothing into one that had the focus before it was a date's. */
    return isMade
        ? <input key="made" ref={field} class="date-choice" type="date" aria-label={label} value={value}
            onChange={(event) => {
                if (event.currentTarget.value !== "")
                    onValue(event.currentTarget.value);
            }} />
        : <input key="read" class="date-choice" readOnly aria-label={label} value={shown(value)}
            onFocus={() => {
                hadFocus.current = true;
                setMade(true);
            }} onPointerEnter={() => setMade(true)} />;
}
