/*
 * vigil.c
 *		Whether the caller of an event stream may still have it.  A token is
 *		judged by what the loop knows; of a sign-in the database is asked,
 *		one query at a time, and an answer older than half a minute counts
 *		for nothing.
 *
 *		A vigil that ends while its question is under way is freed by the
 *		answer.
 */
#include "http/vigil.h"

#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "http/signin.h"
#include "http/text.h"

#define VIGIL_STALE_MS 30000

struct Vigil
{
	bool		asking;
	bool		ended;			/* nobody waits for the answer */
	bool		over;			/* the sign-in is */
	int64_t		good_ms;		/* when it last was not, for certain */
	Query		query;
	const char *params[2];
	char		hash[SHA256_HEX_SIZE];
};

static Vigil *vigil_new(Exchange *exchange);
static void vigil_told(Query *query, QueryOutcome outcome, PGresult *result);

/* Whether the exchange may go on, by what is known; asks for what is not. */
bool
vigil_permits(Vigil **vigil, Exchange *exchange)
{
	Caller		caller;

	if (exchange->sign_in == NULL)
		return auth_check(exchange->service->auth,
						  exchange->head.authorization, &caller) == AUTH_GOOD;
	if (*vigil == NULL)
		*vigil = vigil_new(exchange);
	if (!(*vigil)->asking)
	{
		(*vigil)->asking = true;
		pool_submit(exchange->service->pool, &(*vigil)->query);
	}
	return !(*vigil)->over &&
		loop_now_ms() - (*vigil)->good_ms <= VIGIL_STALE_MS;
}

/* It is over; NULL is none. */
void
vigil_end(Vigil *vigil)
{
	if (vigil == NULL)
		return;
	vigil->ended = true;
	if (!vigil->asking)
		free(vigil);
}

/* A vigil over somebody who has just been let in. */
static Vigil *
vigil_new(Exchange *exchange)
{
	Vigil	   *vigil = must_alloc(sizeof(Vigil));

	*vigil = (Vigil) {
		.good_ms = loop_now_ms(),
		.query = {
			.statement = signin_statement(),
			.params = vigil->params,
			.lane = LANE_AUTH,
			.done = vigil_told,
			.context = vigil,
		},
		.params = {vigil->hash, "false"},
	};
	text_sha256_hex(&exchange->sign_in, 1, vigil->hash);
	return vigil;
}

/* The database told. */
static void
vigil_told(Query *query, QueryOutcome outcome, PGresult *result)
{
	Vigil	   *vigil = query->context;

	vigil->asking = false;
	if (outcome == QUERY_OK && PQgetisnull(result, 0, 0))
		vigil->over = true;
	else if (outcome == QUERY_OK)
		vigil->good_ms = loop_now_ms();
	PQclear(result);
	if (vigil->ended)
		free(vigil);
}
