/*
 * refusal.tsx
 *		A refusal in a sentence. The server's is English, and has the names and
 *		times: where the page is in another language and has words of its own,
 *		these come first, and the server's, said to be English, in small below.
 */
import { ApiError, HERE, NetworkError } from "../api";
import { language, words } from "../i18n";
import { problemWords } from "../i18n/problems";

function InTwo({ own, said }: { own?: string; said: string }) {
    const lang = language.value === "en" ? undefined : "en";

    if (own === undefined)
        return <span lang={lang}>{said}</span>;
    return <span>{own}<small class="line" lang={lang}>{said}</small></span>;
}

/* lost: what is said where no answer came. */
export function Refusal({ error, lost = words.value.common.noConnection }: { error: unknown; lost?: string }) {
    const { codes } = problemWords.value;

    if (error instanceof NetworkError)
        return <span>{lost}</span>;
    if (!(error instanceof ApiError))
        return <span>{(error as Error).message}</span>;
    if (error.code === HERE)
        return <span>{error.message}</span>;
    return <InTwo own={codes[`${error.code}/${error.reason ?? ""}`] ?? codes[error.code]} said={error.message} />;
}

/* What the server said of the field; its parts too (address.city). */
export function fieldRefusal(error: unknown, name?: string): preact.JSX.Element | undefined {
    const found = error instanceof ApiError && name !== undefined
        ? error.errors.find(({ field }) => field === name || field.startsWith(`${name}.`)) : undefined;
    const { fields, field } = problemWords.value;

    if (!found)
        return undefined;
    if ((error as ApiError).code === HERE)
        return <span>{found.message}</span>;
    const known = Object.keys(fields).find((begin) => found.message.startsWith(begin));
    return <InTwo own={(known && fields[known]) || field || undefined} said={found.message} />;
}
