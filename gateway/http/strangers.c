/*
 * strangers.c
 *		Requests without a good access token or secret.
 *
 *		To refuse one costs as much as to answer it, and who is refused at once
 *		asks again at once: hundreds of connections that do so leave little
 *		time for anybody else.  So an address that has spent its budget is
 *		refused late.  A held connection costs nothing but its memory.
 */
#include "http/strangers.h"

#include "http/limits.h"
#include "http/worker.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/request.h"

#define HOLD_TURN 8				/* let go in one turn of the loop */

static const int hold_ms[HOLD_KINDS] = {
	[HOLD_REFUSAL] = 2000,
	[HOLD_ANSWER] = 500,
};

/*
 * Takes one request from the budget of its address; false: it is spent, and
 * more comes in so many seconds.
 */
bool
strangers_take(Request *request, int *retry_s)
{
	IpAddress	network = peer_network(&request->from);
	char		key[IP_TEXT_SIZE];
	RateState	state;

	ip_text(&network, key);
	state = limits_take(LIMIT_STRANGERS, key, options.stranger_limit);
	*retry_s = state.retry_s;
	return state.allowed;
}

/* Holds the answer back, which is there already, as request->hold says. */
void
strangers_hold(Request *request)
{
	Worker	   *worker = request->worker;
	HeldAnswers *held = &worker->held[request->hold];

	request_suspend(request);
	request->client->deadline_ms = 0;
	request->held_until_ms = loop_now_ms() + hold_ms[request->hold];
	request->hold = HOLD_NONE;
	request->next = NULL;
	if (held->last != NULL)
		held->last->next = request;
	else
		held->first = request;
	held->last = request;
}

/* Lets answers go that are due, some in each turn; all when stopping. */
void
strangers_turn(Worker *worker)
{
	int			left = worker->stopping ? worker->running : HOLD_TURN;
	int			kind;

	for (kind = 0; kind < HOLD_KINDS; kind++)
	{
		HeldAnswers *held = &worker->held[kind];

		while (held->first != NULL && left-- > 0 &&
			   (worker->stopping ||
				held->first->held_until_ms <= loop_now_ms()))
		{
			Request    *request = held->first;

			held->first = request->next;
			if (held->first == NULL)
				held->last = NULL;
			request->next = NULL;
			request->state = REQUEST_ANSWERED;
			request_resume(request);
		}
	}
}

/* When the next answer is to be let go; INT64_MAX: there is none. */
int64_t
strangers_due_ms(const Worker *worker)
{
	int64_t		due_ms = INT64_MAX;
	int			kind;

	for (kind = 0; kind < HOLD_KINDS; kind++)
	{
		const Request *first = worker->held[kind].first;

		if (first != NULL && first->held_until_ms < due_ms)
			due_ms = first->held_until_ms;
	}
	/* What is overdue leaves a turn to the others first. */
	return due_ms <= loop_now_ms() ? loop_now_ms() + 1 : due_ms;
}
