/*
 * route.h
 *		What a row of THE route table says.  contract/ is where a call is
 *		written down; the build makes the table of it.
 */
#ifndef APPT_ROUTE_H
#define APPT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/scope.h"
#include "http/statement.h"

struct Exchange;

/* Where an argument comes from. */
typedef enum ArgFrom
{
	FROM_PATH,
	FROM_QUERY,
	FROM_BODY,
	WHOLE_BODY,					/* the body as JSON: what is to be changed */
	BODY_MEMBER,				/* of WHOLE_BODY: checked, no parameter */
	FROM_IF_MATCH,
	FROM_CLIENT,
	FROM_IDEMPOTENCY_KEY,
	FROM_REQUEST_HASH,
	FROM_ACCEPT,				/* csv or json */
	FROM_LAST_EVENT_ID,			/* that, or the query's parameter */
} ArgFrom;

/* What form it must have. */
typedef enum ArgKind
{
	KIND_TEXT,
	KIND_ID,					/* text that is not empty */
	KIND_PASSWORD,				/* a new one: its hash becomes the parameter */
	KIND_INT,
	KIND_BOOL,
	KIND_DATE,
	KIND_TIMESTAMP,				/* RFC 3339 with its offset */
	KIND_TEXT_ARRAY,
	KIND_SCALAR,				/* BODY_MEMBER: text, a number or a boolean */
	KIND_JSON,					/* an object or an array, passed on as text */
	KIND_ANY,					/* an object or a text, within the whole body */
} ArgKind;

typedef enum ArgRule
{
	OPTIONAL,
	REQUIRED,
	NOT_NULL,					/* BODY_MEMBER: may be left out, not null */
} ArgRule;

typedef struct Arg
{
	const char *name;			/* of the SQL parameter and on the wire */
	ArgFrom		from;
	ArgKind		kind;
	ArgRule		rule;
	const char *alias;			/* another name on the wire, or NULL */
	const char *fallback;		/* when it is not given; NULL: SQL NULL */
	int			min;			/* of a number, a text's characters, a list's */
	int			max;			/* items; both 0: any (32-bit) */
	const char *const *choices; /* of a text or a list's items, ended by NULL;
								 * NULL: any */
	Scope		scope;			/* needed where it is given and not false */
} Arg;

typedef enum RouteAccess
{
	READ_SHARED,				/* quick: shares a pipelined connection */
	READ_ALONE,					/* may take a while: a connection of its own */
	READ_PRIMARY,				/* means nothing on a standby */
	WRITE,						/* one transaction on its own connection */
} RouteAccess;

/* What is done about who nobody vouches for, where a row is open to all. */
typedef enum StrangerRule
{
	STRANGERS_COUNTED,			/* refused, late, when there are too many */
	STRANGERS_TOLD,				/* answered all the same, late */
	STRANGERS_JUDGED,			/* by the row's function */
} StrangerRule;

typedef struct Route
{
	const char *method;
	const char *path;			/* /api/v1/appointments/{appointment_id} */
	Scope		scope;			/* SCOPE_NONE: open to all */
	int			status;			/* of success */
	RouteAccess access;
	const char *alone_with;		/* the argument with which READ_SHARED is not
								 * quick, or NULL */
	const char *function;		/* in schema appt_api; NULL: "serve" */
	void		(*serve) (struct Exchange *exchange);
	StrangerRule strangers;
	size_t		body_max;		/* of "serve"; 0: a form's */
	const Arg  *args;
	int			arg_count;
	const char *location;		/* of what a 201 made, if not below path */
	bool		wakes;			/* wakes the relay when it has committed */
	bool		scalar;			/* answers the body alone */
	bool		csv;			/* answers text/csv to who asks for it */
	bool		notes;			/* writes down what staff are shown */
	const char *notes_with;		/* but only with this argument, or NULL */
	void		(*stream) (struct Exchange *exchange);	/* answers an event
								 * stream to who asks for it, or NULL */
} Route;

/* What matching a path and method found. */
typedef enum RouteMatch
{
	ROUTE_FOUND,
	ROUTE_NO_PATH,
	ROUTE_NO_METHOD,
} RouteMatch;

#define ROUTE_PARAMS_MAX 20
#define ROUTES_MAX (STATEMENTS_MAX - 16)	/* some statements are no routes */

extern void route_init(const Route *table, int count);
extern const Route *route_at(int index);
extern int	route_index(const Route *route);
extern const Statement *route_statement(const Route *route);
extern RouteMatch route_match(const char *method,
							  const char *const *segments, int count,
							  const Route **route);
extern void route_allow(const Route *route, char *allow, size_t size);
extern const char *route_path_value(const Route *route, const char *name,
									const char *const *segments);
extern void route_print(void);

#endif							/* APPT_ROUTE_H */
