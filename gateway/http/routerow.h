/*
 * routerow.h
 *		How a row of THE route table is written down.
 *
 *		MEMBER checks a member of a body that goes to the database as a whole,
 *		as CHANGES (what is not there stays) or FIELDS (of a new thing).
 */
#ifndef APPT_ROUTEROW_H
#define APPT_ROUTEROW_H

#include "http/routes.h"

#define V1 "/api/v1"

/* Argument rows. */
#define PATH(name) {name, FROM_PATH, KIND_ID, REQUIRED, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define QUERY(name, kind, rule) {name, FROM_QUERY, kind, rule, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define BODY(name, kind, rule) {name, FROM_BODY, kind, rule, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define BODY_ALIAS(name, alias, kind, rule) {name, FROM_BODY, kind, rule, \
	alias, NULL, 0, 0, SCOPE_NONE}
#define BODY_SCOPE(name, kind, scope) {name, FROM_BODY, kind, OPTIONAL, \
	NULL, NULL, 0, 0, scope}
#define MEMBER(name, kind, rule) {name, IN_BODY_WHOLE, kind, rule, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define CHANGES {"changes", FROM_BODY_WHOLE, KIND_JSON, REQUIRED, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define FIELDS {"fields", FROM_BODY_WHOLE, KIND_JSON, REQUIRED, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define PAGE {"page", FROM_QUERY, KIND_INT, OPTIONAL, \
	NULL, "1", 1, 1000000, SCOPE_NONE}
#define PER_PAGE {"per_page", FROM_QUERY, KIND_INT, OPTIONAL, \
	NULL, "20", 1, 100, SCOPE_NONE}
#define IF_MATCH {"expected_version", FROM_IF_MATCH, KIND_INT, OPTIONAL, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define CLIENT {"client", FROM_CLIENT, KIND_TEXT, REQUIRED, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define KEY {"idempotency_key", FROM_IDEMPOTENCY_KEY, KIND_TEXT, OPTIONAL, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define HASH {"request_hash", FROM_REQUEST_HASH, KIND_TEXT, OPTIONAL, \
	NULL, NULL, 0, 0, SCOPE_NONE}
#define CONTEXT CLIENT, KEY, HASH

/* Route rows. */
#define ARGS(list) .args = (list), .arg_count = sizeof(list) / sizeof(Arg)
#define CALL(m, p, s, st, a, f, list) \
	{.method = (m), .path = V1 p, .scope = (s), .status = (st), \
	 .access = (a), .function = (f), ARGS(list)}
#define CHANGE(m, p, s, st, f, list) \
	{.method = (m), .path = V1 p, .scope = (s), .status = (st), \
	 .access = WRITE, .function = (f), ARGS(list), .wakes = true}
#define SERVE(m, p, s, handler) \
	{.method = (m), .path = (p), .scope = (s), .status = 200, \
	 .serve = (handler)}

/* The rows of one file. */
typedef struct RouteRows
{
	const Route *rows;
	int			count;
} RouteRows;

extern const RouteRows admin_routes;

#endif							/* APPT_ROUTEROW_H */
