/*
 * errors.c
 *		The one table from SQLSTATE to HTTP status and code: the extension's
 *		own conditions (appt_errors.h), then PostgreSQL's, exact code before
 *		class.  Anything else is a 500 that tells nothing.
 */
#include "http/errors.h"

#include <string.h>

#include "appt_errors.h"

typedef struct ErrorRow
{
	const char *sqlstate;		/* five characters, or two: the class */
	ErrorClass	class;
} ErrorRow;

typedef enum ErrorText
{
	TEXT_HIDDEN,				/* the database's words are not shown */
	TEXT_SHOWN,
} ErrorText;

#define OWN_ROW(name, sqlstate, status, code, reason) \
	{sqlstate, {status, code, reason, TEXT_SHOWN}},

static const ErrorRow rows[] = {
	APPT_ERROR_TABLE(OWN_ROW)
	{"23505", {409, "already_exists", "", TEXT_HIDDEN}},
	{"23P01", {409, "already_exists", "", TEXT_HIDDEN}},
	{"23503", {422, "unknown_reference", "", TEXT_HIDDEN}},
	{"23502", {400, "invalid_request", "", TEXT_HIDDEN}},
	{"23514", {400, "invalid_request", "", TEXT_HIDDEN}},
	{"40001", {503, "unavailable", "", TEXT_HIDDEN}},
	{"40P01", {503, "unavailable", "", TEXT_HIDDEN}},
	{"55P03", {503, "unavailable", "", TEXT_HIDDEN}},
	{"25006", {503, "unavailable", "", TEXT_HIDDEN}},
	{"3F000", {503, "unavailable", "", TEXT_HIDDEN}},
	{"42883", {503, "unavailable", "", TEXT_HIDDEN}},
	{"42P01", {503, "unavailable", "", TEXT_HIDDEN}},
	{"57014", {504, "timeout", "", TEXT_HIDDEN}},
	{"22", {400, "invalid_request", "", TEXT_HIDDEN}},
	{"08", {503, "unavailable", "", TEXT_HIDDEN}},
	{"53", {503, "unavailable", "", TEXT_HIDDEN}},
	{"57", {503, "unavailable", "", TEXT_HIDDEN}},
};

/* What the SQLSTATE ("": the connection was lost) means for the caller. */
ErrorClass
error_from_sqlstate(const char *sqlstate)
{
	size_t		len;
	size_t		i;

	if (sqlstate[0] == '\0')
		sqlstate = "08006";
	for (len = 5; len >= 2; len -= 3)
	{
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		{
			if (strlen(rows[i].sqlstate) == len &&
				strncmp(rows[i].sqlstate, sqlstate, len) == 0)
				return rows[i].class;
		}
		if (len == 2)
			break;
	}
	return (ErrorClass) {500, "internal_error", "", TEXT_HIDDEN};
}

/* The reason phrase of a status that we send. */
const char *
error_title(int status)
{
	static const struct
	{
		int			status;
		const char *title;
	}			titles[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};
	size_t		i;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
	{
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

/* A problem, in the arena, whose detail is made up of what came. */
const Problem *
problem_new(Arena *arena, int status, const char *code,
			const char *format,...)
{
	Problem    *problem = arena_alloc(arena, sizeof(Problem));
	va_list		args;

	va_start(args, format);
	*problem = (Problem) {
		status, code, "", arena_vprintf(arena, format, args)
	};
	va_end(args);
	return problem;
}

/*
 * Adds the problem as JSON.  instance names this occurrence: the request's
 * id, by which the log line is found.
 */
void
problem_json(Buf *out, const Problem *problem, const FieldError *fields,
			 const char *instance)
{
	const char *title = error_title(problem->status);
	const FieldError *field;

	buf_printf(out, "{\"type\":\"urn:bioecko:problem:%s\",\"title\":",
			   problem->code);
	buf_json_string(out, title);
	buf_printf(out, ",\"status\":%d,\"detail\":", problem->status);
	buf_json_string(out, problem->detail != NULL ? problem->detail : title);
	buf_text(out, ",\"instance\":\"urn:bioecko:request:");
	buf_text(out, instance);
	buf_printf(out, "\",\"code\":\"%s\"", problem->code);
	if (problem->reason != NULL && problem->reason[0] != '\0')
		buf_printf(out, ",\"reason\":\"%s\"", problem->reason);
	for (field = fields; field != NULL; field = field->next)
	{
		buf_text(out, field == fields ? ",\"errors\":[{\"field\":"
				 : ",{\"field\":");
		buf_json_string(out, field->field);
		buf_text(out, ",\"message\":");
		buf_json_string(out, field->message);
		buf_char(out, '}');
	}
	buf_text(out, fields != NULL ? "]}" : "}");
}
