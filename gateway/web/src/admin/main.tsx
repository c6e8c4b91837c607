/*
 * main.tsx
 *		The clinic's page: what is shown first, and the parts of it that are
 *		loaded while nobody waits.
 */
import { render } from "preact";
import { App, pageHere } from "./app";
import { account, pages } from "./pages";
import { pause } from "./pause";
import { known } from "./start";
import "./theme";

/* What comes as quickly is shown at once, without a page before it. */
const SOON_MS = 400;
const soon = new Promise<void>((done) => {
    setTimeout(done, SOON_MS);
});

/* Behind what the page shows first, each in a pause of its own. */
const REST_MS = 3000;

async function loadRest(): Promise<void> {
    for (const { part } of [...pages, account]) {
        await pause(REST_MS);
        await part.load();
    }
}

const loadHere = (): Promise<void> | undefined => pageHere()?.part.load();

void Promise.race([Promise.all([loadHere(), known.then(loadHere)]), soon]).then(() => {
    render(<App />, document.getElementById("app") as HTMLElement);
    setTimeout(() => void loadRest(), REST_MS);
});
