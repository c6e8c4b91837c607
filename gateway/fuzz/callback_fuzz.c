/*
 * callback_fuzz.c
 *		Fuzz target: what anybody sends as a report of deliveries.  It is taken,
 *		malformed or refused, and never an error; without the channel's secret
 *		it is refused, whatever it is; with it as many reports are found as
 *		jansson finds, and a well-formed body is never malformed.
 *
 *		Input: f (a form, whose field data has the reports) or another octet
 *		(JSON), the body.
 *
 *		It is done in the database: APPT_FUZZ_DSN names one with the extension,
 *		whose owner or superuser it is.  Without that there is nothing to fuzz.
 */
#include <jansson.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/encode.h"
#include "fuzz/fuzz.h"

#define REPORTS_MAX 1000		/* of one body */

typedef enum Column
{
	VERDICT,
	REPORTS,
	FORGED,						/* the verdict on the same by a stranger */
	FORGED_FORM,				/* and to a channel with Twilio's signature */
} Column;

static const char channels[] =
"INSERT INTO appt.notification_channel (channel_id, kind, settings, secret,"
" callback_secret, active)"
" VALUES ('fuzz', 'sms', '{\"url\": \"https://h/\", \"body\": {},"
"  \"callback\": {\"signature\": \"token\", \"field\": \"data\","
"  \"each\": \"$[*]\", \"id\": [\"id\"],"
"  \"status\": [[\"r\", 0, \"s\"], [\"s\"]], \"error\": [[\"e\"], [\"s\"]],"
"  \"delivered\": [\"1\"], \"failed\": [\"2\"]}}', 'k',"
"  'sixteen-of-those', false),"
" ('fuzz-t', 'sms', '{\"url\": \"https://h/\", \"body\": {},"
"  \"callback\": {\"signature\": \"twilio\", \"url\": \"https://h/r\","
"  \"id\": [\"id\"], \"status\": [\"s\"]}}', 'k', NULL, false)"
" ON CONFLICT DO NOTHING";

/* As the provider, as a stranger, and as one who cannot sign. */
static const char statement[] =
"SELECT mine.verdict, mine.reports, forged.verdict, form.verdict"
" FROM appt_api.take_delivery_reports('fuzz', $1, $2, 'x', 'another')"
"  AS forged,"
" appt_api.take_delivery_reports('fuzz-t', true, $2, 'x', NULL) AS form,"
" appt_api.take_delivery_reports('fuzz', $1, $2, NULL, 'sixteen-of-those')"
"  AS mine";

static PGconn *database = NULL;

static void run(const char *sql);
static bool field_of(Buf *value, const char *form, size_t len);
static void decode(Buf *out, const char *from, size_t len);
static json_t *document_of(bool is_form, const char *body, size_t len);
static json_t *read_any(const char *text, size_t len);
static int	reports_in(const json_t *document);
static bool is_report(const json_t *item);
static const json_t *status_of(const json_t *item);
static bool has_real(const json_t *value);

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
	run(channels);
	PQclear(PQprepare(database, "take", statement, 0, NULL));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool		is_form = size > 0 && data[0] == 'f';
	const char *body = (const char *) data + 1;
	const char *values[] = {is_form ? "t" : "f", body};
	const int	formats[] = {0, 1};
	int			lengths[] = {0, 0};
	const char *verdict;
	PGresult   *row;
	json_t	   *document;

	if (size == 0)
		return 0;
	lengths[1] = (int) size - 1;
	run("BEGIN");
	row = PQexecPrepared(database, "take", 2, values, lengths, formats, 0);
	if (PQresultStatus(row) != PGRES_TUPLES_OK)
		fprintf(stderr, "%s", PQerrorMessage(database));
	HOLDS(PQresultStatus(row) == PGRES_TUPLES_OK);
	verdict = PQgetvalue(row, 0, VERDICT);
	HOLDS(strcmp(PQgetvalue(row, 0, FORGED), "refused") == 0);
	HOLDS(strcmp(PQgetvalue(row, 0, FORGED_FORM), "refused") == 0);
	HOLDS(strcmp(verdict, "taken") == 0 || strcmp(verdict, "malformed") == 0);
	document = document_of(is_form, body, size - 1);
	if (strcmp(verdict, "taken") == 0 && document != NULL &&
		!has_real(document))
		HOLDS(atoi(PQgetvalue(row, 0, REPORTS)) == reports_in(document));
	if (!is_form && document != NULL)
		HOLDS(strcmp(verdict, "taken") == 0);
	json_decref(document);
	PQclear(row);
	run("ROLLBACK");
	return 0;
}

