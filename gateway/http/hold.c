/*
 * hold.c
 *		Answers that are held back, to addresses that have asked too often.
 *		A held connection is suspended and costs its memory alone.
 */
#include "http/hold.h"

#include "common/loop.h"

#define HOLD_TURN 8				/* let go in one turn of the loop */

static const int hold_ms[HOLD_KINDS] = {
	[HOLD_REFUSAL] = 2000,
	[HOLD_ANSWER] = 500,
};

/* Holds the answer back, which is there already, as exchange->hold says. */
void
hold_answer(Exchange *exchange)
{
	HeldAnswers *held = &exchange->service->held[exchange->hold];

	exchange_suspend(exchange);
	exchange->connection->deadline_ms = 0;
	exchange->held_until_ms = loop_now_ms() + hold_ms[exchange->hold];
	exchange->hold = HOLD_NONE;
	exchange->next = NULL;
	if (held->last != NULL)
		held->last->next = exchange;
	else
		held->first = exchange;
	held->last = exchange;
}

/* Lets answers go that are due, some in each turn; all when stopping. */
void
hold_turn(Service *service)
{
	int			left = service->stopping ? service->running : HOLD_TURN;
	int			kind;

	for (kind = 0; kind < HOLD_KINDS; kind++)
	{
		HeldAnswers *held = &service->held[kind];

		while (held->first != NULL && left-- > 0 &&
			   (service->stopping ||
				held->first->held_until_ms <= loop_now_ms()))
		{
			Exchange   *exchange = held->first;

			held->first = exchange->next;
			if (held->first == NULL)
				held->last = NULL;
			exchange->next = NULL;
			exchange_resume(exchange);
		}
	}
}

/* When the next answer is to be let go; INT64_MAX: there is none. */
int64_t
hold_due_ms(const Service *service)
{
	int64_t		due_ms = INT64_MAX;
	int			kind;

	for (kind = 0; kind < HOLD_KINDS; kind++)
	{
		const Exchange *first = service->held[kind].first;

		if (first != NULL && first->held_until_ms < due_ms)
			due_ms = first->held_until_ms;
	}
	/*
	 * An overdue answer waits for one more turn, so that others are served
	 * first.
	 */
	return due_ms <= loop_now_ms() ? loop_now_ms() + 1 : due_ms;
}
