/*
 * reply.c
 *		From the database's answer to HTTP's: body, ETag, Location, Link, or
 *		the problem that its error stands for.
 */
#include "http/reply.h"

#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "common/pg.h"
#include "http/metrics.h"
#include "http/text.h"

#define REPLY_COUNT_LIMIT 10001

static const char *column(const PGresult *result, const char *name);
static void reply_page(Answer *answer, const Call *call, const Head *head,
					   const char *total);
static void link_text(Buf *link, const char *text, size_t len);
static void link_add(const Head *head, Buf *link, int page, const char *rel);
static const char *error_field(const Call *call,
							   const PGresult *result);
static const char *wire_name(const Call *call, const char *column);
static const char *guarded_field(const Route *route, const char *rest);
static const char *error_text(const Call *call, const PGresult *result,
							  const ErrorClass *class);
static const char *unfit_value(Call *call, const char *field,
							   const PGresult *result);
static const char *error_sentences(const Call *call, const PGresult *result);
static void log_error(const Answer *answer, const Call *call,
					  const PGresult *result);

/* Answers with the function's row; the result is taken over. */
void
reply_from_result(Answer *answer, const Call *call, const Head *head,
				  PGresult *result)
{
	const Route *route = call->route;
	const char *version = column(result, "version");
	const char *id = column(result, "id");
	const char *total = column(result, "total");
	const char *replayed = column(result, "replayed");
	const char *collection = route->location != NULL
		? route->location : head->target;
	int			body = PQfnumber(result, "body");

	answer->result = result;
	if (body < 0)
		body = 0;
	if (PQntuples(result) == 0 || PQgetisnull(result, 0, body))
		answer_body(answer, 204, NULL, "", 0);
	else
		answer_body(answer, route->status, call->csv
					? "text/csv; charset=utf-8; header=present"
					: "application/json",
					PQgetvalue(result, 0, body),
					(size_t) PQgetlength(result, 0, body));
	if (call->csv)
		answer_header(answer, "Content-Disposition",
					  arena_printf(call->arena,
								   "attachment; filename=\"%s.csv\"",
								   head->segments[head->segment_count - 1]));
	if (version != NULL)
		answer_header(answer, "ETag",
					  arena_printf(call->arena, "\"%s\"", version));
	if (id != NULL && route->status == 201)
		answer_header(answer, "Location",
					  arena_printf(call->arena, "%.*s/%s",
								   (int) strcspn(collection, "?"),
								   collection, id));
	if (replayed != NULL && strcmp(replayed, "t") == 0)
		answer_header(answer, "Idempotency-Replayed", "true");
	if (total != NULL)
		reply_page(answer, call, head, total);
}

/* The first row's value in that column; NULL without. */
static const char *
column(const PGresult *result, const char *name)
{
	int			number = PQfnumber(result, name);

	if (number < 0 || PQntuples(result) == 0 ||
		PQgetisnull(result, 0, number))
		return NULL;
	return PQgetvalue(result, 0, number);
}

/*
 * How many there are, and where the other pages are (RFC 8288).  A long list is
 * counted to some number or to one beyond the page (appt_internal.count_limit):
 * then there is no telling which page is the last.
 */
static void
reply_page(Answer *answer, const Call *call, const Head *head,
		   const char *total)
{
	Buf			link = {0};
	int64_t		beyond = (int64_t) call->page * call->per_page + 1;
	int64_t		count;
	int			last;

	if (call->per_page == 0 || !text_int(total, 0, INT32_MAX, &count))
		return;
	if (beyond < REPLY_COUNT_LIMIT)
		beyond = REPLY_COUNT_LIMIT;
	last = (int) ((count + call->per_page - 1) / call->per_page);
	if (last < 1)
		last = 1;
	link_add(head, &link, 1, "first");
	if (call->page > 1)
		link_add(head, &link,
				 call->page - 1 < last ? call->page - 1 : last, "prev");
	if (call->page < last)
		link_add(head, &link, call->page + 1, "next");
	if (count < beyond)
		link_add(head, &link, last, "last");
	answer_header(answer, "X-Total-Count", total);
	if (link.len < head_room(head))
		answer_header(answer, "Link",
					  arena_strdup(call->arena, link.data));
	buf_free(&link);
}

/* Adds a link to a page: the request's own target with another number. */
static void
link_add(const Head *head, Buf *link, int page, const char *rel)
{
	const char *p = head->query;

	buf_text(link, link->len > 0 ? ", <" : "<");
	link_text(link, head->target, strcspn(head->target, "?"));
	buf_char(link, '?');
	while (*p != '\0')
	{
		size_t		len = strcspn(p, "&");

		if (len > 0 && strncmp(p, "page=", 5) != 0)
		{
			link_text(link, p, len);
			buf_char(link, '&');
		}
		p += len;
		if (*p == '&')
			p++;
	}
	buf_printf(link, "page=%d>; rel=\"%s\"", page, rel);
}

/* Adds a piece of the target; what would end the link is escaped. */
static void
link_text(Buf *link, const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c <= ' ' || c > '~' || strchr("<>\"", c) != NULL)
			buf_printf(link, "%%%02X", c);
		else
			buf_char(link, (char) c);
	}
}