/* A statement of which nothing but that it was done is asked. */
static void
run(const char *sql)
{
	PGresult   *result = PQexec(database, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fprintf(stderr, "%s", PQerrorMessage(database));
	HOLDS(PQresultStatus(result) == PGRES_COMMAND_OK);
	PQclear(result);
}

/* What the body says as jansson reads it; NULL: nothing. */
static json_t *
document_of(bool is_form, const char *body, size_t len)
{
	Buf			value = {0};
	json_t	   *document = NULL;

	if (!is_form)
		return read_any(body, len);
	if (field_of(&value, body, len))
		document = read_any(buf_get(&value), value.len);
	buf_free(&value);
	return document;
}

/* A NUL, which jansson passes over behind a number, is in no JSON. */
static json_t *
read_any(const char *text, size_t len)
{
	return strnlen(text, len) < len
		? NULL : json_loadb(text, len, JSON_DECODE_ANY, NULL);
}

/* The last value of the form's field data. */
static bool
field_of(Buf *value, const char *form, size_t len)
{
	const char *end = form + len;
	bool		found = false;

	while (form < end)
	{
		const char *stop = memchr(form, '&', (size_t) (end - form));
		const char *equals;
		Buf			name = {0};

		if (stop == NULL)
			stop = end;
		equals = memchr(form, '=', (size_t) (stop - form));
		decode(&name, form, (size_t) ((equals ? equals : stop) - form));
		if (name.len == 4 && memcmp(name.data, "data", 4) == 0)
		{
			found = true;
			buf_clear(value);
			if (equals != NULL)
				decode(value, equals + 1, (size_t) (stop - equals - 1));
		}
		buf_free(&name);
		form = stop < end ? stop + 1 : end;
	}
	return found;
}

/* A name or value of a form as it was before. */
static void
decode(Buf *out, const char *from, size_t len)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	size_t		i;

	for (i = 0; i < len; i++)
	{
		const char *high = NULL;
		const char *low = NULL;

		if (from[i] == '%' && len - i > 2)
		{
			high = memchr(digits, from[i + 1], sizeof(digits) - 1);
			low = memchr(digits, from[i + 2], sizeof(digits) - 1);
		}
		if (high != NULL && low != NULL)
		{
			buf_char(out, (char) ((high - digits) % 16 * 16 +
								  (low - digits) % 16));
			i += 2;
		}
		else
			buf_char(out, from[i] == '+' ? ' ' : from[i]);
	}
}

/* How many reports it has; what is no list is a list of one. */
static int
reports_in(const json_t *document)
{
	size_t		i;
	int			count = 0;

	if (!json_is_array(document))
		return is_report(document);
	for (i = 0; i < json_array_size(document) && i < REPORTS_MAX; i++)
		count += is_report(json_array_get(document, i));
	return count;
}

/* It has an id, and a status that means something. */
static bool
is_report(const json_t *item)
{
	const json_t *id = json_object_get(item, "id");
	const json_t *status = status_of(item);
	const char *text = json_string_value(status);

	if (id == NULL || json_is_null(id) ||
		(json_is_string(id) && json_string_length(id) == 0))
		return false;
	return text != NULL
		? strcmp(text, "1") == 0 || strcmp(text, "2") == 0
		: json_is_integer(status) && (json_integer_value(status) == 1 ||
									  json_integer_value(status) == 2);
}

/* In the first of its two places where there is something. */
static const json_t *
status_of(const json_t *item)
{
	const json_t *reports = json_object_get(item, "r");
	const json_t *first = json_is_array(reports)
		? json_array_get(reports, 0) : json_object_get(reports, "0");
	const json_t *status = json_object_get(first, "s");

	if (status == NULL || json_is_null(status) ||
		(json_is_string(status) && json_string_length(status) == 0))
		return json_object_get(item, "s");
	return status;
}

/* Whether it has a number that PostgreSQL may write in another way. */
static bool
has_real(const json_t *value)
{
	const char *key;
	json_t	   *inner;
	size_t		i;

	if (json_is_array(value))
		json_array_foreach(value, i, inner)
		{
			if (has_real(inner))
				return true;
		}
	else if (json_is_object(value))
		json_object_foreach((json_t *) value, key, inner)
		{
			if (has_real(inner))
				return true;
		}
	return json_is_real(value);
}
