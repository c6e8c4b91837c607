/*
 * day-list.tsx
 *		A day's visits, to print on A4, a doctor a page; of each the slip of
 *		its token; and the way to move a doctor's day as a whole.
 */
import { useState } from "preact/hooks";
import { api, askAll, type Appointment } from "../api";
import { branch, doctorName, doctorsOf, learnPatients, patients, visitTypeName } from "../clinic";
import { weekday, words } from "../i18n";
import { reportWords } from "../i18n/reports";
import { TextField } from "../parts/field";
import { Heading } from "../parts/heading";
import { useLoad } from "../parts/load";
import { SlipButton } from "../parts/slip";
import { Empty, Shown } from "../parts/states";
import { Table } from "../parts/table";
import { Whose, whose } from "../parts/whose";
import { place, refine } from "../router";
import { may } from "../session";
import { shown, shownInstant, timeOf, today } from "../time";
import { DayMove } from "./day-move";

export function DayList() {
    const w = reportWords.value.list;
    const here = branch.value;
    const zone = here?.time_zone ?? "UTC";
    const { date = today(zone) } = place.value.query;
    const { department_id = "", doctor_id } = whose();
    const loaded = useLoad(async () => {
        const rows = (await askAll((page) => api.GET("/api/v1/appointments", { params: { query: {
            branch_id: here?.branch_id, doctor_id, date_from: date, date_to: date, ...page,
        } } }))).filter((a) => a.status !== "cancelled")
            .filter((a) => department_id === "" || doctorsOf(department_id).some((d) => d.doctor_id === a.doctor_id))
            .sort((a, b) => a.slot_start.localeCompare(b.slot_start) || a.token_number - b.token_number);

        await learnPatients(rows.map((a) => a.patient_id));
        return rows;
    }, [here?.branch_id, date, department_id, doctor_id]);

    return (
        <>
            <Heading title={w.title} sub={w.lead}>
                <button type="button" class="primary" onClick={() => print()}>{w.print}</button>
            </Heading>
            <div class="card filters">
                <TextField label={w.date} type="date" value={date} onValue={(to) => to && refine({ date: to })} />
                <Whose />
            </div>
            <Shown loaded={loaded}>
                {(rows) => rows.length === 0 ? <Empty icon="calendar" title={w.none} /> : (
                    <div class="day-list">
                        {[...new Set(rows.map((a) => a.doctor_id))].sort().map((id) => (
                            <Sheet key={id} doctor={id} date={date} rows={rows.filter((a) => a.doctor_id === id)}
                                zone={zone} onChanged={loaded.reload} />
                        ))}
                    </div>
                )}
            </Shown>
        </>
    );
}

function Sheet({ doctor, date, rows, zone, onChanged }: {
    doctor: string; date: string; rows: Appointment[]; zone: string; onChanged: () => void;
}) {
    const w = reportWords.value.list;
    const booked = rows.filter((a) => a.status === "booked").length;
    const [moving, setMoving] = useState(false);

    return (
        <section class="card sheet">
            <header>
                <h2>{doctorName(doctor)}</h2>
                {booked > 0 && may("appointments:write") && (
                    <button type="button" class="small screen" onClick={() => setMoving(true)}>
                        {w.moveDay}<span class="hidden"> {doctorName(doctor)}</span></button>
                )}
                <p class="muted">{branch.value?.name} · {weekday(date)}, {shown(date)} ·
                    {" "}{w.count(rows.length)}</p>
                <p class="printed">{w.printedAt(shownInstant(new Date(), zone))}</p>
            </header>
            <Table caption={doctorName(doctor)} rows={rows} id={(a) => a.appointment_id} columns={[
                { title: w.time, class: "number", cell: (a) => timeOf(a.slot_start, zone) },
                { title: w.token, class: "number", cell: (a) => <strong>{a.token_number}</strong> },
                { title: w.patient, cell: (a) => {
                    const patient = patients.value.get(a.patient_id);

                    return (
                        <span>{patient?.name ?? a.patient_id}<small class="line dots">{[patient?.age != null
                            && words.value.patient.years(patient.age), a.patient_id].filter(Boolean).map((one) =>
                            <span key={String(one)}>{one}</span>)}</small></span>
                    );
                } },
                { title: w.phone, class: "number", cell: (a) => patients.value.get(a.patient_id)?.phone ?? "" },
                { title: w.what, cell: (a) => (
                    <span>{visitTypeName(a.visit_type)}{a.notes && <small class="line">{a.notes}</small>}</span>
                ) },
                { title: w.status, cell: (a) => <span class={`chip ${a.status}`}>{words.value.status[a.status]}</span> },
                { title: w.slip, class: "end screen", cell: (a) => <SlipButton appointment={a} class="small" /> },
            ]} />
            {moving && (
                <DayMove doctor={doctor} date={date} count={booked} onClose={() => setMoving(false)}
                    onDone={onChanged} />
            )}
        </section>
    );
}
