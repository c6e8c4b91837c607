/*
 * lag.c
 *		How far a standby is behind, so that a caller who wrote reads what
 *		he wrote, and one who was told of a change reads it.
 *
 *		While there was such a caller lately, the primary is asked for its WAL
 *		position, and then each connection to a standby whether it has
 *		replayed up to there.  If so, whatever was answered before the first
 *		question can be read there.  Until then those callers read from the
 *		primary.
 *
 *		Who they are is known to all loops of this process, and to no other.
 *		It is kept by a hash of the caller: of two who share a place one may
 *		read from the primary without need.
 */
#include "http/lag.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/hash.h"

#define CALLERS 4096			/* a power of two */

/* A connection to a standby, and the question that it is asked. */
typedef struct Probe
{
	Lag		   *lag;
	DbConn	   *conn;
	Query		query;
	bool		busy;
} Probe;

struct Lag
{
	Probe	   *probes;
	int			count;
	Query		query;			/* to the primary */
	bool		busy;
	int64_t		asked_ms;		/* when the primary was */
	char		position[32];	/* what it answered */
	const char *params[1];
};

static atomic_llong callers_ms[CALLERS];
static atomic_llong last_known_ms;

static const Statement *primary_statement;
static const Statement *standby_statement;

static bool is_behind(const Lag *lag);
static void primary_done(Query *query, QueryOutcome outcome,
						 PGresult *result);
static void standby_done(Query *query, QueryOutcome outcome,
						 PGresult *result);

/* Registers the statements; before any loop. */
void
lag_init(void)
{
	primary_statement = statement_register(
		"SELECT pg_current_wal_insert_lsn()", 0);
	standby_statement = statement_register(
		"SELECT NOT pg_is_in_recovery() "
		"OR pg_last_wal_replay_lsn() >= $1::pg_lsn", 1);
}

/* For these connections, of which those to a standby are looked at. */
Lag *
lag_open(DbConn *conns, int count)
{
	Lag		   *lag = must_alloc(sizeof(Lag));
	int			i;

	*lag = (Lag) {0};
	lag->params[0] = lag->position;
	lag->probes = must_alloc((size_t) count * sizeof(Probe));
	for (i = 0; i < count; i++)
	{
		if (conns[i].lane == LANE_SHARED || conns[i].lane == LANE_STANDBY)
			lag->probes[lag->count++] = (Probe) {
				.lag = lag, .conn = &conns[i]
			};
	}
	return lag;
}

/*
 * What is to be asked of the primary, if somebody has written what a standby
 * may lack; NULL: nothing.
 */
Query *
lag_question(Lag *lag)
{
	if (lag->busy || !is_behind(lag))
		return NULL;
	lag->busy = true;
	lag->asked_ms = clock_ms();
	lag->query = (Query) {
		.statement = primary_statement,
		.lane = LANE_CONTROL,
		.once = true,
		.done = primary_done,
		.context = lag,
	};
	return &lag->query;
}

/* Forgets everything. */
void
lag_close(Lag *lag)
{
	free(lag->probes);
	free(lag);
}

/* The caller has written just now, or was told what others wrote. */
void
lag_knows(const char *caller)
{
	int64_t		now_ms = clock_ms();

	atomic_store(&callers_ms[hash_text(caller) & (CALLERS - 1)], now_ms);
	atomic_store(&last_known_ms, now_ms);
}

/* When the caller last did; 0: not that we know. */
int64_t
lag_known_ms(const char *caller)
{
	return atomic_load(&callers_ms[hash_text(caller) & (CALLERS - 1)]);
}

/* Whether a connection's standby may lack what a caller knows. */
static bool
is_behind(const Lag *lag)
{
	int64_t		known_ms = atomic_load(&last_known_ms);
	int			i;

	for (i = 0; i < lag->count; i++)
	{
		if (lag->probes[i].conn->state == DB_READY &&
			lag->probes[i].conn->caught_up_ms <= known_ms && known_ms > 0)
			return true;
	}
	return false;
}

/* The primary's position came: each standby is held against it. */
static void
primary_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Lag		   *lag = query->context;
	int			i;

	lag->busy = false;
	if (outcome == QUERY_OK && PQntuples(result) == 1)
		snprintf(lag->position, sizeof(lag->position), "%s",
				 PQgetvalue(result, 0, 0));
	for (i = 0; i < lag->count && outcome == QUERY_OK; i++)
	{
		Probe	   *probe = &lag->probes[i];

		if (probe->busy || !db_has_room(probe->conn))
			continue;
		probe->busy = true;
		probe->query = (Query) {
			.statement = standby_statement,
			.params = lag->params,
			.lane = probe->conn->lane,
			.once = true,
			.asked_ms = lag->asked_ms,
			.done = standby_done,
			.context = probe,
		};
		db_send(probe->conn, &probe->query);
	}
	PQclear(result);
}

/* The standby has what the primary had when it was asked, or not. */
static void
standby_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Probe	   *probe = query->context;

	probe->busy = false;
	if (outcome == QUERY_OK && PQntuples(result) == 1 &&
		strcmp(PQgetvalue(result, 0, 0), "t") == 0)
		probe->conn->caught_up_ms = query->asked_ms;
	PQclear(result);
}
