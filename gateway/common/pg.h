/*
 * pg.h
 *		What both programs need of libpq: how a connection is opened.
 */
#ifndef APPT_PG_H
#define APPT_PG_H

#include <stdbool.h>

#include <libpq-fe.h>

/*
 * The session holds a table's row type as it was, and only a new one has it as
 * it is: PostgreSQL 18 keeps the plans of functions in SQL, and a column's type
 * was changed since.
 */
#define PG_OUTDATED_SESSION	"42804" /* datatype_mismatch */

/* Everything that tells one kind of connection from another. */
typedef struct PgOptions
{
	const char *dsn;			/* libpq conninfo or URI, the deployer's */
	const char *application_name;
	int			first_host;		/* of several: where to begin, counted round */
} PgOptions;

extern bool pg_dsn_is_good(const char *name, const char *dsn)
			__attribute__((warn_unused_result));
extern PGconn *pg_connect(const PgOptions *options)
			__attribute__((warn_unused_result));
extern PGconn *pg_connect_start(const PgOptions *options)
			__attribute__((warn_unused_result));
extern const char *pg_sqlstate(const PGresult *result);

#endif							/* APPT_PG_H */
