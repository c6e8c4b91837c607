/*
 * headers.c
 *		A request's headers: collected once, each of those that count at most
 *		once, and what could smuggle a second request refused.
 *
 *		libmicrohttpd 0.9.75 takes a repeated Content-Length, and one beside
 *		Transfer-Encoding, without a word: both are refused here, with the
 *		connection closed, before a byte of the body is taken in.
 */
#include "http/headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "http/target.h"
#include "http/text.h"

#define HEADERS_MAX (8 * 1024)	/* the target among them */
#define HEADERS_COUNT_MAX 64
#define TARGET_MAX (4 * 1024)
#define HEADER_RECORD 64		/* libmicrohttpd's, of a header or parameter */
#define ANSWER_HEAD 1024		/* enough for any answer's, Link aside */

typedef struct KnownHeader
{
	const char *name;
	size_t		offset;			/* in RequestHeaders */
} KnownHeader;

#define KNOWN(name, field) {name, offsetof(RequestHeaders, field)}

static const KnownHeader known_headers[] = {
	KNOWN("Host", host),
	KNOWN("Authorization", authorization),
	KNOWN("Content-Type", content_type),
	KNOWN("Content-Length", content_length),
	KNOWN("Transfer-Encoding", transfer_encoding),
	KNOWN("Accept", accept),
	KNOWN("If-Match", if_match),
	KNOWN("Idempotency-Key", idempotency_key),
	KNOWN("X-Request-Id", request_id),
	KNOWN("Origin", origin),
	KNOWN("Access-Control-Request-Method", cors_method),
	KNOWN("Expect", expect),
	KNOWN("If-None-Match", if_none_match),
};

static const Problem too_large = {431, "headers_too_large", "",
	"Target and headers are larger than 8 KiB, or there are more than 64."
};

static enum MHD_Result header_collect(void *context, enum MHD_ValueKind kind,
									  const char *name, const char *value);
static enum MHD_Result accept_join(void *context, enum MHD_ValueKind kind,
								   const char *name, const char *value);
static const char *accept_joined(Request *request);
static bool is_number(const char *text);
static void forwarded_collect(RequestHeaders *headers, const char *value);
static bool is_token(const char *text);
static bool is_clean(const char *text);
static const Problem *line_problem(const Request *request,
								   const char *version);
static const Problem *header_problem(const RequestHeaders *headers);
static bool refuse(Request *request, const Problem *problem);

/*
 * Collects the headers and names the request.  False: the request is
 * answered with a refusal that closes the connection.
 */
bool
headers_read(Request *request, const char *version)
{
	RequestHeaders *headers = &request->headers;
	const Problem *problem;

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
							  header_collect, headers);
	headers_name_request(request);
	if (headers->accept_lines > 1)
		headers->accept = accept_joined(request);
	if (headers->repeated != NULL)
	{
		const Problem repeated = {400, "invalid_request", "",
			arena_printf(&request->arena, headers->repeated[0] == '\0'
						 ? "A header is not well formed."
						 : "The header %s must be there once.",
						 headers->repeated)
		};

		return refuse(request, &repeated);
	}
	problem = line_problem(request, version);
	headers->total += strlen(request->target);
	if (problem == NULL)
		problem = header_problem(headers);
	return problem == NULL || refuse(request, problem);
}

/*
 * Why the request is refused before its headers are read; NULL: it is not.
 * libmicrohttpd makes a record of each parameter and, where that takes all of
 * the connection's memory, answers nothing at all.
 */
const Problem *
headers_line_refusal(const char *target)
{
	static const Problem too_many = {400, "invalid_request", "",
		"The query has too many parameters."
	};
	int			separators = 0;

	for (; *target != '\0'; target++)
		separators += *target == '&';
	return separators > QUERY_PARAMS_MAX ? &too_many : NULL;
}

/*
 * How many bytes the answer's head may have beyond the ordinary: request and
 * answer share a connection's memory, and libmicrohttpd sends nothing at all
 * where a head does not fit.
 */
size_t
headers_room(const Request *request)
{
	size_t		records = (size_t) request->headers.count +
		QUERY_PARAMS_MAX + 1;

	return REQUEST_MEMORY - ANSWER_HEAD - request->headers.total -
		records * HEADER_RECORD;
}

/* What is wrong with the request's line, or its Host; NULL: nothing. */
static const Problem *
line_problem(const Request *request, const char *version)
{
	static const Problem no_host = {400, "invalid_request", "",
		"The header Host must be there."
	};
	static const Problem blank = {400, "invalid_request", "",
		"There is a blank or a control character in the request's target."
	};
	static const Problem too_long = {414, "uri_too_long", "",
		"The request's target is longer than 4 KiB."
	};

	if (request->headers.host == NULL && strcmp(version, "HTTP/1.0") != 0)
		return &no_host;
	if (!is_clean(request->target) || strpbrk(request->target, " \t") != NULL)
		return &blank;
	if (strlen(request->target) > TARGET_MAX)
		return &too_long;
	return NULL;
}

