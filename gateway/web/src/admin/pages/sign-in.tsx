/*
 * sign-in.tsx
 *		Account and password, then the code where it is asked for; the same
 *		before a session that ended, and the warning before one does.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api";
import { chooseLanguage, language, languages, words, type Language } from "../i18n";
import { Dialog } from "../parts/dialog";
import { FormError, TextField } from "../parts/field";
import { Icon } from "../parts/icon";
import { useBusy } from "../parts/load";
import { asleep, session, signIn, signOut, stay } from "../session";

function Form({ fixed }: { fixed?: string }) {
    const w = words.value.signIn;
    const [account, setAccount] = useState(fixed ?? "");
    const [password, setPassword] = useState("");
    const [code, setCode] = useState("");
    const [needsCode, setNeedsCode] = useState(false);
    const [visible, setVisible] = useState(false);
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const form = useRef<HTMLFormElement>(null);

    useEffect(() => {
        form.current?.querySelector<HTMLInputElement>(needsCode ? "[name=code]"
            : fixed ? "[name=password]" : "[name=account]")?.focus();
    }, [needsCode]);
    const submit = () => run(async () => {
        setError(null);
        try {
            await signIn(account.trim(), password, needsCode ? code.trim() : undefined);
        } catch (problem) {
            if (problem instanceof ApiError && problem.code === "totp_required" && !needsCode) {
                setNeedsCode(true);
                return;
            }
            setError(problem);
        }
    });

    return (
        <form ref={form} onSubmit={(event) => {
            event.preventDefault();
            void submit();
        }}>
            <TextField label={w.account} name="account" autocomplete="username" autocapitalize="none"
                spellcheck={false} required readOnly={fixed !== undefined} value={account}
                onValue={setAccount} error={error} />
            <TextField label={w.password} name="password" type={visible ? "text" : "password"}
                autocomplete="current-password" required value={password} onValue={setPassword}
                error={error} />
            <div class="check">
                <input id="show-password" type="checkbox" checked={visible}
                    onChange={(event) => setVisible(event.currentTarget.checked)} />
                <label for="show-password">{w.showPassword}</label>
            </div>
            {needsCode && (
                <TextField label={w.code} name="code" autocomplete="one-time-code" spellcheck={false}
                    hint={w.codeHint} required value={code} onValue={setCode} error={error} />
            )}
            <FormError error={error} />
            <button type="submit" class="primary wide" aria-disabled={busy}>
                {busy ? w.going : w.go}
            </button>
        </form>
    );
}

export function SignIn() {
    const w = words.value;

    useEffect(() => {
        document.title = `${w.signIn.title} · ${w.common.product}`;
    }, [w]);
    return (
        <main class="sign-in">
            <div class="card">
                <span class="mark" aria-hidden="true"><Icon name="plus" /></span>
                <h1>{w.signIn.title}</h1>
                <p class="lead">{w.signIn.lead}</p>
                <Form />
                <p class="languages">
                    <label><span class="hidden">{w.shell.language}</span>
                        <select value={language.value}
                            onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}>
                            {Object.entries(languages).map(([id, { name }]) =>
                                <option key={id} value={id} lang={id}>{name}</option>)}
                        </select>
                    </label>
                </p>
            </div>
        </main>
    );
}

/* In front of a page whose session ended: nothing that was typed is lost. */
export function Asleep() {
    const w = words.value.signIn;
    const who = session.value;

    if (!who)
        return null;
    return (
        <Dialog title={w.asleepTitle} onClose={() => undefined} firm>
            <p>{w.asleepText(who.name)}</p>
            <Form fixed={who.account} />
            <p><button type="button" class="link" onClick={() => {
                asleep.value = false;
                void signOut();
            }}>{w.other}</button></p>
        </Dialog>
    );
}

export function IdleWarning({ minutes }: { minutes: number }) {
    const w = words.value.signIn;

    return (
        <Dialog title={w.idleTitle} onClose={() => void stay()}>
            <p role="timer">{w.idleText(minutes)}</p>
            <div class="buttons">
                <button type="button" onClick={() => void signOut()}>{words.value.shell.signOut}</button>
                <button type="button" class="primary" onClick={() => void stay()}>{w.stay}</button>
            </div>
        </Dialog>
    );
}
