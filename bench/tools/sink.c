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
 *		forgets them.  One thread, one epoll; ends with its parent or SIGTERM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS	256
#define BUFFER		65536
#define ID_MAX		32

typedef struct Connection
{
	int			fd;
	size_t		used;
	char		data[BUFFER];
} Connection;

typedef struct Arrival
{
	int64_t		at_us;
	char		id[ID_MAX];
} Arrival;

static Arrival *arrivals;
static size_t narrivals;
static size_t room;

static int	listen_on(int port);
static void accept_all(int epoll_fd, int listener);
static bool serve(Connection *connection);
static size_t request_length(const char *data, size_t used);
static void answer(int fd, const char *request, size_t length);
static void note(const char *request, size_t length);
static void send_log(int fd);
static void send_all(int fd, const char *text, size_t length);
static int64_t now_us(void);
static void fail(const char *what);

int
main(int argc, char **argv)
{
	struct epoll_event events[MAX_EVENTS];
	int			epoll_fd = epoll_create1(0);
	int			listener;

	if (argc != 2)
	{
		fprintf(stderr, "usage: sink PORT\n");
		return 2;
	}
	listener = listen_on((int) strtol(argv[1], NULL, 10));
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener,
			  &(struct epoll_event) {.events = EPOLLIN});
	for (;;)
	{
		int			n = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);

		for (int i = 0; i < n; i++)
		{
			Connection *connection = events[i].data.ptr;

			if (connection == NULL)
				accept_all(epoll_fd, listener);
			else if (!serve(connection))
			{
				close(connection->fd);
				free(connection);
			}
		}
	}
}

/* A listening socket of the loopback; ends the program if there is none. */
static int
listen_on(int port)
{
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int			on = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t) port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
		listen(fd, 1024) < 0)
		fail("could not listen");
	return fd;
}

static void
accept_all(int epoll_fd, int listener)
{
	int			fd;
	int			on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
	{
		Connection *connection = malloc(sizeof(Connection));

		if (connection == NULL)
			fail("out of memory");
		connection->fd = fd;
		connection->used = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd,
				  &(struct epoll_event) {
					  .events = EPOLLIN, .data.ptr = connection});
	}
}

/* Reads what there is and answers every whole request; false at the end. */
static bool
serve(Connection *connection)
{
	ssize_t		got = read(connection->fd, connection->data + connection->used,
						   BUFFER - connection->used);
	size_t		length;

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	connection->used += (size_t) got;
	while ((length = request_length(connection->data, connection->used)) > 0)
	{
		answer(connection->fd, connection->data, length);
		connection->used -= length;
		memmove(connection->data, connection->data + length,
				connection->used);
	}
	return connection->used < BUFFER;
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

/* Waits where the socket is full: answers are short, the log is asked last. */
static void
send_all(int fd, const char *text, size_t length)
{
	while (length > 0)
	{
		ssize_t		sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return;
		if (sent < 0)
		{
			usleep(100);
			continue;
		}
		text += sent;
		length -= (size_t) sent;
	}
}

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}
