/*
 * query.h
 *		A query that is handed over to the database, and what comes of it.
 *
 *		A query names one of the lanes LANE_SHARED, LANE_LONG, LANE_OWN,
 *		LANE_AUTH and LANE_CONTROL; the pool may find it another.
 */
#ifndef APPT_QUERY_H
#define APPT_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "http/statement.h"

typedef enum QueryOutcome
{
	QUERY_OK,					/* result has the row */
	QUERY_ERROR,				/* result has the error */
	QUERY_BUSY,					/* no connection came free in time */
	QUERY_LOST,					/* the connection broke: outcome unknown */
} QueryOutcome;

typedef enum QueryLane
{
	LANE_SHARED,				/* a read that may share a connection */
	LANE_FRESH,					/* the same where the standby will not do */
	LANE_LONG,					/* a read that may take a while: by some of
								 * LANE_OWN's connections */
	LANE_STANDBY,				/* the same where there is a standby */
	LANE_OWN,					/* has a connection to itself: writes */
	LANE_AUTH,					/* the same, never in a line with bookings */
	LANE_CONTROL,				/* the loop's own: keys, wake-ups */
	LANE_COUNT,
} QueryLane;

struct Query;
typedef void (*QueryDone) (struct Query *query, QueryOutcome outcome,
						   PGresult *result);

typedef struct Query
{
	const Statement *statement;
	const char *const *params;
	QueryLane	lane;
	const char *caller;			/* a client's id, for its turn; NULL: none */
	bool		writes;			/* never sent twice unless rolled back */
	bool		once;			/* never sent twice, whatever it does */
	QueryDone	done;			/* clears the result, frees no query */
	void	   *context;

	/* The pool's. */
	struct Party *party;		/* the caller's */
	struct DbConn *conn;		/* that it runs on, or NULL */
	bool		postponed;		/* has been sent again later, once or more */
	bool		primary;		/* a standby will not do */
	int			attempts;
	int64_t		queued_ms;
	int64_t		asked_ms;		/* of the pool's own: lag.c */
	struct Query *next;
} Query;

#endif							/* APPT_QUERY_H */
