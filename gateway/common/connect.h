/*
 * connect.h
 *		Connections to PostgreSQL for an event loop: opened in a thread, handed
 *		over when they are there.
 */
#ifndef APPT_CONNECT_H
#define APPT_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pg.h"

/* A database as a DSN names it, with what its connections have learned. */
typedef struct PgServer
{
	const char *dsn;
	int			first_host;		/* of several: where an attempt begins */
	int			under_way;		/* attempts */
	bool		answers;		/* as far as the last attempt can tell */
	int			failures;		/* in a row */
	int64_t		retry_ms;		/* clock_ms() when another attempt may start */
} PgServer;

typedef struct PgAttempt PgAttempt;

extern bool pg_may_connect(const PgServer *server);
extern int64_t pg_connect_due_ms(const PgServer *server);
extern void pg_connect_later(PgServer *server);
extern PgAttempt *pg_attempt_start(PgServer *server,
								   const char *application_name);
extern int	pg_attempt_fd(const PgAttempt *attempt);
extern PGconn *pg_attempt_end(PgAttempt *attempt, const char **why)
			__attribute__((warn_unused_result));
extern void pg_attempt_abandon(PgAttempt *attempt);

#endif							/* APPT_CONNECT_H */
