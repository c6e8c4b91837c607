/*
 * claimrow.c
 *		A row that a claim has brought: a delivery, or a changed endpoint.
 */
#include "relay/claimrow.h"

#include <stdlib.h>

/* The columns of appt_relay.claim_deliveries. */
enum
{
	COLUMN_DELIVERY_NO,
	COLUMN_FENCE,
	COLUMN_ATTEMPT,
	COLUMN_WEBHOOK_NO,
	COLUMN_WEBHOOK_ID,
	COLUMN_URL,
	COLUMN_SECRETS,
	COLUMN_EVENT_ID,
	COLUMN_BODY,
	COLUMN_VERSION,
	COLUMN_FAILING,
};

static int	row_number(const PGresult *rows, int row, int column);

/* The delivery of a row; it keeps the batch until it is freed. */
Delivery *
claimrow_delivery(Batch *batch, int row)
{
	PGresult   *rows = batch->rows;
	int			webhook_no = row_number(rows, row, COLUMN_WEBHOOK_NO);
	const Delivery claimed = {
		.batch = batch,
		.endpoint = endpoint_get(webhook_no),
		.delivery_no = strtoll(PQgetvalue(rows, row, COLUMN_DELIVERY_NO),
							   NULL, 10),
		.fence = strtoll(PQgetvalue(rows, row, COLUMN_FENCE), NULL, 10),
		.attempt = row_number(rows, row, COLUMN_ATTEMPT),
		.webhook_id = PQgetvalue(rows, row, COLUMN_WEBHOOK_ID),
		.url = PQgetvalue(rows, row, COLUMN_URL),
		.secrets = PQgetvalue(rows, row, COLUMN_SECRETS),
		.event_id = PQgetvalue(rows, row, COLUMN_EVENT_ID),
		.body = PQgetvalue(rows, row, COLUMN_BODY),
		.body_len = (size_t) PQgetlength(rows, row, COLUMN_BODY),
	};

	endpoint_is_failing(claimed.endpoint,
						PQgetvalue(rows, row, COLUMN_FAILING)[0] == 't');
	return delivery_new(&claimed);
}

/* The endpoint of a row, and which version of it the row is of. */
Endpoint *
claimrow_endpoint(const PGresult *rows, int row, int *version)
{
	*version = row_number(rows, row, COLUMN_VERSION);
	return endpoint_get(row_number(rows, row, COLUMN_WEBHOOK_NO));
}

/* Whether the row says that its endpoint has changed, and is no delivery. */
bool
claimrow_is_change(const PGresult *rows, int row)
{
	return PQgetisnull(rows, row, COLUMN_DELIVERY_NO) != 0;
}

/* A column that is an integer. */
static int
row_number(const PGresult *rows, int row, int column)
{
	return (int) strtol(PQgetvalue(rows, row, column), NULL, 10);
}
