/*
 * link.h
 *		A connection to the database that lives on the event loop: one
 *		statement at a time, opened again for ever.
 */
#ifndef APPT_RELAY_LINK_H
#define APPT_RELAY_LINK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/connect.h"
#include "common/loop.h"

typedef enum LinkState
{
	LINK_DOWN,
	LINK_CONNECTING,
	LINK_IDLE,
	LINK_BUSY,
} LinkState;

typedef struct Link Link;

/* What its user is told.  The result belongs to the callee. */
typedef struct LinkUser
{
	const char *name;			/* for the log */
	void		(*up) (Link *link);
	void		(*result) (Link *link, PGresult *result);
	void		(*down) (Link *link);	/* a statement's fate is unknown */
	void		(*notified) (Link *link);
} LinkUser;

struct Link
{
	Watch		watch;			/* first: a Watch is cast back to its Link */
	const LinkUser *user;
	PgServer   *server;
	PgAttempt  *attempt;		/* while it connects */
	PGconn	   *conn;
	LinkState	state;
	PGresult   *result;			/* of the statement under way, so far */
	int64_t		retry_ms;		/* when to connect again at the earliest */
	int64_t		deadline_ms;	/* of the statement under way */
};

/* A statement with its parameters, text all. */
typedef struct LinkStatement
{
	const char *sql;
	int			count;
	const char *const *values;
	int			timeout_ms;
} LinkStatement;

extern void link_open(Link *link, const LinkUser *user, const char *dsn);
extern void link_pump(Link *link);
extern void link_send(Link *link, const LinkStatement *statement);
extern int64_t link_due_ms(const Link *link);

#endif							/* APPT_RELAY_LINK_H */
