/*
 * account.tsx
 *		One's own account: the password, one-time codes with their QR code and
 *		recovery codes (how many are left, and new ones), and where one is told of sign-ins from new devices.
 */
import { useState } from "preact/hooks";
import { api, ask, type Schemas } from "../api";
import { words } from "../i18n";
import { accountWords } from "../i18n/account";
import { FormError, TextField } from "../parts/field";
import { Icon } from "../parts/icon";
import { useBusy } from "../parts/load";
import { toast } from "../parts/toast";
import { renew, resume, session } from "../session";

/* So few recovery codes that it is time for new ones. */
const FEW = 3;

export function Account() {
    const w = accountWords.value;
    const who = session.value;

    if (!who)
        return null;
    return (
        <>
            <div class="page-head">
                <h1>{w.title} <span class="sub">{w.signedInAs(who.account)} ·
                    {" "}{words.value.shell.roles[who.role] ?? who.role}</span></h1>
            </div>
            <div class="own">
                <Codes />
                <Password />
                <Email />
            </div>
        </>
    );
}

function Password() {
    const w = accountWords.value;
    const [old, setOld] = useState("");
    const [fresh, setFresh] = useState("");
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const submit = () => run(async () => {
        setError(null);
        try {
            renew(await ask(api.POST("/api/v1/auth/session/password",
                { body: { old_password: old, new_password: fresh } })));
            setOld("");
            setFresh("");
            toast(w.changed);
        } catch (problem) {
            setError(problem);
        }
    });

    return (
        <form class="card" aria-labelledby="own-password" onSubmit={(event) => {
            event.preventDefault();
            void submit();
        }}>
            <h2 id="own-password">{w.password}</h2>
            <input type="text" hidden autocomplete="username" value={session.value?.account} readOnly
                tabIndex={-1} />
            <TextField label={w.oldPassword} name="old_password" type="password" required
                autocomplete="current-password" value={old} onValue={setOld} error={error} />
            <TextField label={w.newPassword} name="new_password" type="password" required hint={w.newHint}
                autocomplete="new-password" value={fresh} onValue={setFresh} error={error} />
            <FormError error={error} />
            <div class="buttons">
                <button type="submit" class="primary" aria-disabled={busy}>{w.change}</button>
            </div>
        </form>
    );
}

function Email() {
    const w = accountWords.value;
    const who = session.value;
    const [email, setEmail] = useState(who?.email ?? "");
    const [password, setPassword] = useState("");
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const submit = () => run(async () => {
        setError(null);
        try {
            renew(await ask(api.POST("/api/v1/auth/session/email",
                { body: { password, email: email.trim() || null } })));
            setPassword("");
            toast(w.emailSet);
        } catch (problem) {
            setError(problem);
        }
    });

    return (
        <form class="card" aria-labelledby="own-email" onSubmit={(event) => {
            event.preventDefault();
            void submit();
        }}>
            <h2 id="own-email">{w.email}</h2>
            <p class="lead">{w.emailLead}</p>
            <input type="text" hidden autocomplete="username" value={who?.account} readOnly tabIndex={-1} />
            <TextField label={w.email} name="email" type="email" autocomplete="email"
                value={email} onValue={setEmail} error={error} />
            <TextField label={w.passwordForEmail} name="password" type="password" required
                autocomplete="current-password" value={password} onValue={setPassword} error={error} />
            <FormError error={error} />
            <div class="buttons">
                <button type="submit" class="primary" aria-disabled={busy}>{w.setEmail}</button>
            </div>
        </form>
    );
}

