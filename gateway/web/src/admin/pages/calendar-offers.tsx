/*
 * calendar-offers.tsx
 *		The branch's slots that are kept for patients who were offered them:
 *		for whom, until when; to be withdrawn.
 */
import { useEffect, useState } from "preact/hooks";
import { api, askAll } from "../api";
import { branch, doctorName, learnPatients, patients } from "../clinic";
import { words } from "../i18n";
import { offerWords } from "../i18n/offers";
import { withdrawOffer, type Offer } from "../offers";
import { Dialog } from "../parts/dialog";
import { FormError } from "../parts/field";
import { useBusy, useLoad } from "../parts/load";
import { Shown } from "../parts/states";
import { toast } from "../parts/toast";
import { may } from "../session";
import { when } from "./calendar-dialogs";

const nameOf = (id: string): string => patients.value.get(id)?.name ?? id;

export function OffersDialog({ zone, onClose, onDone }: { zone: string; onClose: () => void; onDone: () => void }) {
    const w = offerWords.value;
    const loaded = useLoad(() => askAll((page) => api.GET("/api/v1/appointments/offers",
        { params: { query: { branch_id: branch.value?.branch_id, status: "open", ...page } } })), []);

    useEffect(() => {
        void learnPatients((loaded.data ?? []).map((offer) => offer.patient_id));
    }, [loaded.data]);
    return (
        <Dialog title={w.title} onClose={onClose}>
            <Shown loaded={loaded}>
                {(offers) => offers.length === 0 ? <p class="muted" role="status">{w.none}</p> : (
                    <ul class="offers">
                        {offers.map((offer) => <Line key={offer.offer_id} offer={offer} zone={zone} onDone={() => {
                            loaded.reload();
                            onDone();
                        }} />)}
                    </ul>
                )}
            </Shown>
            <div class="buttons">
                <button type="button" onClick={onClose}>{words.value.common.close}</button>
            </div>
        </Dialog>
    );
}

function Line({ offer, zone, onDone }: { offer: Offer; zone: string; onDone: () => void }) {
    const w = offerWords.value;
    const name = nameOf(offer.patient_id);
    const time = when(offer.slot_start, zone);
    const [error, setError] = useState<unknown>(null);
    const [busy, run] = useBusy();
    const go = () => run(async () => {
        setError(null);
        try {
            await withdrawOffer(offer);
            toast(w.withdrawn(name));
            onDone();
        } catch (problem) {
            setError(problem);
        }
    });

    return (
        <li>
            <p><strong>{name}</strong><br />{time}, {doctorName(offer.doctor_id)}
                <br /><span class="muted">{w.until(when(offer.expires_at, zone))}</span></p>
            {may("appointments:write") && (
                <button type="button" class="danger" aria-label={w.withdrawFrom(name, time)} aria-disabled={busy}
                    onClick={() => void go()}>{w.withdraw}</button>
            )}
            <FormError error={error} />
        </li>
    );
}