/* Answers with what the database's error means for the caller. */
void
reply_from_outcome(Answer *answer, Call *call, const Query *query,
				   QueryOutcome outcome, const PGresult *result)
{
	static const char *const unsure = "The connection to the database was "
		"lost: whether the call took effect is not known. Ask, or send it "
		"again with the same Idempotency-Key.";
	ErrorClass	class = error_from_sqlstate(
		outcome == QUERY_ERROR ? pg_sqlstate(result)
		: outcome == QUERY_BUSY ? "53300" : "08006");
	Problem		problem = {class.status, class.code, class.reason, NULL};

	if (outcome == QUERY_ERROR)
	{
		const char *field = error_field(call, result);

		problem.detail = error_text(call, result, &class);
		if (field != NULL && class.status == 400 && !class.public_text)
			problem.detail = unfit_value(call, field, result);
		else if (field != NULL && problem.detail != NULL && class.status < 500)
			call_field_error(call, arena_strdup(call->arena, field), "%s",
							 problem.detail);
		if (problem.detail != NULL && class.public_text)
			problem.detail = error_sentences(call, result);
		if (!class.public_text)
			log_error(answer, call, result);
	}
	else if (outcome == QUERY_BUSY)
		problem.detail = "No database connection came free in time; try again.";
	else
		problem.detail = query->writes ? unsure
			: "The connection to the database was lost; try again.";
	answer_problem(answer, &problem, call->fields);
	if (class.status == 401)
	{
		metrics_auth_failure(FAILURE_ENDED_TOKEN);
		answer_header(answer, "WWW-Authenticate",
					  "Bearer realm=\"bioecko_appt\", "
					  "error=\"invalid_token\"");
	}
	if (class.status == 403)
		answer_header(answer, "WWW-Authenticate",
					  "Bearer realm=\"bioecko_appt\", "
					  "error=\"insufficient_scope\"");
	if (class.status == 503 || class.status == 504)
		answer_retry_after(answer, 1);
}

/*
 * The field that the error is about; NULL: none is named.  A constraint is
 * named after its table and the column that it guards.
 */
static const char *
error_field(const Call *call, const PGresult *result)
{
	const char *column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME);
	const char *constraint = PQresultErrorField(result,
												PG_DIAG_CONSTRAINT_NAME);
	const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
	size_t		len = table != NULL ? strlen(table) : 0;

	if (column != NULL && column[0] != '\0')
		return wire_name(call, column);
	if (constraint == NULL || table == NULL ||
		strncmp(constraint, table, len) != 0 || constraint[len] != '_')
		return NULL;
	return guarded_field(call->route, constraint + len + 1);
}

/* The field as the caller knows it: by its own name unless he used another. */
static const char *
wire_name(const Call *call, const char *column)
{
	const Route *route = call->route;
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		const Arg  *arg = &route->args[i];

		if (arg->alias != NULL && strcmp(arg->name, column) == 0 &&
			json_object_get(call->json, arg->alias) != NULL)
			return arg->alias;
	}
	return column;
}

/* The argument whose name, without _id, the constraint's rest begins with. */
static const char *
guarded_field(const Route *route, const char *rest)
{
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		const char *name = route->args[i].name;
		size_t		len = strlen(name);

		if (len > 3 && strcmp(name + len - 3, "_id") == 0)
			len -= 3;
		if (strncmp(rest, name, len) == 0 &&
			(rest[len] == '_' || rest[len] == '\0'))
			return name;
	}
	return NULL;
}

/* Why it was refused, in words that may be shown. */
static const char *
error_text(const Call *call, const PGresult *result, const ErrorClass *class)
{
	const char *text;

	if (!class->public_text)
	{
		switch (class->status)
		{
			case 400:
				return "A value is not as it must be.";
			case 409:
				return "There is one of that name already.";
			case 422:
				return "It refers to something that does not exist.";
			case 503:
				return "The database is busy; try again.";
			case 504:
				return "It took too long; try again.";
			default:
				return NULL;
		}
	}
	text = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	if (text == NULL)
		text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	return text != NULL ? arena_strdup(call->arena, text) : NULL;
}

/*
 * Says of a field that the database took no such value; its own words may show
 * the row's others.
 */
static const char *
unfit_value(Call *call, const char *field, const PGresult *result)
{
	const char *rule = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *why = "is not as it must be";

	if (strcmp(pg_sqlstate(result), "23502") == 0)
		why = "is required";
	else if (rule != NULL && strstr(rule, "_printable") != NULL)
		why = "must not have control characters";

	call_field_error(call, arena_strdup(call->arena, field), "%s", why);
	return arena_printf(call->arena, "\"%s\" %s.", field, why);
}

/* What was refused and why, as sentences: the first names what it is about. */
static const char *
error_sentences(const Call *call, const PGresult *result)
{
	const char *what = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *why = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	char	   *text;

	text = arena_printf(call->arena, "%s.%s%s", what,
						why != NULL ? " " : "", why != NULL ? why : "");
	if (text[0] >= 'a' && text[0] <= 'z' &&
		text[strcspn(text, " _")] != '_')	/* no member's name */
		text[0] = (char) (text[0] - 'a' + 'A');
	return text;
}

/*
 * An error that is not the caller's affair goes to the log.  Its detail may
 * hold a row's values and stays out.
 */
static void
log_error(const Answer *answer, const Call *call, const PGresult *result)
{
	LOG_WARNING("database error",
				log_text("id", answer->id),
				log_text("route", call->route->path),
				log_text("sqlstate", pg_sqlstate(result)),
				log_text("constraint", PQresultErrorField(
							 result, PG_DIAG_CONSTRAINT_NAME)));
}
