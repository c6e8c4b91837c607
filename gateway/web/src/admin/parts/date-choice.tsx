/*
 * date-choice.tsx
 *		A date among a page's tools. The browser's own field takes longer to make
 *		than all else there, so it is made once the browser has nothing else to do,
 *		or somebody comes to it; before that its place has the date to read.
 */
import { useEffect, useState } from "preact/hooks";
import { pause } from "../pause";
import { shown } from "../time";

const MADE_MS = 3000;

export function DateChoice({ label, value, onValue }: {
    label: string; value: string; onValue: (value: string) => void;
}) {
    const [isMade, setMade] = useState(false);

    useEffect(() => void pause(MADE_MS).then(() => setMade(true)), []);
    return isMade
        ? <input class="date-choice" type="date" aria-label={label} value={value} onChange={(event) => {
            if (event.currentTarget.value !== "")
                onValue(event.currentTarget.value);
        }} />
        : <input class="date-choice" readOnly aria-label={label} value={shown(value)}
            onFocus={() => setMade(true)} onPointerEnter={() => setMade(true)} />;
}
