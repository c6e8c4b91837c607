/*
 * patient-search.tsx
 *		Finds a patient by name, telephone or number while it is typed: a
 *		combobox as WAI-ARIA has it, with the arrow keys and Enter.  Those take
 *		nobody who was found by what stood there before.
 */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { api, askPage, type PatientSummary } from "../api";
import { knowPatients } from "../clinic";
import { words } from "../i18n";
import { shown } from "../time";
import { toastError } from "./toast";

const PAUSE_MS = 200;
const ROWS = 8;

export function PatientSearch({ onChoose, label, autofocus }: {
    onChoose: (patient: PatientSummary) => void; label?: string; autofocus?: boolean;
}) {
    const w = words.value;
    const id = useId();
    const [text, setText] = useState("");
    const [found, setFound] = useState<{ of: string; rows: PatientSummary[]; total: number } | null>(null);
    const [at, setAt] = useState(0);
    const input = useRef<HTMLInputElement>(null);
    const turn = useRef(0);
    const chosen = found?.of === text.trim() ? found.rows[at] : undefined;

    useEffect(() => {
        if (autofocus)
            input.current?.focus();
    }, []);
    useEffect(() => {
        const mine = ++turn.current;
        const search = text.trim();

        if (search.length < 2) {
            setFound(null);
            return;
        }
        const timer = setTimeout(() => {
            askPage(api.GET("/api/v1/patients", { params: { query: { search, per_page: ROWS } } })).then(
                (answer) => {
                    if (mine !== turn.current)
                        return;
                    setFound({ of: search, ...answer });
                    setAt(0);
                },
                (error) => mine === turn.current && toastError(error));
        }, PAUSE_MS);
        return () => clearTimeout(timer);
    }, [text]);
    const choose = (patient: PatientSummary) => {
        knowPatients([patient]);
        onChoose(patient);
        setText("");
    };
    const onKeyDown = (event: KeyboardEvent) => {
        const rows = found?.rows ?? [];

        if (event.key === "Enter" && text !== "")
            event.preventDefault();
        if (rows.length === 0)
            return;
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            setAt((n) => (n + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length);
            event.preventDefault();
        } else if (event.key === "Enter") {
            if (chosen)
                choose(chosen);
        } else if (event.key === "Escape") {
            setText("");
            event.preventDefault();
            event.stopPropagation();
        }
    };

    return (
        <div class="field combo">
            <label for={id}>{label ?? w.patient.search}</label>
            <input ref={input} id={id} type="search" role="combobox" list={undefined} autocomplete="off"
                aria-expanded={found !== null} aria-controls={`${id}-list`}
                aria-activedescendant={chosen ? `${id}-${at}` : undefined}
                aria-describedby={`${id}-hint`} placeholder={w.patient.searchHint}
                value={text} onInput={(event) => setText(event.currentTarget.value)}
                onKeyDown={onKeyDown} />
            <p class="hint" id={`${id}-hint`} role="status">
                {found === null ? w.patient.searchHelp : w.patient.found(found.total)}
            </p>
            <ul id={`${id}-list`} role="listbox" class="options" aria-label={w.patient.search}
                hidden={!found || found.rows.length === 0}>
                {found?.rows.map((patient, n) => (
                    <li key={patient.patient_id} id={`${id}-${n}`} role="option"
                        aria-selected={patient === chosen} class={patient === chosen ? "option at" : "option"}
                        onPointerDown={(event) => event.preventDefault()}
                        onClick={() => choose(patient)}>
                        <strong>{patient.name}</strong>
                        <span>{[patient.age !== null && w.patient.years(patient.age),
                            patient.gender && w.patient.gender[patient.gender], patient.phone,
                            patient.patient_id].filter(Boolean).join(" · ")}</span>
                        {patient.last_visit_date
                            && <span>{w.patient.lastVisit(shown(patient.last_visit_date))}</span>}
                    </li>
                ))}
            </ul>
        </div>
    );
}
