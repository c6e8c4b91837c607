/*
 * main.tsx
 *		The clinic's page: what is shown first.
 */
import { render } from "preact";
import "./admin.css";
import { App } from "./app";
import { resume } from "./session";
import "./theme";

const start = (): void => {
    /* Not reached: tried again until it is; what is shown says so. */
    resume().catch(() => setTimeout(start, 2000));
};

start();
render(<App />, document.getElementById("app") as HTMLElement);
