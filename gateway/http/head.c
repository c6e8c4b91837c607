/*
 * head.c
 *		A request's line and headers: collected once, each of those that count
 *		at most once, and what could smuggle a second request refused.
 *
 *		libmicrohttpd 0.9.75 takes a repeated Content-Length, and one beside
 *		Transfer-Encoding, without a word: both are refused here, with the
 *		connection closed, before a byte of the body is taken in.
 */
#include "http/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/clock.h"

#define HEADERS_MAX (8 * 1024)	/* the target among them */
#define HEADERS_COUNT_MAX 64
#define TARGET_MAX (4 * 1024)
#define HEADER_RECORD 64		/* libmicrohttpd's, of a header or parameter */
#define ANSWER_HEAD 1024		/* enough for any answer's, Link aside */

typedef struct KnownHeader
{
	const char *name;
	size_t		offset;			/* in Head */
} KnownHeader;

#define KNOWN(name, field) {name, offsetof(Head, field)}

static const KnownHeader known_headers[] = {
	KNOWN("Host", host),
	KNOWN("Authorization", authorization),
	KNOWN("Content-Type", content_type),
	KNOWN("Content-Encoding", content_encoding),
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
	KNOWN("Accept-Encoding", accept_encoding),
	KNOWN("Last-Event-ID", last_event_id),
	KNOWN("X-Hub-Signature-256", signature),
	KNOWN("X-Twilio-Signature", signature),
	KNOWN("Cookie", cookie),
	KNOWN("X-CSRF-Token", csrf_token),
	KNOWN("Sec-Fetch-Site", fetch_site),
	KNOWN("User-Agent", user_agent),
};

static const Problem too_large = {431, "headers_too_large", "",
	"Target and headers are larger than 8 KiB, or there are more than 64."
};

static const Problem *repeated_problem(const Head *head);
static const Problem *line_problem(const Head *head, const char *version);
static const Problem *fields_problem(const Head *head);
static bool is_number(const char *text);
static void forwarded_add(Head *head, const char *value);
static bool is_token(const char *text);
static bool is_clean(const char *text);

/* Takes in one header; what it says is judged by head_problem. */
void
head_add(Head *head, const char *name, const char *value)
{
	size_t		i;

	head->total += strlen(name) + strlen(value) + 4;
	head->count++;
	if (!is_token(name) || !is_clean(value))
		head->malformed = true;
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		forwarded_add(head, value);
	for (i = 0; i < sizeof(known_headers) / sizeof(known_headers[0]); i++)
	{
		const char **field;

		if (strcasecmp(name, known_headers[i].name) != 0)
			continue;
		field = (const char **) ((char *) head + known_headers[i].offset);
		/* A list may be in several lines (RFC 9110, 5.3). */
		if (*field != NULL && field == &head->accept)
			value = arena_printf(head->arena, "%s,%s", *field, value);
		else if (*field != NULL)
			head->repeated = known_headers[i].name;
		*field = value;
		break;
	}
}

/*
 * Why the request is refused, with its connection closed; NULL: it is not.
 * All headers are there.
 */
const Problem *
head_problem(Head *head, const char *version)
{
	const Problem *problem = repeated_problem(head);

	if (problem == NULL)
		problem = line_problem(head, version);
	head->total += strlen(head->target);
	return problem != NULL ? problem : fields_problem(head);
}

/* What is wrong with a header by itself; NULL: nothing. */
static const Problem *
repeated_problem(const Head *head)
{
	static const Problem malformed = {400, "invalid_request", "",
		"A header is not well formed."
	};

	if (head->malformed)
		return &malformed;
	if (head->repeated == NULL)
		return NULL;
	return problem_new(head->arena, 400, "invalid_request",
					   "The header %s must be there once.", head->repeated);
}

/*
 * Why the request is refused before its headers are read; NULL: it is not.
 * libmicrohttpd makes a record of each parameter and, where that takes all of
 * the connection's memory, answers nothing at all.
 */
const Problem *
head_line_problem(const char *target)
{
	static const Problem too_many = {400, "invalid_request", "",
		"The query has too many parameters."
	};
	int			separators = 0;

	for (; *target != '\0'; target++)
		separators += *target == '&';
	return separators > HEAD_PARAMS_MAX ? &too_many : NULL;
}

/*
 * How many bytes the answer's head may have beyond the ordinary: request and
 * answer share a connection's memory, and libmicrohttpd sends nothing at all
 * where a head does not fit.
 */
size_t
head_room(const Head *head)
{
	size_t		records = (size_t) head->count +
		HEAD_PARAMS_MAX + 1;

	return HEAD_MEMORY - ANSWER_HEAD - head->total -
		records * HEADER_RECORD;
}

/* What is wrong with the request's line, or its Host; NULL: nothing. */
static const Problem *
line_problem(const Head *head, const char *version)
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

	if (head->host == NULL && strcmp(version, "HTTP/1.0") != 0)
		return &no_host;
	if (!is_clean(head->target) || strpbrk(head->target, " \t") != NULL)
		return &blank;
	if (strlen(head->target) > TARGET_MAX)
		return &too_long;
	return NULL;
}

/* What is wrong with the headers as a whole; NULL: nothing. */
static const Problem *
fields_problem(const Head *head)
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
	const char *length = head->content_length;

	if (head->transfer_encoding != NULL && head->content_length != NULL)
		return &both;
	if (head->transfer_encoding != NULL &&
		strcasecmp(head->transfer_encoding, "chunked") != 0)
		return &encoding;
	if (head->total > HEADERS_MAX || head->count > HEADERS_COUNT_MAX)
		return &too_large;
	if (length != NULL && !is_number(length))
		return &no_length;
	if (length != NULL && strtoull(length, NULL, 10) > BODY_MAX)
		return &body_too_large;
	return NULL;
}

/* Whether it is digits and nothing else. */
static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Each proxy adds its line or to the last one: only the last ones count. */
static void
forwarded_add(Head *head, const char *value)
{
	if (head->forwarded_count == HEAD_FORWARDED)
	{
		head->forwarded_count--;
		memmove(head->forwarded_for, head->forwarded_for + 1,
				sizeof(head->forwarded_for) -
				sizeof(head->forwarded_for[0]));
	}
	head->forwarded_for[head->forwarded_count++] = value;
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
 * number of the thread and a count.
 */
void
head_name(Head *head)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
	const char *sent = head->request_id;
	static _Thread_local uint64_t prefix;
	static _Thread_local uint32_t number;

	if (head->id[0] != '\0')
		return;
	if (sent != NULL && sent[0] != '\0' &&
		strnlen(sent, HEAD_ID_MAX + 1) <= HEAD_ID_MAX &&
		sent[strspn(sent, harmless)] == '\0')
	{
		memcpy(head->id, sent, strlen(sent) + 1);
		return;
	}
	if (prefix == 0 && getrandom(&prefix, sizeof(prefix), 0) < 0)
		prefix = (uint64_t) clock_us();
	snprintf(head->id, sizeof(head->id), "%016" PRIx64 "%08" PRIx32,
			 prefix, ++number);
}
