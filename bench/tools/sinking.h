/*
 * sinking.h
 *		What both sinks are: a server on the loopback in one thread, by one
 *		epoll, that answers every whole request as soon as it is there.
 *
 *		The file that includes this defines connected() and take().
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
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS	256
#define BUFFER		65536

typedef struct Connection
{
	int			fd;
	bool		in_mail;		/* of mail_sink.c: behind DATA */
	size_t		used;
	char		data[BUFFER];
} Connection;

/* A connection has come: says what the protocol has the server say first. */
static void connected(Connection *connection);

/* Answers the request that begins there; its length, 0: it is not whole. */
static size_t take(Connection *connection, size_t at);

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Microseconds since 1970. */
static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
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

/* A listening socket of the loopback. */
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
		connection->in_mail = false;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd,
				  &(struct epoll_event) {
					  .events = EPOLLIN, .data.ptr = connection});
		connected(connection);
	}
}

/* Reads what there is and answers every whole request; false at the end. */
static bool
serve(Connection *connection)
{
	ssize_t		got = read(connection->fd, connection->data + connection->used,
						   BUFFER - connection->used);
	size_t		at = 0;
	size_t		length;

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	connection->used += (size_t) got;
	while ((length = take(connection, at)) > 0)
		at += length;
	connection->used -= at;
	memmove(connection->data, connection->data + at, connection->used);
	return connection->used < BUFFER;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[MAX_EVENTS];
	int			epoll_fd = epoll_create1(0);
	int			listener;

	if (argc != 2)
	{
		fprintf(stderr, "usage: %s PORT\n", argv[0]);
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
