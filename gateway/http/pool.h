/*
 * pool.h
 *		The database as a loop sees it: hand a query over, be called back.
 *
 *		Quick reads share pipelined connections; every other query has a
 *		connection to itself until it is done.  All of it happens in the
 *		thread of the loop that owns the pool.
 */
#ifndef APPT_POOL_H
#define APPT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

struct Loop;

#define STATEMENTS_MAX 128

/* A statement that is prepared on a connection when first used there. */
typedef struct Statement
{
	int			index;
	char		name[8];
	const char *sql;
	int			param_count;
} Statement;

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
	LANE_OWN,					/* has a connection to itself */
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
	bool		writes;			/* never sent twice unless rolled back */
	QueryDone	done;			/* owns no memory of it; result is freed by the
								 * pool unless query->result is taken */
	void	   *context;
	bool		postponed;		/* has been sent again later, once or more */
	int			attempts;
	int64_t		queued_ms;
	struct Query *next;
} Query;

typedef struct Pool Pool;

extern const Statement *statement_register(const char *sql, int param_count);
extern const Statement *statement_get(int index);
extern int	statement_total(void);

extern Pool *pool_open(struct Loop *loop);
extern void pool_submit(Pool *pool, Query *query);
extern void pool_flush(Pool *pool);
extern void pool_tick(Pool *pool, int64_t now_ms);
extern const char *pool_not_ready(const Pool *pool);
extern const char *pool_missing_call(const Pool *pool);
extern void pool_close(Pool *pool);

#endif							/* APPT_POOL_H */
