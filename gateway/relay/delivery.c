/*
 * delivery.c
 *		A delivery that this relay has leased, and lists of them.
 */
#include "relay/delivery.h"

#include <stdlib.h>

#include "relay/endpoint.h"

/* The columns of appt.claim_deliveries. */
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

static Delivery *known = NULL;

static int	row_number(const PGresult *rows, int row, int column);

/* The delivery of a row; it keeps the batch until it is freed. */
Delivery *
delivery_from_row(Batch *batch, int row)
{
	Delivery   *delivery = must_alloc(sizeof(*delivery));
	PGresult   *rows = batch->rows;

	*delivery = (Delivery) {
		.batch = batch,
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
	delivery->endpoint = endpoint_get(row_number(rows, row, COLUMN_WEBHOOK_NO));
	endpoint_is_failing(delivery->endpoint,
						PQgetvalue(rows, row, COLUMN_FAILING)[0] == 't');
	batch->users++;
	delivery->next_known = known;
	if (known != NULL)
		known->prev_known = delivery;
	known = delivery;
	return delivery;
}

/* The endpoint of a row, and which version of it the row is of. */
Endpoint *
delivery_row_endpoint(const PGresult *rows, int row, int *version)
{
	*version = row_number(rows, row, COLUMN_VERSION);
	return endpoint_get(row_number(rows, row, COLUMN_WEBHOOK_NO));
}

/* Whether the row says that its endpoint has changed, and is no delivery. */
bool
delivery_row_is_change(const PGresult *rows, int row)
{
	return PQgetisnull(rows, row, COLUMN_DELIVERY_NO) != 0;
}

/* A column that is an integer. */
static int
row_number(const PGresult *rows, int row, int column)
{
	return (int) strtol(PQgetvalue(rows, row, column), NULL, 10);
}

/* The numbers of all deliveries that this relay has, as an array literal. */
void
delivery_numbers(Buf *array)
{
	const Delivery *delivery;

	buf_char(array, '{');
	for (delivery = known; delivery != NULL; delivery = delivery->next_known)
		buf_printf(array, "%s%lld", delivery == known ? "" : ",",
				   delivery->delivery_no);
	buf_char(array, '}');
}

/* Frees a delivery that is in no list, and its batch with the last one. */
void
delivery_free(Delivery *delivery)
{
	Batch	   *batch = delivery->batch;

	if (--batch->users == 0)
	{
		PQclear(batch->rows);
		free(batch);
	}
	if (delivery->prev_known != NULL)
		delivery->prev_known->next_known = delivery->next_known;
	else
		known = delivery->next_known;
	if (delivery->next_known != NULL)
		delivery->next_known->prev_known = delivery->prev_known;
	buf_free(&delivery->outcome.answer);
	free(delivery);
}

/* Whether the receiver said 2xx. */
bool
delivery_succeeded(const Delivery *delivery)
{
	return delivery->outcome.status >= 200 && delivery->outcome.status <= 299;
}

/* Adds at the end. */
void
list_push(DeliveryList *list, Delivery *delivery)
{
	delivery->next = NULL;
	if (list->last != NULL)
		list->last->next = delivery;
	else
		list->first = delivery;
	list->last = delivery;
	list->count++;
}

/* Adds at the beginning. */
void
list_push_first(DeliveryList *list, Delivery *delivery)
{
	delivery->next = list->first;
	list->first = delivery;
	if (list->last == NULL)
		list->last = delivery;
	list->count++;
}

/* Takes the first; NULL if there is none. */
Delivery *
list_pop(DeliveryList *list)
{
	Delivery   *delivery = list->first;

	if (delivery == NULL)
		return NULL;
	list->first = delivery->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	delivery->next = NULL;
	return delivery;
}

/* Puts the others before the list's own; they are empty afterwards. */
void
list_prepend(DeliveryList *list, DeliveryList *others)
{
	if (others->first == NULL)
		return;
	others->last->next = list->first;
	if (list->last == NULL)
		list->last = others->last;
	list->first = others->first;
	list->count += others->count;
	*others = (DeliveryList) {0};
}

/* Moves at most so many from the beginning of the other list. */
void
list_move(DeliveryList *list, DeliveryList *from, int count)
{
	while (count-- > 0 && from->count > 0)
		list_push(list, list_pop(from));
}
