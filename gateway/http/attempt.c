/*
 * attempt.c
 *		How often a password may be tried.  Attempts are counted before they
 *		are judged, by account and network together, and right ones are given
 *		back: so nobody locks an account out from elsewhere, nor a clinic's one
 *		address for its other accounts.  All networks that an account was not
 *		used from share a further budget.  A browser that the person has signed
 *		in with before has one to itself (device.c).
 */
#include "http/attempt.h"

#include "common/log.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/peer.h"
#include "http/staffcall.h"

#define ATTEMPTS_A_MINUTE 10	/* wrong, at an account from a network */
#define ATTEMPTS_ELSEWHERE 60	/* wrong, at an account from strange ones */

static void refuse_many(Exchange *exchange, int retry_s);

/* Whether one more attempt may be made from there; else answers. */
bool
attempt_within(Exchange *exchange, Attempt *attempt)
{
	RateState	state;

	attempt->budget = attempt->browser != NULL
		? arena_printf(&exchange->arena, "%s by %s", attempt->account,
					   attempt->browser)
		: arena_printf(&exchange->arena, "%s %s", attempt->account,
					   attempt_network(exchange));
	state = limits_take(LIMIT_ATTEMPTS, attempt->budget, ATTEMPTS_A_MINUTE);
	if (!state.allowed)
		refuse_many(exchange, state.retry_s);
	return state.allowed;
}

/* The same by the account's budget, where the network is strange to it. */
bool
attempt_within_account(Exchange *exchange, const Attempt *attempt)
{
	RateState	state;

	if (!attempt->elsewhere)
		return true;
	state = limits_take(LIMIT_ACCOUNTS, attempt->account, ATTEMPTS_ELSEWHERE);
	if (!state.allowed)
		refuse_many(exchange, state.retry_s);
	return state.allowed;
}

/* Gives a right attempt back to the budgets that it was counted in. */
void
attempt_right(const Attempt *attempt)
{
	limits_give(LIMIT_ATTEMPTS, attempt->budget, ATTEMPTS_A_MINUTE);
	if (attempt->elsewhere)
		limits_give(LIMIT_ACCOUNTS, attempt->account, ATTEMPTS_ELSEWHERE);
}

/*
 * 401, and a line in the log, which does not say what was typed: it may be a
 * password in the wrong place.
 */
void
attempt_wrong(Exchange *exchange, const Attempt *attempt)
{
	char		address[IP_TEXT_SIZE];

	ip_text(&exchange->head.from, address);
	LOG_WARNING("wrong password", log_text("id", exchange->head.id),
				log_text("staff_id", attempt->staff_id),
				log_text("address", address));
	staffcall_wrong(exchange);
}

/* 503 */
void
attempt_busy(Exchange *exchange)
{
	static const Problem busy = {503, "unavailable", "",
		"Too many sign in at this moment; try again."
	};

	exchange_refuse(exchange, &busy);
	answer_retry_after(&exchange->answer, 1);
}

/* The sender's network, as text. */
const char *
attempt_network(Exchange *exchange)
{
	IpAddress	network = peer_network(&exchange->head.from);
	char	   *text = arena_alloc(&exchange->arena, IP_TEXT_SIZE);

	ip_text(&network, text);
	return text;
}

/* 429 */
static void
refuse_many(Exchange *exchange, int retry_s)
{
	static const Problem many = {429, "rate_limited", "",
		"Too many attempts to sign in; wait a while."
	};

	metrics_auth_failure(FAILURE_THROTTLED);
	exchange_refuse(exchange, &many);
	answer_retry_after(&exchange->answer, retry_s);
}
