/*
 * patient-accesses.tsx
 *		Who looked at a patient, last first, a page at a time.
 */
import { useState } from "preact/hooks";
import { api, askPage, type Schemas } from "../api";
import { branch } from "../clinic";
import { patientWords } from "../i18n/patients";
import { useLoad } from "../parts/load";
import { Shown } from "../parts/states";
import { Table } from "../parts/table";
import { shownInstant } from "../time";

type Access = Schemas["PatientAccess"];

const PER_PAGE = 20;

export function Accesses({ patient_id }: { patient_id: string }) {
    const p = patientWords.value;
    const zone = branch.value?.time_zone ?? "UTC";
    const [page, setPage] = useState(1);
    const loaded = useLoad<{ rows: Access[]; total: number }>(() =>
        askPage(api.GET("/api/v1/patients/{patient_id}/accesses",
            { params: { path: { patient_id }, query: { page, per_page: PER_PAGE } } })),
    [patient_id, page]);

    return (
        <section class="card visits accesses" aria-labelledby="accesses">
            <h2 id="accesses">{p.accesses}</h2>
            <p class="muted">{p.accessesLead}</p>
            <Shown loaded={loaded}>
                {({ rows, total }) => (
                    <>
                        <Table caption={p.accesses} rows={rows} id={(a) => `${a.at} ${a.actor} ${a.call}`} columns={[
                            { title: p.accessAt, class: "number", cell: (a) => shownInstant(a.at, zone) },
                            { title: p.accessWho, cell: (a) => (
                                <span>{a.name ?? a.actor}{a.name !== null
                                    && <small class="line">{a.actor}</small>}</span>
                            ) },
                            { title: p.accessWhat, cell: (a) => p.accessCalls[a.call] },
                        ]} />
                        {total > PER_PAGE && (
                            <div class="buttons">
                                <button type="button" disabled={page === 1} onClick={() => setPage(page - 1)}>
                                    {p.newer}</button>
                                <button type="button" disabled={page * PER_PAGE >= total}
                                    onClick={() => setPage(page + 1)}>{p.older}</button>
                            </div>
                        )}
                    </>
                )}
            </Shown>
        </section>
    );
}
