/*
 * pause.ts
 *		Waits until the browser has nothing else to do, or so many ms at most;
 *		what it gives says whether there still is time.
 */
/* What a browser without requestIdleCallback does between two frames. */
const SHORT_MS = 8;
/* What does not come to an end at once begins no more. */
const LEFT_MS = 2;

export function pause(mostMs: number): Promise<() => boolean> {
    return new Promise((done) => {
        if ("requestIdleCallback" in window) {
            requestIdleCallback((idle) => done(() => idle.timeRemaining() > LEFT_MS), { timeout: mostMs });
            return;
        }
        setTimeout(() => {
            const end = performance.now() + SHORT_MS;

            done(() => performance.now() < end);
        }, 0);
    });
}
