/*
 * claimrow.h
 *		A row that a claim has brought: a delivery, or a changed endpoint.
 */
#ifndef APPT_RELAY_CLAIMROW_H
#define APPT_RELAY_CLAIMROW_H

#include "relay/endpoint.h"

extern Delivery *claimrow_delivery(Batch *batch, int row);
extern Endpoint *claimrow_endpoint(const PGresult *rows, int row,
								   int *version);
extern bool claimrow_is_change(const PGresult *rows, int row);

#endif							/* APPT_RELAY_CLAIMROW_H */
