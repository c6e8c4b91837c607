/*
 * render_fuzz.c
 *		Fuzz target: what the extension writes for providers of SMS and
 *		WhatsApp, and how it reads their answers.  Whatever a name, a number or
 *		a text is, it stands in its own JSON string, form value, part of the
 *		address and header, whole; whatever is answered, only what the rule
 *		names counts as sent.
 *
 *		It is done in the database: APPT_FUZZ_DSN names one with the extension,
 *		whose owner or superuser it is.  Without that there is nothing to fuzz.
 */
#include <jansson.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "fuzz/fuzz.h"

#define FIELDS 5
#define SHORTENED 9				/* characters of the variable V1 */

typedef enum Field
{
	NAME,
	TO,
	BODY,
	SECRET,
	ANSWER,
} Field;

typedef enum Column
{
	DOCUMENT,
	FORM,
	HEADERS,
	URL,
	TEXT,
	STATE,						/* of the answer as it is */
	WRAPPED_STATE,				/* of {"status": the answer} */
} Column;

static const char statement[] =
"WITH v AS ("
" SELECT jsonb_build_object('patient_name', $1::text, 'to', $2::text,"
"  'body', $3::text) AS f,"
"  ARRAY['to', $2::text, 'body', $3::text, 'secret', $4::text] AS own),"
" w AS (SELECT v.f, v.own, appt_internal.fill_variables('[{\"name\": \"V1\","
"  \"value\": \"{{patient_name}}\", \"max_length\": 9}]', v.f, 30) AS vars"
"  FROM v),"
" d AS (SELECT w.f, w.own, appt_internal.fill_json("
"  '{\"a\": \"x{{patient_name}}y\","
"  \"list\": [\"{{to}}\", {\"{{each variable}}\": {\"n\": \"{{name}}\","
"  \"v\": \"{{value}}\", \"t\": \"{{body}}\"}}], \"{{variables}}\": null,"
"  \"n\": 1, \"gone\": null}', w.f, w.own, w.vars) AS doc"
" FROM w)"
"SELECT d.doc::text, appt_internal.form_body(d.doc),"
" appt_internal.fill_headers('{\"X-Key\": \"k {{secret}}\","
"  \"X-Name\": \"{{patient_name}}\"}', d.f, d.own),"
" appt_internal.fill_url('https://h.example/{{to}}/x?q={{body}}&z=1', d.f,"
"  d.own),"
" appt_internal.fill_template('<{{body}}|{{to}}>', d.f),"
" (appt_internal.http_outcome(r.rules, 200, NULL, $5)).state,"
" (appt_internal.http_outcome(r.rules, 200, NULL,"
"  jsonb_build_object('status', $5::text)::text)).state"
" FROM d, (SELECT '{\"ok\": {\"path\": [\"status\"], \"values\": [\"ok\"]},"
"  \"id\": [\"list\", 0, \"id\"], \"error\": [\"error\", \"message\"],"
"  \"final\": {\"path\": [\"code\"], \"values\": [\"7\"]}}'::jsonb) r (rules)";

static PGconn *database = NULL;

static void next_field(Buf *field, const uint8_t **data, size_t *size);
static void check_document(const char *document, char *const *text);
static void check_form(const char *form, const char *document);
static void check_headers(const char *headers, char *const *text);
static void check_url(const char *url, char *const *text);
static void check_answer(const char *answer, const char *state);
static void line_of(Buf *out, const char *text, int most);
static const char *expect(const char *at, const char *text);
static const char *decoded(Buf *out, const char *at);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dsn = getenv("APPT_FUZZ_DSN");

	(void) argc;
	(void) argv;
	if (dsn == NULL)
	{
		fprintf(stderr, "APPT_FUZZ_DSN names no database: left out\n");
		exit(0);
	}
	database = PQconnectdb(dsn);
	if (PQstatus(database) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(database));
		exit(1);
	}
	PQclear(PQprepare(database, "render", statement, 0, NULL));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Buf			field[FIELDS] = {{0}};
	char	   *text[FIELDS];
	PGresult   *rows;
	int			i;

	for (i = 0; i < FIELDS; i++)
	{
		next_field(&field[i], &data, &size);
		text[i] = must_strdup(buf_get(&field[i]));
		buf_free(&field[i]);
	}
	rows = PQexecPrepared(database, "render", FIELDS,
						  (const char *const *) text, NULL, NULL, 0);
	if (PQresultStatus(rows) != PGRES_TUPLES_OK)
		fprintf(stderr, "%s", PQerrorMessage(database));
	HOLDS(PQresultStatus(rows) == PGRES_TUPLES_OK);
	check_document(PQgetvalue(rows, 0, DOCUMENT), text);
	check_form(PQgetvalue(rows, 0, FORM), PQgetvalue(rows, 0, DOCUMENT));
	check_headers(PQgetvalue(rows, 0, HEADERS), text);
	check_url(PQgetvalue(rows, 0, URL), text);
	HOLDS(*expect(expect(expect(expect(expect(PQgetvalue(rows, 0, TEXT), "<"),
		text[BODY]), "|"), text[TO]), ">") == '\0');
	check_answer(text[ANSWER], PQgetvalue(rows, 0, STATE));
	HOLDS((strcmp(PQgetvalue(rows, 0, WRAPPED_STATE), "sent") == 0) ==
		  (strcmp(text[ANSWER], "ok") == 0));
	PQclear(rows);
	for (i = 0; i < FIELDS; i++)
		free(text[i]);
	return 0;
}

/* The input up to the next NUL, as UTF-8. */
static void
next_field(Buf *field, const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	size_t		len = end != NULL ? (size_t) (end - *data) : *size;

	utf8_clean(field, (const char *) *data, len);
	*size -= end != NULL ? len + 1 : len;
	*data += end != NULL ? len + 1 : len;
}

