/*
 * settings-clinic.tsx
 *		Settings: branches, departments, doctors, visit types.
 */
import { api, ask, askAll, once, type Branch, type Doctor, type Schemas, type VisitType } from "../api";
import { branches, readClinic } from "../clinic";
import { clinicWords } from "../i18n/clinic-settings";
import { useLoad } from "../parts/load";
import { ResourceList, type Field } from "../parts/resource";
import { href } from "../router";
import { OpeningHours } from "./settings-opening";

type Department = Schemas["Department"];

const version = (row: { version: number }): number => row.version;
const slot = (): Field => ({
    name: "slot_min", label: clinicWords.value.slot, kind: "number", hint: clinicWords.value.slotDefault,
    min: 5, max: 480,
});
const active = (hint?: string): Field => ({
    name: "active", label: clinicWords.value.activeField, kind: "check", hint, later: true,
});
const code = (name: string): Field => ({
    name, label: clinicWords.value.code, hint: clinicWords.value.codeHint, required: true, fixed: true,
});
const nameField = (): Field => ({ name: "name", label: clinicWords.value.name, required: true });

function Name({ name, id }: { name: string; id: string }) {
    return <span><strong>{name}</strong><small class="line">{id}</small></span>;
}

function Activity({ on }: { on: boolean }) {
    const w = clinicWords.value;

    return <span class={on ? "chip in_consultation" : "chip"}>{on ? w.active : w.inactive}</span>;
}

const minutes = (n: number | null, otherwise: string) => n === null
    ? <span class="muted">{otherwise}</span> : clinicWords.value.minutes(n);

export function Branches({ rest }: { rest: string[] }) {
    return rest[1] === "hours" ? <OpeningHours branch_id={rest[0]} /> : <BranchList />;
}

function BranchList() {
    const w = clinicWords.value;
    const b = w.branches;
    const loaded = useLoad<Branch[]>(() => askAll((page) =>
        api.GET("/api/v1/branches", { params: { query: page } })), []);
    const zones = [...new Set(["Asia/Kolkata", ...Intl.supportedValuesOf("timeZone"),
        ...loaded.data?.map((row) => row.time_zone) ?? []])];

    return (
        <ResourceList title={b.title} sub={b.lead} loaded={loaded} of={{
            kind: "branch", add: b.add, none: b.none, caption: b.title, version,
            id: (row) => row.branch_id, name: (row) => row.name, changed: () => void readClinic(),
            columns: [
                { title: w.name, cell: (row) => <Name name={row.name} id={row.branch_id} /> },
                { title: b.zone, cell: (row) => row.time_zone },
                { title: w.slot, class: "number", cell: (row) => w.minutes(row.slot_min) },
                { title: b.hours, cell: (row) => (
                    <a class="cell-link" href={href(`settings/branches/${encodeURIComponent(row.branch_id)}/hours`)}>
                        {w.opening.link}<span class="hidden">, {row.name}</span></a>
                ) },
                { title: w.status, cell: (row) => <Activity on={row.active} /> },
            ],
            fields: [
                code("branch_id"), nameField(),
                { name: "type", label: b.type, hint: b.typeHint },
                { name: "time_zone", label: b.zone, kind: "select", begin: "Asia/Kolkata",
                    choices: zones.map((value) => ({ value, label: value.replaceAll("_", " ") })) },
                { name: "address", label: b.address }, { name: "phone", label: b.phone, kind: "tel" },
                { name: "logo_url", label: b.logo, kind: "url" }, slot(), active(b.activeHint),
            ],
            create: (body, key) => ask(api.POST("/api/v1/branches",
                { body: body as Schemas["BranchRequest"], ...once(key) })),
            update: (row, body, key) => ask(api.PATCH("/api/v1/branches/{branch_id}", {
                params: { path: { branch_id: row.branch_id } },
                body: body as Schemas["BranchChange"], ...once(key, row.version) })),
            remove: (row) => ask(api.DELETE("/api/v1/branches/{branch_id}",
                { params: { path: { branch_id: row.branch_id } } })),
        }} />
    );
}

export function Departments() {
    const w = clinicWords.value;
    const d = w.departments;
    const loaded = useLoad<Department[]>(() => askAll((page) =>
        api.GET("/api/v1/departments", { params: { query: page } })), []);

    return (
        <ResourceList title={d.title} sub={d.lead} loaded={loaded} of={{
            kind: "department", add: d.add, none: d.none, caption: d.title, version,
            id: (row) => row.department_id, name: (row) => row.name,
            columns: [
                { title: w.name, cell: (row) => <Name name={row.name} id={row.department_id} /> },
                { title: w.slot, class: "number", cell: (row) => minutes(row.slot_min, w.asAbove) },
                { title: w.status, cell: (row) => <Activity on={row.active} /> },
            ],
            fields: [code("department_id"), nameField(), slot(), active()],
            create: (body, key) => ask(api.POST("/api/v1/departments",
                { body: body as Schemas["DepartmentRequest"], ...once(key) })),
            update: (row, body, key) => ask(api.PATCH("/api/v1/departments/{department_id}", {
                params: { path: { department_id: row.department_id } },
                body: body as Schemas["DepartmentChange"], ...once(key, row.version) })),
            remove: (row) => ask(api.DELETE("/api/v1/departments/{department_id}",
                { params: { path: { department_id: row.department_id } } })),
        }} />
    );
}

