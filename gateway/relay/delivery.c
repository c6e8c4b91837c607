/*
 * delivery.c
 *		A delivery that this relay has leased, and lists of them.
 */
#include "relay/delivery.h"

#include <stdlib.h>

#include "common/array.h"

static Delivery *known = NULL;

/* A delivery with what was claimed of it; it keeps the batch until freed. */
Delivery *
delivery_new(const Delivery *claimed)
{
	Delivery   *delivery = must_alloc(sizeof(*delivery));

	*delivery = *claimed;
	delivery->batch->users++;
	delivery->next_known = known;
	if (known != NULL)
		known->prev_known = delivery;
	known = delivery;
	return delivery;
}

/* The numbers of all deliveries that this relay has, as an array literal. */
void
delivery_numbers(Buf *array)
{
	const Delivery *delivery;

	for (delivery = known; delivery != NULL; delivery = delivery->next_known)
		array_number(array, delivery->delivery_no);
	array_end(array);
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
