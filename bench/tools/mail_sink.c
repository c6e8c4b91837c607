/*
 * mail_sink.c
 *		A mail server that costs as little as one can: takes every mail, keeps
 *		none, and notes when it came.
 *
 *		mail_sink PORT
 *
 *		XCOUNT answers "250 N FIRST LAST": mails so far, and the microseconds
 *		since 1970 of the first and the last.  XRESET forgets them.  One
 *		thread, one epoll; ends with SIGTERM.
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

#define MAX_EVENTS	64
#define BUFFER		65536

typedef struct Connection
{
	int			fd;
	bool		in_mail;		/* behind DATA */
	size_t		used;
	char		data[BUFFER];
} Connection;

static long count;
static int64_t first_us;
static int64_t last_us;

static int	listen_on(int port);
static void accept_all(int epoll_fd, int listener);
static bool serve(Connection *connection);
static size_t take(Connection *connection, size_t at);
static void obey(Connection *connection, const char *line);
static void say(int fd, const char *text);
static int64_t now_us(void);

int
main(int argc, char **argv)
{
	struct epoll_event events[MAX_EVENTS];
	int			epoll_fd = epoll_create1(0);
	int			listener;

	if (argc != 2)
	{
		fprintf(stderr, "usage: mail_sink PORT\n");
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
		listen(fd, 256) < 0)
	{
		perror("could not listen");
		exit(1);
	}
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
			exit(1);
		connection->fd = fd;
		connection->used = 0;
		connection->in_mail = false;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd,
				  &(struct epoll_event) {
					  .events = EPOLLIN, .data.ptr = connection});
		say(fd, "220 sink\r\n");
	}
}

/* Reads what there is and answers all of it; false at the end. */
static bool
serve(Connection *connection)
{
	ssize_t		got = read(connection->fd, connection->data + connection->used,
						   BUFFER - connection->used);
	size_t		at = 0;
	size_t		len;

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	connection->used += (size_t) got;
	while ((len = take(connection, at)) > 0)
		at += len;
	connection->used -= at;
	memmove(connection->data, connection->data + at, connection->used);
	return connection->used < BUFFER;
}

/* A command or a mail that is all there; its length, 0 if none is. */
static size_t
take(Connection *connection, size_t at)
{
	char	   *from = connection->data + at;
	size_t		left = connection->used - at;
	const char *mark = connection->in_mail ? "\r\n.\r\n" : "\r\n";
	char	   *end = memmem(from, left, mark, strlen(mark));

	if (end == NULL)
		return 0;
	*end = '\0';
	if (!connection->in_mail)
		obey(connection, from);
	else
	{
		last_us = now_us();
		if (count++ == 0)
			first_us = last_us;
		connection->in_mail = false;
		say(connection->fd, "250 taken\r\n");
	}
	return (size_t) (end - from) + strlen(mark);
}

static void
obey(Connection *connection, const char *line)
{
	char		text[128];

	if (strcasecmp(line, "DATA") == 0)
	{
		connection->in_mail = true;
		say(connection->fd, "354 go on\r\n");
	}
	else if (strcasecmp(line, "XCOUNT") == 0)
	{
		snprintf(text, sizeof(text), "250 %ld %lld %lld\r\n", count,
				 (long long) first_us, (long long) last_us);
		say(connection->fd, text);
	}
	else
	{
		if (strcasecmp(line, "XRESET") == 0)
			count = 0;
		say(connection->fd, "250 OK\r\n");
	}
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		perror("could not answer");
}

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