/* What is wrong with the headers as a whole; NULL: nothing. */
static const Problem *
header_problem(const RequestHeaders *headers)
{
	static const Problem both = {400, "invalid_request", "",
		"Content-Length and Transfer-Encoding must not be there together."
	};
	static const Problem encoding = {400, "invalid_request", "",
		"The only Transfer-Encoding that is taken is chunked."
	};
	static const Problem no_length = {400, "invalid_request", "",
		"Content-Length is not a number."
	};
	static const Problem body_too_large = {413, "content_too_large", "",
		"The body is larger than 64 KiB."
	};
	const char *length = headers->content_length;

	if (headers->transfer_encoding != NULL && headers->content_length != NULL)
		return &both;
	if (headers->transfer_encoding != NULL &&
		strcasecmp(headers->transfer_encoding, "chunked") != 0)
		return &encoding;
	if (headers->total > HEADERS_MAX || headers->count > HEADERS_COUNT_MAX)
		return &too_large;
	if (length != NULL && !is_number(length))
		return &no_length;
	if (length != NULL && strtoull(length, NULL, 10) > REQUEST_BODY_MAX)
		return &body_too_large;
	return NULL;
}

/* Whether it is digits and nothing else. */
static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Refuses, and ends the connection. */
static bool
refuse(Request *request, const Problem *problem)
{
	request_refuse(request, problem);
	request->answer.close = true;
	return false;
}

/* One header, called by libmicrohttpd. */
static enum MHD_Result
header_collect(void *context, enum MHD_ValueKind kind, const char *name,
			   const char *value)
{
	RequestHeaders *headers = context;
	size_t		i;

	(void) kind;
	if (value == NULL)
		value = "";
	headers->total += strlen(name) + strlen(value) + 4;
	headers->count++;
	if (!is_token(name) || !is_clean(value))
		headers->repeated = "";
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		forwarded_collect(headers, value);
	for (i = 0; i < sizeof(known_headers) / sizeof(known_headers[0]); i++)
	{
		const char **field;

		if (strcasecmp(name, known_headers[i].name) != 0)
			continue;
		field = (const char **) ((char *) headers + known_headers[i].offset);
		if (field == &headers->accept)
			headers->accept_lines++;
		else if (*field != NULL)
			headers->repeated = known_headers[i].name;
		*field = value;
		break;
	}
	return MHD_YES;
}

/* Each proxy adds its line or to the last one: only the last ones count. */
static void
forwarded_collect(RequestHeaders *headers, const char *value)
{
	if (headers->forwarded_count == FORWARDED_LINES)
	{
		headers->forwarded_count--;
		memmove(headers->forwarded_for, headers->forwarded_for + 1,
				sizeof(headers->forwarded_for) -
				sizeof(headers->forwarded_for[0]));
	}
	headers->forwarded_for[headers->forwarded_count++] = value;
}

/* Whether it may be a header's name: no blank, no separator. */
static bool
is_token(const char *text)
{
	return text[0] != '\0' &&
		text[strspn(text, "!#$%&'*+-.^_`|~0123456789"
					"abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

/* Whether there is no control byte in it. */
static bool
is_clean(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
	{
		unsigned char c = (unsigned char) *p;

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/*
 * Names the request: as its sender did, if that is harmless, else by a random
 * number of the loop and a count.
 */
void
headers_name_request(Request *request)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
	const char *sent = request->headers.request_id;
	static _Thread_local uint64_t prefix;
	static _Thread_local uint32_t number;

	if (sent != NULL && sent[0] != '\0' &&
		strnlen(sent, REQUEST_ID_MAX + 1) <= REQUEST_ID_MAX &&
		sent[strspn(sent, harmless)] == '\0')
	{
		memcpy(request->id, sent, strlen(sent) + 1);
		return;
	}
	if (prefix == 0 && getrandom(&prefix, sizeof(prefix), 0) < 0)
		prefix = (uint64_t) request->started_us;
	snprintf(request->id, sizeof(request->id), "%016" PRIx64 "%08" PRIx32,
			 prefix, ++number);
}

/* Whether the value, parameters aside, is that media type. */
bool
header_is_media_type(const char *value, const char *media_type)
{
	size_t		len = strlen(media_type);

	return strncasecmp(value, media_type, len) == 0 &&
		(value[len] == '\0' || value[len] == ';' || value[len] == ' ' ||
		 value[len] == '\t');
}

/* The lines of Accept as one: a list may be in several (RFC 9110, 5.3). */
static const char *
accept_joined(Request *request)
{
	Buf			list = {0};
	const char *copy;

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
							  accept_join, &list);
	copy = arena_strdup(&request->arena, buf_get(&list));
	buf_free(&list);
	return copy;
}

/* Adds a line of Accept, called by libmicrohttpd for each header. */
static enum MHD_Result
accept_join(void *context, enum MHD_ValueKind kind, const char *name,
			const char *value)
{
	Buf		   *list = context;

	(void) kind;
	if (strcasecmp(name, "Accept") != 0 || value == NULL)
		return MHD_YES;
	buf_text(list, value);
	buf_char(list, ',');
	return MHD_YES;
}

/*
 * Whether an Accept header takes the media type: it is empty, or has a range
 * that fits.  Weights are not looked at: there is one form to choose from.
 */
bool
header_accepts(const char *accept, const char *media_type)
{
	size_t		major = strcspn(media_type, "/") + 1;
	bool		empty = true;
	const char *p = accept;

	for (;;)
	{
		size_t		name;

		p += strspn(p, " \t,");
		if (*p == '\0')
			return empty;
		empty = false;
		name = strcspn(p, ";, \t");
		if ((name == strlen(media_type) &&
			 strncasecmp(p, media_type, name) == 0) ||
			(name == major + 1 && strncasecmp(p, media_type, major) == 0 &&
			 p[major] == '*') ||
			(name == 3 && strncmp(p, "*/*", 3) == 0))
			return true;
		p += strcspn(p, ",");
	}
}
