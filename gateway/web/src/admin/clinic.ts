/*
 * clinic.ts
 *		What every page needs of the clinic: its branches, departments, doctors
 *		and visit types, read once and again when the connection healed; the
 *		branch and the department that the desk works at; who the patients are.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import {
    api, ask, askAll, healed, type Branch, type Department, type Doctor, type PatientSummary, type VisitType,
} from "./api";
import { branchChosen, departmentChosen, rememberBranch, rememberDepartment } from "./first";
import { person, session } from "./session";

export const branches = signal<Branch[]>([]);
export const departments = signal<Department[]>([]);
export const doctors = signal<Doctor[]>([]);
export const visitTypes = signal<VisitType[]>([]);
export const clinicError = signal<Error | null>(null);
export const clinicIsRead = signal(false);

const chosen = signal(branchChosen());

/* The branch that the desk works at; undefined: none is there. */
export const branch = computed(() =>
    branches.value.find((b) => b.branch_id === chosen.value) ?? branches.value[0]);

/* Its doctors, of those whom the person may see. */
export const branchDoctors = computed(() => doctors.value.filter((d) =>
    d.active && d.branch_ids.includes(branch.value?.branch_id ?? "")));

/* Those of its doctors; with one alone there is nothing to choose. */
export const branchDepartments = computed(() => {
    const ids = new Set(branchDoctors.value.map((d) => d.department_id));
    const found = departments.value.filter((one) => ids.has(one.department_id));

    return ids.size > 1 ? found : [];
});

export const doctorsOf = (department: string): Doctor[] =>
    branchDoctors.value.filter((d) => department === "" || d.department_id === department);

const chosenDepartment = signal(departmentChosen());

/* The department whose doctors the desk works with; "": all. */
export const department = computed(() => branchDepartments.value.some((one) =>
    one.department_id === chosenDepartment.value) ? chosenDepartment.value : "");

export function chooseDepartment(id: string): void {
    rememberDepartment(id);
    chosenDepartment.value = id;
}

/* What the next load of the page asks for early. */
effect(() => {
    if (branch.value && branchChosen() === "")
        rememberBranch(branch.value.branch_id);
});

export function chooseBranch(id: string): void {
    rememberBranch(id);
    chosen.value = id;
}

export function doctorName(id: string): string {
    return doctors.value.find((d) => d.doctor_id === id)?.name ?? id;
}

export function visitTypeName(id: string | null): string {
    return id === null ? "" : visitTypes.value.find((v) => v.visit_type === id)?.name ?? id;
}

const askClinic = () => Promise.all([
    askAll((page) => api.GET("/api/v1/branches", { params: { query: { active: true, ...page } } })),
    askAll((page) => api.GET("/api/v1/departments", { params: { query: page } })),
    askAll((page) => api.GET("/api/v1/doctors", { params: { query: page } })),
    askAll((page) => api.GET("/api/v1/visit-types", { params: { query: page } })),
]);

let early: ReturnType<typeof askClinic> | undefined;

/* Asks before it is known who is signed in; what comes is taken once that is. */
export function askClinicEarly(): Promise<void> {
    early = askClinic();
    return early.then(() => undefined, () => {
        early = undefined;
    });
}

export async function readClinic(): Promise<void> {
    try {
        const asked = early ?? askClinic();

        early = undefined;
        const [b, e, d, v] = await asked;

        batch(() => {
            branches.value = b;
            departments.value = e;
            doctors.value = d;
            visitTypes.value = v;
            clinicError.value = null;
            clinicIsRead.value = true;
        });
    } catch (error) {
        clinicError.value = error as Error;
    }
}

effect(() => {
    if (session.value && healed.value >= 0)
        void readClinic();
});

/* ---- patients ----------------------------------------------------------- */

export type Known = Pick<PatientSummary, "patient_id" | "name" | "age" | "phone" | "gender">;

export const patients = signal<ReadonlyMap<string, Known>>(new Map());
const asked = new Set<string>();

/* Who looks is on record: whom one person was shown, the next asks for. */
effect(() => {
    if (person.value === undefined)
        return;
    asked.clear();
    patients.value = new Map();
});

export function knowPatients(some: Known[]): void {
    patients.value = new Map([...patients.value, ...some.map((p): [string, Known] => [p.patient_id, p])]);
}

const IDS = 100;

/* Learns who they are, those who are not known yet. */
export async function learnPatients(ids: string[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !patients.value.has(id) && !asked.has(id));

    const parts = Array.from({ length: Math.ceil(unknown.length / IDS) }, (_, n) =>
        unknown.slice(n * IDS, (n + 1) * IDS));

    if (unknown.length === 0)
        return;
    const who = person.peek();

    unknown.forEach((id) => asked.add(id));
    try {
        const found = await Promise.all(parts.map((some) => ask(api.GET("/api/v1/patients",
            { params: { query: { patient_id: some.join(), per_page: IDS } } }))));

        if (who === person.peek())
            knowPatients(found.flat());
    } finally {
        unknown.forEach((id) => asked.delete(id));
    }
}
