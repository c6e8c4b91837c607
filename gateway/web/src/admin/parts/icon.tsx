/*
 * icon.tsx
 *		The page's icons: strokes on a grid of 24, in the colour of the text.
 *		They say nothing to a screen reader; what they stand for is said in
 *		words beside them.
 */
const STROKES = {
    today: "M4 6h16M4 12h10M4 18h7M17 14l2.5 2.5L23 12",
    calendar: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
    patients: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 3.5a4 4 0 0 1 0 7M22 21a7 7 0 0 0-4-6.3",
    reports: "M4 20V10M10 20V4M16 20v-7M22 20H2",
    settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4v6M6 14v6",
    list: "M8 7h12M8 12h12M8 17h12M4 7h.5M4 12h.5M4 17h.5",
    menu: "M4 7h16M4 12h16M4 17h16",
    close: "M6 6l12 12M18 6L6 18",
    check: "M5 12.5l4.5 4.5L19 7.5",
    alert: "M12 8v5M12 16.5v.5M12 3l9.5 17h-19z",
    left: "M14 6l-6 6 6 6",
    right: "M10 6l6 6-6 6",
    down: "M6 10l6 6 6-6",
    search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
    plus: "M12 5v14M5 12h14",
    moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
    sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
    out: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
    user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
    clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
    flag: "M5 21V4h13l-2.5 4L18 12H5",
    move: "M5 12h14M14 7l5 5-5 5",
    branch: "M4 21V9l8-6 8 6v12M9 21v-6h6v6",
};

export type IconName = keyof typeof STROKES;

export function Icon({ name }: { name: IconName }) {
    return (
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={STROKES[name]} />
        </svg>
    );
}
