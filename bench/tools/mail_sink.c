/*
 * mail_sink.c
 *		A mail server that costs as little as one can: takes every mail, keeps
 *		none, and notes when it came.
 *
 *		mail_sink PORT
 *
 *		XCOUNT answers "250 N FIRST LAST": mails so far, and the microseconds
 *		since 1970 of the first and the last.  XRESET forgets them.  Ends with
 *		SIGTERM.
 */
#include "sinking.h"

static long count;
static int64_t first_us;
static int64_t last_us;

static void obey(Connection *connection, const char *line);
static void say(int fd, const char *text);

static void
connected(Connection *connection)
{
	say(connection->fd, "220 sink\r\n");
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
	send_all(fd, text, strlen(text));
}
