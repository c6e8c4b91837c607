/*
 * sink.c
 *		A receiver of webhooks that costs as little as one can: answers every
 *		POST 200 with an empty body, and notes when it came.
 *
 *		sink PORT
 *
 *		GET /count answers "N FIRST LAST": POSTs so far, and the microseconds
 *		since 1970 of the first and the last.  GET /log answers a line each:
 *		the microseconds and the appointment_id in the body.  GET /reset
 *		forgets them.  Ends with SIGTERM.
 */
#include "sinking.h"

#define ID_MAX		32

typedef struct Arrival
{
	int64_t		at_us;
	char		id[ID_MAX];
} Arrival;

static Arrival *arrivals;
static size_t narrivals;
static size_t room;

static size_t request_length(const char *data, size_t used);
static void answer(int fd, const char *request, size_t length);
static void note(const char *request, size_t length);
static void send_log(int fd);

static void
connected(Connection *connection)
{
	(void) connection;
}

static size_t
take(Connection *connection, size_t at)
{
	const char *request = connection->data + at;
	size_t		length = request_length(request, connection->used - at);

	if (length > 0)
		answer(connection->fd, request, length);
	return length;
}

/* Bytes of the first request with its body; 0 while it is not all there. */
static size_t
request_length(const char *data, size_t used)
{
	const char *end = memmem(data, used, "\r\n\r\n", 4);
	const char *field;
	size_t		length;

	if (end == NULL)
		return 0;
	length = (size_t) (end - data) + 4;
	for (field = data; field < end;
		 field = (const char *) memchr(field, '\n',
									   (size_t) (end + 2 - field)) + 1)
	{
		if (strncasecmp(field, "content-length:", 15) == 0)
			length += strtoul(field + 15, NULL, 10);
	}
	return length <= used ? length : 0;
}

static void
answer(int fd, const char *request, size_t length)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	char		text[256];
	char		body[128];
	int			n;

	if (strncmp(request, "POST ", 5) == 0)
		note(request, length);
	if (strncmp(request, "GET /log", 8) == 0)
	{
		send_log(fd);
		return;
	}
	if (strncmp(request, "GET /reset", 10) == 0)
		narrivals = 0;
	if (strncmp(request, "GET /count", 10) != 0)
	{
		send_all(fd, ok, sizeof(ok) - 1);
		return;
	}
	n = snprintf(body, sizeof(body), "%zu %lld %lld\n", narrivals,
				 narrivals ? (long long) arrivals[0].at_us : 0,
				 narrivals ? (long long) arrivals[narrivals - 1].at_us : 0);
	n = snprintf(text, sizeof(text),
				 "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body);
	send_all(fd, text, (size_t) n);
}

static void
note(const char *request, size_t length)
{
	static const char name[] = "\"appointment_id\":\"";
	const char *id = memmem(request, length, name, sizeof(name) - 1);
	Arrival    *arrival;

	if (narrivals == room)
	{
		room = room ? 2 * room : 65536;
		arrivals = realloc(arrivals, room * sizeof(Arrival));
		if (arrivals == NULL)
			fail("out of memory");
	}
	arrival = &arrivals[narrivals++];
	arrival->at_us = now_us();
	arrival->id[0] = '\0';
	if (id == NULL)
		return;
	id += sizeof(name) - 1;
	for (int i = 0; i < ID_MAX - 1 && id < request + length && *id != '"'; i++)
	{
		arrival->id[i] = *id++;
		arrival->id[i + 1] = '\0';
	}
}

static void
send_log(int fd)
{
	char	   *text = malloc(narrivals * 64 + 128);
	size_t		length = 0;
	char		head[128];
	int			n;

	if (text == NULL)
		fail("out of memory");
	for (size_t i = 0; i < narrivals; i++)
		length += (size_t) snprintf(text + length, 64, "%lld %s\n",
									(long long) arrivals[i].at_us,
									arrivals[i].id);
	n = snprintf(head, sizeof(head),
				 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length);
	send_all(fd, head, (size_t) n);
	send_all(fd, text, length);
	free(text);
}
