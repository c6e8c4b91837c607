/*
 * routes.c
 *		THE route table: every call of the REST interface is one row, here or
 *		(patients and configuration) in routes_admin.c.
 *
 *		A row with a function becomes
 *		SELECT * FROM appt_api.<function>(<argument> => $1, ...): the argument
 *		list is written once; a scalar one's is SELECT appt_api.<function>(...)
 *		AS body.  Rows of the same path stand together, and a fixed path
 *		before one with a parameter in its place.
 */
#include "http/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "http/docs.h"
#include "http/routerow.h"
#include "http/serve.h"

/* --- appointments ------------------------------------------------------ */

static const Arg slots_args[] = {
	QUERY("doctor_id", KIND_ID, REQUIRED),
	QUERY("date", KIND_DATE, REQUIRED),
	QUERY("branch_id", KIND_ID, OPTIONAL),
	QUERY("duration", KIND_INT, OPTIONAL),
	QUERY("date_to", KIND_DATE, OPTIONAL),
	QUERY("visit_type", KIND_ID, OPTIONAL),
	CLIENT,
};

static const Arg list_appointments_args[] = {
	QUERY("doctor_id", KIND_ID, OPTIONAL),
	QUERY("patient_id", KIND_ID, OPTIONAL),
	QUERY("branch_id", KIND_ID, OPTIONAL),
	QUERY("status", KIND_ID, OPTIONAL),
	QUERY("date_from", KIND_DATE, OPTIONAL),
	QUERY("date_to", KIND_DATE, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg book_args[] = {
	BODY("patient_id", KIND_ID, REQUIRED),
	BODY("doctor_id", KIND_ID, REQUIRED),
	BODY("branch_id", KIND_ID, OPTIONAL),
	BODY("slot_start", KIND_TIMESTAMP, REQUIRED),
	BODY("slot_end", KIND_TIMESTAMP, OPTIONAL),
	BODY("visit_type", KIND_ID, OPTIONAL),
	BODY("notes", KIND_TEXT, OPTIONAL),
	BODY("source", KIND_ID, OPTIONAL),
	BODY("hold_id", KIND_ID, OPTIONAL),
	BODY_SCOPE("override", KIND_BOOL, SCOPE_APPOINTMENTS_OVERRIDE),
	CONTEXT,
};

static const Arg walk_in_args[] = {
	BODY("patient_id", KIND_ID, REQUIRED),
	BODY("doctor_id", KIND_ID, REQUIRED),
	BODY("branch_id", KIND_ID, OPTIONAL),
	BODY("visit_type", KIND_ID, OPTIONAL),
	BODY("notes", KIND_TEXT, OPTIONAL),
	CONTEXT,
};

static const Arg hold_args[] = {
	BODY("doctor_id", KIND_ID, REQUIRED),
	BODY("slot_start", KIND_TIMESTAMP, REQUIRED),
	BODY("slot_end", KIND_TIMESTAMP, OPTIONAL),
	BODY("branch_id", KIND_ID, OPTIONAL),
	BODY("visit_type", KIND_ID, OPTIONAL),
	CONTEXT,
};

static const Arg release_hold_args[] = {
	PATH("hold_id"),
	CLIENT,
};

static const Arg appointment_args[] = {
	PATH("appointment_id"),
	CLIENT,
};

static const Arg reschedule_args[] = {
	PATH("appointment_id"),
	BODY_ALIAS("new_slot_start", "slot_start", KIND_TIMESTAMP, REQUIRED),
	BODY_ALIAS("new_slot_end", "slot_end", KIND_TIMESTAMP, OPTIONAL),
	BODY("reason", KIND_TEXT, OPTIONAL),
	BODY("doctor_id", KIND_ID, OPTIONAL),
	BODY("branch_id", KIND_ID, OPTIONAL),
	IF_MATCH,
	CONTEXT,
};

static const Arg cancel_args[] = {
	PATH("appointment_id"),
	QUERY("reason", KIND_TEXT, REQUIRED),
	IF_MATCH,
	CLIENT,
};

static const Arg transition_args[] = {
	PATH("appointment_id"),
	IF_MATCH,
	CONTEXT,
};

static const Arg queue_args[] = {
	QUERY("doctor_id", KIND_ID, REQUIRED),
	QUERY("date", KIND_DATE, OPTIONAL),
	CLIENT,
};

/* --- webhooks ---------------------------------------------------------- */

static const Arg list_args[] = {
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg client_only_args[] = {
	CLIENT,
};

static const Arg create_webhook_args[] = {
	BODY("url", KIND_ID, REQUIRED),
	BODY("events", KIND_TEXT_ARRAY, OPTIONAL),
	BODY("description", KIND_TEXT, OPTIONAL),
	BODY("branch_ids", KIND_TEXT_ARRAY, OPTIONAL),
	BODY("secret", KIND_TEXT, OPTIONAL),
	BODY("signed", KIND_BOOL, OPTIONAL),
	CONTEXT,
};

static const Arg webhook_args[] = {
	PATH("webhook_id"),
	CLIENT,
};

static const Arg update_webhook_args[] = {
	PATH("webhook_id"),
	BODY("url", KIND_ID, OPTIONAL),
	BODY("events", KIND_TEXT_ARRAY, OPTIONAL),
	BODY("description", KIND_TEXT, OPTIONAL),
	BODY("branch_ids", KIND_TEXT_ARRAY, OPTIONAL),
	BODY("status", KIND_ID, OPTIONAL),
	IF_MATCH,
	CONTEXT,
};

static const Arg webhook_action_args[] = {
	PATH("webhook_id"),
	CONTEXT,
};

static const Arg rotate_webhook_args[] = {
	PATH("webhook_id"),
	BODY("secret", KIND_TEXT, OPTIONAL),
	CONTEXT,
};

static const Arg list_deliveries_args[] = {
	PATH("webhook_id"),
	QUERY("state", KIND_ID, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg redeliver_args[] = {
	PATH("webhook_id"),
	PATH("delivery_id"),
	CONTEXT,
};

static const Arg replay_args[] = {
	PATH("webhook_id"),
	QUERY("since", KIND_TIMESTAMP, REQUIRED),
	CONTEXT,
};

/* --- API clients ------------------------------------------------------- */

static const Arg create_client_args[] = {
	BODY("name", KIND_ID, REQUIRED),
	BODY("description", KIND_TEXT, OPTIONAL),
	BODY("scopes", KIND_TEXT_ARRAY, REQUIRED),
	BODY("branch_ids", KIND_TEXT_ARRAY, OPTIONAL),
	BODY("requests_per_minute", KIND_INT, OPTIONAL),
	CONTEXT,
};

static const Arg get_client_args[] = {
	PATH("client_id"),
	CLIENT,
};

static const Arg update_client_args[] = {
	PATH("client_id"),
	CHANGES,
	MEMBER("name", KIND_ID, NOT_NULL),
	MEMBER("description", KIND_TEXT, OPTIONAL),
	MEMBER("scopes", KIND_TEXT_ARRAY, NOT_NULL),
	MEMBER("branch_ids", KIND_TEXT_ARRAY, OPTIONAL),
	MEMBER("active", KIND_BOOL, NOT_NULL),
	MEMBER("requests_per_minute", KIND_INT, OPTIONAL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_client_args[] = {
	PATH("client_id"),
	IF_MATCH,
	CLIENT,
};

static const Arg client_action_args[] = {
	PATH("client_id"),
	CONTEXT,
};

#define READ_A SCOPE_APPOINTMENTS_READ
#define WRITE_A SCOPE_APPOINTMENTS_WRITE
#define HOOKS SCOPE_WEBHOOKS_MANAGE
#define CLIENTS SCOPE_CLIENTS_MANAGE
#define APPOINTMENT "/appointments/{appointment_id}"
#define WEBHOOK "/webhooks/{webhook_id}"
#define API_CLIENT "/clients/{client_id}"

static const Route own_rows[] = {
	{.method = "GET", .path = V1 "/appointments/slots", .scope = READ_A,
		.status = 200, .access = READ_SHARED, .function = "slots",
		ARGS(slots_args), .scalar = true},
	{.method = "POST", .path = V1 "/appointments/walk-in", .scope = WRITE_A,
		.status = 201, .access = WRITE, .function = "walk_in",
		ARGS(walk_in_args), .location = V1 "/appointments", .wakes = true},
	CHANGE("POST", "/appointments/holds", WRITE_A, 201, "hold", hold_args),
	CHANGE("DELETE", "/appointments/holds/{hold_id}", WRITE_A, 204,
		   "release_hold", release_hold_args),
	CALL("GET", "/appointments", READ_A, 200, READ_ALONE,
		 "list_appointments", list_appointments_args),
	CHANGE("POST", "/appointments", WRITE_A, 201, "book", book_args),
	CALL("GET", APPOINTMENT, READ_A, 200, READ_SHARED, "get_appointment",
		 appointment_args),
	CHANGE("DELETE", APPOINTMENT, WRITE_A, 200, "cancel", cancel_args),
	CALL("GET", APPOINTMENT "/history", READ_A, 200, READ_ALONE,
		 "appointment_history", appointment_args),
	CHANGE("PATCH", APPOINTMENT "/reschedule", WRITE_A, 200, "reschedule",
		   reschedule_args),
	CHANGE("POST", APPOINTMENT "/check-in", WRITE_A, 200, "check_in",
		   transition_args),
	CHANGE("POST", APPOINTMENT "/undo-check-in", WRITE_A, 200,
		   "undo_check_in", transition_args),
	CHANGE("POST", APPOINTMENT "/start", WRITE_A, 200, "start",
		   transition_args),
	CHANGE("POST", APPOINTMENT "/complete", WRITE_A, 200, "complete",
		   transition_args),
	CHANGE("POST", APPOINTMENT "/no-show", WRITE_A, 200, "no_show",
		   transition_args),
	CALL("GET", "/queue", READ_A, 200, READ_SHARED, "queue", queue_args),

	CALL("GET", "/webhooks", HOOKS, 200, READ_ALONE, "list_webhooks",
		 client_only_args),
	CHANGE("POST", "/webhooks", HOOKS, 201, "create_webhook",
		   create_webhook_args),
	CALL("GET", WEBHOOK, HOOKS, 200, READ_ALONE, "get_webhook",
		 webhook_args),
	CHANGE("PATCH", WEBHOOK, HOOKS, 200, "update_webhook",
		   update_webhook_args),
	CHANGE("DELETE", WEBHOOK, HOOKS, 204, "delete_webhook", webhook_args),
	CHANGE("POST", WEBHOOK "/ping", HOOKS, 202, "ping_webhook",
		   webhook_action_args),
	CHANGE("POST", WEBHOOK "/rotate-secret", HOOKS, 200,
		   "rotate_webhook_secret", rotate_webhook_args),
	CHANGE("POST", WEBHOOK "/enable", HOOKS, 200, "enable_webhook",
		   webhook_action_args),
	CHANGE("POST", WEBHOOK "/replay", HOOKS, 202, "replay", replay_args),
	CALL("GET", WEBHOOK "/deliveries", HOOKS, 200, READ_ALONE,
		 "list_deliveries", list_deliveries_args),
	CHANGE("POST", WEBHOOK "/deliveries/{delivery_id}/redeliver", HOOKS, 202,
		   "redeliver", redeliver_args),

	CALL("GET", "/clients", CLIENTS, 200, READ_ALONE, "list_clients",
		 list_args),
	CALL("POST", "/clients", CLIENTS, 201, WRITE, "create_client",
		 create_client_args),
	CALL("GET", API_CLIENT, CLIENTS, 200, READ_ALONE, "get_client",
		 get_client_args),
	CALL("PATCH", API_CLIENT, CLIENTS, 200, WRITE, "update_client",
		 update_client_args),
	CALL("DELETE", API_CLIENT, CLIENTS, 204, WRITE, "delete_client",
		 delete_client_args),
	CALL("POST", API_CLIENT "/rotate-secret", CLIENTS, 200, WRITE,
		 "rotate_client_secret", client_action_args),

	SERVE("POST", V1 "/auth/token", SCOPE_NONE, serve_token),
	SERVE("POST", V1 "/auth/revoke", SCOPE_NONE, serve_revoke),
	SERVE("GET", V1 "/openapi.json", SCOPE_NONE, serve_openapi),
	SERVE("GET", "/.well-known/jwks.json", SCOPE_NONE, serve_jwks),
	SERVE("GET", "/healthz", SCOPE_NONE, serve_healthz),
	SERVE("GET", "/readyz", SCOPE_NONE, serve_readyz),
	SERVE("GET", "/metrics", SCOPE_NONE, serve_metrics),
	SERVE("GET", "/docs", SCOPE_NONE, serve_docs),
	SERVE("GET", "/docs/docs.js", SCOPE_NONE, serve_docs_script),
	SERVE("GET", "/docs/docs.css", SCOPE_NONE, serve_docs_style),
};

static const RouteRows own_routes = {
	own_rows, sizeof(own_rows) / sizeof(own_rows[0])
};

#define ROUTES_MAX (STATEMENTS_MAX - 16)	/* some statements are no routes */

/* All files' rows, one after the other. */
static Route routes[ROUTES_MAX];
static int	route_total;

/* A route's path, taken apart once. */
typedef struct RoutePath
{
	const char *segments[10];
	bool		is_param[10];
	int			count;
} RoutePath;

static RoutePath paths[ROUTES_MAX];
static const Statement *route_statements[ROUTES_MAX];

static const char *const scope_names[SCOPE_COUNT] = {
	[SCOPE_NONE] = "",
	[SCOPE_APPOINTMENTS_READ] = "appointments:read",
	[SCOPE_APPOINTMENTS_WRITE] = "appointments:write",
	[SCOPE_APPOINTMENTS_OVERRIDE] = "appointments:override",
	[SCOPE_PATIENTS_READ] = "patients:read",
	[SCOPE_PATIENTS_WRITE] = "patients:write",
	[SCOPE_SCHEDULE_READ] = "schedule:read",
	[SCOPE_SCHEDULE_MANAGE] = "schedule:manage",
	[SCOPE_WEBHOOKS_MANAGE] = "webhooks:manage",
	[SCOPE_CLIENTS_MANAGE] = "clients:manage",
};

static void routes_add(const RouteRows *rows);
static void route_split(const Route *route, RoutePath *path);
static const Statement *route_prepare(const Route *route);
static bool path_fits(const RoutePath *path, const char *const *segments,
					  int count);

/* Joins the table and registers its statements; before any loop. */
void
routes_init(void)
{
	int			i;

	routes_add(&own_routes);
	routes_add(&admin_routes);
	for (i = 0; i < route_total; i++)
	{
		route_split(&routes[i], &paths[i]);
		if (routes[i].function != NULL)
			route_statements[i] = route_prepare(&routes[i]);
	}
}

/* How many rows there are. */
int
routes_count(void)
{
	return route_total;
}

/* A row. */
const Route *
routes_get(int index)
{
	return &routes[index];
}

/* The row's place. */
int
route_index(const Route *route)
{
	return (int) (route - routes);
}

/* The row's statement; NULL where the gateway answers itself. */
const Statement *
route_statement(const Route *route)
{
	return route_statements[route_index(route)];
}

/*
 * The row of a method and path.  ROUTE_NO_METHOD: route is one of that path,
 * for route_allow.  HEAD is served as GET.
 */
RouteMatch
route_match(const char *method, const char *const *segments, int count,
			const Route **route)
{
	int			i;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (i = 0; i < route_total; i++)
	{
		const char *path = routes[i].path;

		if (!path_fits(&paths[i], segments, count))
			continue;
		*route = &routes[i];
		for (; i < route_total && strcmp(routes[i].path, path) == 0; i++)
		{
			if (strcmp(routes[i].method, method) == 0)
			{
				*route = &routes[i];
				return ROUTE_FOUND;
			}
		}
		return ROUTE_NO_METHOD;
	}
	return ROUTE_NO_PATH;
}

/* The methods of the row's path, for the header Allow. */
void
route_allow(const Route *route, char *allow, size_t size)
{
	size_t		len = 0;
	int			i;

	for (i = 0; i < route_total; i++)
	{
		if (strcmp(routes[i].path, route->path) != 0)
			continue;
		len += (size_t) snprintf(allow + len, size - len, "%s%s%s",
								 len > 0 ? ", " : "", routes[i].method,
								 strcmp(routes[i].method, "GET") == 0
								 ? ", HEAD" : "");
		if (len >= size)
			return;
	}
	snprintf(allow + len, size - len, ", OPTIONS");
}

/* What stands in the path in the place of that parameter. */
const char *
route_path_value(const Route *route, const char *name,
				 const char *const *segments)
{
	const RoutePath *path = &paths[route_index(route)];
	int			i;

	for (i = 0; i < path->count; i++)
	{
		if (path->is_param[i] && strcmp(path->segments[i], name) == 0)
			return segments[i];
	}
	abort();
}

/*
 * Prints the table, a tab between columns: what a test holds against the
 * OpenAPI document.  A star marks what is required.
 */
void
routes_print(void)
{
	static const char *const origins[] = {
		[FROM_PATH] = "path",
		[FROM_QUERY] = "query",
		[FROM_BODY] = "body",
		[IN_BODY_WHOLE] = "body",
		[FROM_IF_MATCH] = "if_match",
		[FROM_IDEMPOTENCY_KEY] = "key",
		[FROM_REQUEST_HASH] = NULL,
	};
	int			i;
	int			a;

	for (i = 0; i < route_total; i++)
	{
		printf("%s\t%s\t%d\t%s\t", routes[i].method, routes[i].path,
			   routes[i].status, scope_names[routes[i].scope]);
		for (a = 0; a < routes[i].arg_count; a++)
		{
			const Arg  *arg = &routes[i].args[a];

			if (origins[arg->from] != NULL)
				printf("%s:%s%s%s%s ", origins[arg->from], arg->name,
					   arg->alias != NULL ? "|" : "",
					   arg->alias != NULL ? arg->alias : "",
					   arg->rule == REQUIRED ? "*" : "");
		}
		printf("\t%s\n",
			   route_statements[i] != NULL ? route_statements[i]->sql : "");
	}
}

/* The scope's name. */
const char *
scope_name(Scope scope)
{
	return scope_names[scope];
}

/* The scope of that name; SCOPE_NONE when there is none. */
Scope
scope_from_name(const char *name, size_t len)
{
	int			i;

	for (i = 1; i < SCOPE_COUNT; i++)
	{
		if (strlen(scope_names[i]) == len &&
			strncmp(scope_names[i], name, len) == 0)
			return (Scope) i;
	}
	return SCOPE_NONE;
}

/* Adds a file's rows to the table. */
static void
routes_add(const RouteRows *rows)
{
	if (rows->count > ROUTES_MAX - route_total)
		abort();
	memcpy(routes + route_total, rows->rows,
		   (size_t) rows->count * sizeof(Route));
	route_total += rows->count;
}

/* Takes a route's path apart. */
static void
route_split(const Route *route, RoutePath *path)
{
	char	   *copy = must_strdup(route->path);
	char	   *rest = copy;
	char	   *segment;

	strsep(&rest, "/");
	while ((segment = strsep(&rest, "/")) != NULL)
	{
		size_t		len = strlen(segment);

		path->is_param[path->count] = segment[0] == '{';
		if (segment[0] == '{')
		{
			segment[len - 1] = '\0';
			segment++;
		}
		path->segments[path->count++] = segment;
	}
}

/*
 * Registers the call of the row's function, its arguments named.  What answers
 * the body alone is spared a scan of its one row: a tenth of a slot list.
 */
static const Statement *
route_prepare(const Route *route)
{
	Buf			sql = {0};
	int			count = 0;
	int			i;

	buf_printf(&sql, "SELECT %sappt_api.%s(",
			   route->scalar ? "" : "* FROM ", route->function);
	for (i = 0; i < route->arg_count; i++)
	{
		if (route->args[i].from == IN_BODY_WHOLE)
			continue;
		count++;
		buf_printf(&sql, "%s%s => $%d", count > 1 ? ", " : "",
				   route->args[i].name, count);
	}
	buf_printf(&sql, ")%s", route->scalar ? " AS body" : "");
	return statement_register(sql.data, count);
}

/* Whether the segments fit the route's path. */
static bool
path_fits(const RoutePath *path, const char *const *segments, int count)
{
	int			i;

	if (path->count != count)
		return false;
	for (i = count - 1; i >= 0; i--)
	{
		if (!path->is_param[i] && strcmp(path->segments[i], segments[i]) != 0)
			return false;
	}
	return true;
}