export function Doctors() {
    const w = clinicWords.value;
    const d = w.doctors;
    const loaded = useLoad<Doctor[]>(() => askAll((page) =>
        api.GET("/api/v1/doctors", { params: { query: page } })), []);
    const departments = useLoad<Department[]>(() => askAll((page) =>
        api.GET("/api/v1/departments", { params: { query: page } })), []);
    const nameOf = (id: string) => branches.value.find((b) => b.branch_id === id)?.name ?? id;

    return (
        <ResourceList title={d.title} sub={d.lead} loaded={loaded} of={{
            kind: "doctor", add: d.add, none: d.none, caption: d.title, version,
            id: (row) => row.doctor_id, name: (row) => row.name, changed: () => void readClinic(),
            columns: [
                { title: w.name, cell: (row) => <Name name={row.name} id={row.doctor_id} /> },
                { title: d.specialty, cell: (row) => (
                    <span>{row.specialty ?? ""}<small class="line">{departments.data?.find((one) =>
                        one.department_id === row.department_id)?.name}</small></span>
                ) },
                { title: d.branches, cell: (row) => (
                    <a class="cell-link" href={href("settings/hours/week", { doctor: row.doctor_id })}>
                        {row.branch_ids.length === 0 ? d.noHours : row.branch_ids.map(nameOf).join(", ")}</a>
                ) },
                { title: w.status, cell: (row) => <Activity on={row.active} /> },
            ],
            fields: [
                code("doctor_id"), nameField(), { name: "specialty", label: d.specialty },
                { name: "department_id", label: d.department, kind: "select", choices: [
                    { value: "", label: d.noDepartment }, ...(departments.data ?? []).map((one) =>
                        ({ value: one.department_id, label: one.name }))] },
                slot(),
                { name: "buffer_before_min", label: d.before, kind: "number", min: 0, max: 240 },
                { name: "buffer_after_min", label: d.after, kind: "number", min: 0, max: 240 },
                active(d.activeHint),
            ],
            create: (body, key) => ask(api.POST("/api/v1/doctors",
                { body: body as Schemas["DoctorRequest"], ...once(key) })),
            update: (row, body, key) => ask(api.PATCH("/api/v1/doctors/{doctor_id}", {
                params: { path: { doctor_id: row.doctor_id } },
                body: body as Schemas["DoctorChange"], ...once(key, row.version) })),
            remove: (row) => ask(api.DELETE("/api/v1/doctors/{doctor_id}",
                { params: { path: { doctor_id: row.doctor_id } } })),
        }} />
    );
}

export function VisitTypes() {
    const w = clinicWords.value;
    const v = w.visitTypes;
    const loaded = useLoad<VisitType[]>(() => askAll((page) =>
        api.GET("/api/v1/visit-types", { params: { query: page } })), []);

    return (
        <ResourceList title={v.title} sub={v.lead} loaded={loaded} of={{
            kind: "visit-type", add: v.add, none: v.none, caption: v.title, version,
            id: (row) => row.visit_type, name: (row) => row.name, changed: () => void readClinic(),
            columns: [
                { title: w.name, cell: (row) => <Name name={row.name} id={row.visit_type} /> },
                { title: v.duration, class: "number", cell: (row) => minutes(row.duration_min, w.asSlot) },
                { title: w.status, cell: (row) => <Activity on={row.active} /> },
            ],
            fields: [
                code("visit_type"), nameField(),
                { name: "duration_min", label: v.duration, kind: "number", hint: v.durationHint, min: 5, max: 480 },
                { name: "buffer_before_min", label: w.doctors.before, kind: "number", min: 0, max: 240 },
                { name: "buffer_after_min", label: w.doctors.after, kind: "number", min: 0, max: 240 },
                active(),
            ],
            create: (body, key) => ask(api.POST("/api/v1/visit-types",
                { body: body as Schemas["VisitTypeRequest"], ...once(key) })),
            update: (row, body, key) => ask(api.PATCH("/api/v1/visit-types/{visit_type}", {
                params: { path: { visit_type: row.visit_type } },
                body: body as Schemas["VisitTypeChange"], ...once(key, row.version) })),
            remove: (row) => ask(api.DELETE("/api/v1/visit-types/{visit_type}",
                { params: { path: { visit_type: row.visit_type } } })),
        }} />
    );
}
