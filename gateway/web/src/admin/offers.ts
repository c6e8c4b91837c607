/*
 * offers.ts
 *		Slots that are kept for patients, who are asked whether they want them.
 *		An offer is a hold: to withdraw it is to release that.
 */
import { api, ask, newKey, once, type Schemas } from "./api";

export type Offer = Schemas["Offer"];

export async function offerSlot(body: Schemas["OfferRequest"], key: string): Promise<Offer> {
    return ask(api.POST("/api/v1/appointments/offers", { body, ...once(key) }));
}

export async function withdrawOffer(offer: Offer): Promise<void> {
    await ask(api.DELETE("/api/v1/appointments/holds/{hold_id}", {
        params: { path: { hold_id: offer.offer_id } }, ...once(newKey()),
    }));
}
