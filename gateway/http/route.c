/*
 * route.c
 *		The row of THE route table that a request is for, and its statement.
 *
 *		The table is routes.gen.c, which contract/generate writes.
 *
 *		A row with a function becomes
 *		SELECT * FROM appt_api.<function>(<argument> => $1, ...): the argument
 *		list is written once; a scalar one's is SELECT appt_api.<function>(...)
 *		AS body.  Rows of the same path stand together, and a fixed path
 *		before one with a parameter in its place.
 */
#include "http/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/* A route's path, taken apart once. */
typedef struct RoutePath
{
	const char *segments[10];
	bool		is_param[10];
	int			count;
} RoutePath;

static const Route *routes;
static int	route_count;
static RoutePath paths[ROUTES_MAX];
static const Statement *route_statements[ROUTES_MAX];

static void route_split(const Route *route, RoutePath *path);
static const Statement *route_prepare(const Route *route);
static bool path_fits(const RoutePath *path, const char *const *segments,
					  int count);

/* Takes the paths apart and registers the statements; before any loop. */
void
route_init(const Route *table, int count)
{
	int			i;

	routes = table;
	route_count = count;
	if (route_count > ROUTES_MAX)
		abort();
	for (i = 0; i < route_count; i++)
	{
		route_split(&routes[i], &paths[i]);
		if (routes[i].function != NULL)
			route_statements[i] = route_prepare(&routes[i]);
	}
}

/* The row of that place; NULL: there is none. */
const Route *
route_at(int index)
{
	return index < route_count ? &routes[index] : NULL;
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
	for (i = 0; i < route_count; i++)
	{
		const char *path = routes[i].path;

		if (!path_fits(&paths[i], segments, count))
			continue;
		*route = &routes[i];
		for (; i < route_count && strcmp(routes[i].path, path) == 0; i++)
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

	for (i = 0; i < route_count; i++)
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

/*
 * What stands in the path in the place of that parameter, which the row must
 * have: else the process ends.
 */
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
route_print(void)
{
	static const char *const origins[] = {
		[FROM_PATH] = "path",
		[FROM_QUERY] = "query",
		[FROM_BODY] = "body",
		[BODY_MEMBER] = "body",
		[FROM_IF_MATCH] = "if_match",
		[FROM_IDEMPOTENCY_KEY] = "key",
		[FROM_REQUEST_HASH] = NULL,
		[FROM_ACCEPT] = NULL,
		[FROM_LAST_EVENT_ID] = "query",
	};
	int			i;
	int			a;

	for (i = 0; i < route_count; i++)
	{
		printf("%s\t%s\t%d\t%s\t", routes[i].method, routes[i].path,
			   routes[i].status, scope_name(routes[i].scope));
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
 * Registers the call of the row's function, its arguments named.  A scalar
 * function is called in the SELECT list and not in FROM: that saves a function
 * scan, a tenth of what a slot list costs.
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
		if (route->args[i].from == BODY_MEMBER)
			continue;
		count++;
		buf_printf(&sql, "%s\"%s\" => $%d", count > 1 ? ", " : "",
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
