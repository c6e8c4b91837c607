/*
 * theme.ts
 *		Light or dark: as the system has it, or as the user chose.
 */
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "appt-theme";

function stored(): Theme {
    const value = localStorage.getItem(KEY);

    return value === "light" || value === "dark" ? value : "system";
}

export const theme = signal<Theme>(stored());

effect(() => {
    localStorage.setItem(KEY, theme.value);
    if (theme.value === "system")
        delete document.documentElement.dataset.theme;
    else
        document.documentElement.dataset.theme = theme.value;
});