/* Five members, each with the whole of what belongs there. */
static void
check_document(const char *document, char *const *text)
{
	json_t	   *root = json_loads(document, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(root, "list");
	const json_t *each = json_array_get(list, 1);
	Buf			line = {0};

	HOLDS(root != NULL && json_object_size(root) == 5);
	HOLDS(*expect(expect(expect(json_string_value(json_object_get(root, "a")),
								"x"), text[NAME]), "y") == '\0');
	HOLDS(json_array_size(list) == 2);
	HOLDS(strcmp(json_string_value(json_array_get(list, 0)), text[TO]) == 0);
	line_of(&line, text[NAME], SHORTENED);
	HOLDS(strcmp(json_string_value(json_object_get(root, "V1")),
				 buf_get(&line)) == 0);
	HOLDS(json_object_size(each) == 3);
	HOLDS(strcmp(json_string_value(json_object_get(each, "n")), "V1") == 0);
	HOLDS(strcmp(json_string_value(json_object_get(each, "v")),
				 buf_get(&line)) == 0);
	HOLDS(strcmp(json_string_value(json_object_get(each, "t")),
				 text[BODY]) == 0);
	buf_free(&line);
	json_decref(root);
}

/* Four fields of the document's five members: null is left out. */
static void
check_form(const char *form, const char *document)
{
	json_t	   *root = json_loads(document, 0, NULL);
	const char *at = form;
	int			fields;

	for (fields = 0; *at != '\0'; fields++)
	{
		Buf			name = {0};
		Buf			value = {0};
		const json_t *member;

		at = expect(fields == 0 ? at : expect(at, "&"), "");
		at = expect(decoded(&name, at), "=");
		at = decoded(&value, at);
		member = json_object_get(root, buf_get(&name));
		HOLDS(member != NULL && !json_is_null(member));
		if (json_is_string(member))
			HOLDS(strcmp(json_string_value(member), buf_get(&value)) == 0);
		else
		{
			json_t	   *read = json_loads(buf_get(&value), JSON_DECODE_ANY,
										  NULL);

			HOLDS(json_equal(read, member));
			json_decref(read);
		}
		buf_free(&name);
		buf_free(&value);
	}
	HOLDS(fields == 4);
	json_decref(root);
}

/* Two lines, each with its value's one line. */
static void
check_headers(const char *headers, char *const *text)
{
	Buf			secret = {0};
	Buf			name = {0};
	const char *at;

	line_of(&secret, text[SECRET], 1 << 20);
	line_of(&name, text[NAME], 1 << 20);
	at = expect(expect(headers, "X-Key: k "), buf_get(&secret));
	at = expect(expect(at, "\nX-Name: "), buf_get(&name));
	HOLDS(*at == '\0');
	HOLDS(strchr(buf_get(&secret), '\n') == NULL);
	buf_free(&secret);
	buf_free(&name);
}

/* A segment and a value, each encoded. */
static void
check_url(const char *url, char *const *text)
{
	Buf			to = {0};
	Buf			body = {0};
	const char *at = decoded(&to, expect(url, "https://h.example/"));

	at = decoded(&body, expect(at, "/x?q="));
	HOLDS(strcmp(at, "&z=1") == 0);
	HOLDS(strcmp(buf_get(&to), text[TO]) == 0);
	HOLDS(strcmp(buf_get(&body), text[BODY]) == 0);
	buf_free(&to);
	buf_free(&body);
}

/* Sent only if the answer says so where the rule looks. */
static void
check_answer(const char *answer, const char *state)
{
	json_t	   *root = json_loads(answer, JSON_DECODE_ANY | JSON_ALLOW_NUL,
								  NULL);
	const char *status = json_string_value(json_object_get(root, "status"));

	HOLDS(strcmp(state, "sent") == 0 || strcmp(state, "failed") == 0 ||
		  strcmp(state, "due") == 0);
	if (root != NULL && strcmp(state, "sent") == 0)
		HOLDS(status != NULL && strcmp(status, "ok") == 0);
	json_decref(root);
}

/* The text on one line: a blank for control characters; at most so many. */
static void
line_of(Buf *out, const char *text, int most)
{
	const unsigned char *p = (const unsigned char *) text;
	bool		last = false;

	while (*p != '\0' && most > 0)
	{
		size_t		len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
		bool		control = *p < ' ' || *p == 0x7f ||
			(p[0] == 0xc2 && p[1] < 0xa0) ||
			(p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9));

		if (!control)
			buf_add(out, p, len);
		else if (!last)
			buf_char(out, ' ');
		most -= !control || !last;
		last = control;
		p += len;
	}
}

/* What follows the text, which must stand there. */
static const char *
expect(const char *at, const char *text)
{
	HOLDS(strncmp(at, text, strlen(text)) == 0);
	return at + strlen(text);
}

/* What follows a percent-encoded value, whose octets are added. */
static const char *
decoded(Buf *out, const char *at)
{
	for (;;)
	{
		if ((*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') ||
			(*at >= 'a' && *at <= 'z') ||
			(*at != '\0' && strchr("-._~", *at) != NULL))
			buf_char(out, *at++);
		else if (*at == '%')
		{
			char		hex[3] = {at[1], at[1] == '\0' ? '\0' : at[2], '\0'};
			char	   *end;
			long		octet = strtol(hex, &end, 16);

			HOLDS(*end == '\0' && octet > 0 && strlen(hex) == 2);
			buf_char(out, (char) octet);
			at += 3;
		}
		else
			return at;
	}
}