function Codes() {
    const w = accountWords.value;
    const who = session.value;
    const [key, setKey] = useState<Schemas["TotpKey"] | null>(null);
    const [code, setCode] = useState("");
    const [recovery, setRecovery] = useState<string[] | null>(null);
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const attempt = (deed: () => Promise<void>) => run(async () => {
        setError(null);
        try {
            await deed();
        } catch (problem) {
            setError(problem);
        }
    });
    const begin = () => attempt(async () => setKey(await ask(api.POST("/api/v1/auth/session/totp"))));
    const confirm = () => attempt(async () => {
        const answer = await ask(api.POST("/api/v1/auth/session/totp/confirm", { body: { code: code.trim() } }));

        setRecovery(answer.recovery_codes);
        setKey(null);
    });

    return (
        <section class="card" aria-labelledby="own-codes">
            <h2 id="own-codes">{w.codes}</h2>
            <p class="lead">{who?.totp_required && !who.totp_enrolled ? w.codesNeeded : w.codesLead}</p>
            {recovery ? (
                <>
                    <h3>{w.recovery}</h3>
                    <p>{w.recoveryLead}</p>
                    <ul class="codes">{recovery.map((one) => <li key={one}><code>{one}</code></li>)}</ul>
                    <div class="buttons">
                        <button type="button" class="primary" onClick={() =>
                            void resume().catch(() => undefined).then(() => setRecovery(null))}>{w.kept}</button>
                    </div>
                </>
            ) : who?.totp_enrolled ? (
                <CodesOn left={who.recovery_codes_left} onNew={setRecovery} />
            ) : key ? (
                <form onSubmit={(event) => {
                    event.preventDefault();
                    void confirm();
                }}>
                    <p>{w.scan}</p>
                    <img class="qr" alt={w.qr} width="200" height="200"
                        src={`data:image/svg+xml,${encodeURIComponent(key.qr_svg)}`} />
                    <p>{w.key}: <code>{key.secret}</code></p>
                    <TextField label={w.code} name="code" required autocomplete="one-time-code"
                        inputMode="numeric" value={code} onValue={setCode} error={error} />
                    <FormError error={error} />
                    <div class="buttons">
                        <button type="submit" class="primary" aria-disabled={busy}>{w.confirm}</button>
                    </div>
                </form>
            ) : (
                <>
                    <FormError error={error} />
                    <div class="buttons">
                        <button type="button" class="primary" aria-disabled={busy} onClick={() => void begin()}>
                            {w.begin}</button>
                    </div>
                </>
            )}
        </section>
    );
}

/* How many recovery codes are left; new ones need the password. */
function CodesOn({ left, onNew }: { left: number; onNew: (codes: string[]) => void }) {
    const w = accountWords.value;
    const few = left <= FEW;
    const [asked, setAsked] = useState(false);
    const [password, setPassword] = useState("");
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const submit = () => run(async () => {
        setError(null);
        try {
            const answer = await ask(api.POST("/api/v1/auth/session/recovery-codes", { body: { password } }));

            onNew(answer.recovery_codes);
        } catch (problem) {
            setError(problem);
        }
    });

    return (
        <>
            <p>{w.codesOn}</p>
            <p class={few ? "notice" : undefined}>
                {few && <Icon name="alert" />}
                <span>{w.left(left)}{few && ` ${w.few}`}</span>
            </p>
            {asked ? (
                <form onSubmit={(event) => {
                    event.preventDefault();
                    void submit();
                }}>
                    <p>{w.renewLead}</p>
                    <input type="text" hidden autocomplete="username" value={session.value?.account} readOnly
                        tabIndex={-1} />
                    <TextField label={w.passwordForCodes} name="password" type="password" required
                        autocomplete="current-password" value={password} onValue={setPassword} error={error} />
                    <FormError error={error} />
                    <div class="buttons">
                        <button type="button" onClick={() => setAsked(false)}>{words.value.common.cancel}</button>
                        <button type="submit" class="primary" aria-disabled={busy}>{w.renew}</button>
                    </div>
                </form>
            ) : (
                <div class="buttons">
                    <button type="button" class={few ? "primary" : undefined} onClick={() => setAsked(true)}>
                        {w.renewBegin}</button>
                </div>
            )}
        </>
    );
}
