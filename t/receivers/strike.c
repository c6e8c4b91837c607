/*
 * strike.c
 *		Kills the process that it is preloaded into by SIGKILL, at one step of
 *		its work and once: the step is in the file $STRIKE_PLAN at that moment,
 *		and the file $STRIKE_PLAN.struck, made just before, has the pid.
 *
 *		The plan is a line "POINT PORT WHOM" and a text up to the file's end.
 *
 *		Of a client of PostgreSQL, whose statement has the text:
 *			before		the statement is not sent
 *			sent		it has gone whole
 *			unread		all of its answer is there, and not read
 *			answered	the answer was read, nothing was done with it
 *		Of a client of a server at PORT, whose bytes have the text, or are the
 *		last of it:
 *			half		half of the bytes have gone
 *			whole		all have
 *			reply		the reply is there, and not read
 *		Of a server process of PostgreSQL that gets a statement with the text:
 *			received	nothing was done
 *			writing		WAL is about to be written, so it is not committed
 *			written		WAL was written
 *			answering	it is committed, the answer is not sent
 *
 *		WHOM is self or, of a server process, cluster: its parent, too, with
 *		which all of its children die.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&(name))) dlsym(RTLD_NEXT, #name))
#define TAIL_MIN	3			/* bytes that count as the last of the text */

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;

typedef struct Plan
{
	char		point[16];
	int			port;
	char		whom[16];
	char		text[200];
	size_t		text_len;
} Plan;

extern int	PQsendQueryParams(PGconn *conn, const char *command, int count,
							  const unsigned *types,
							  const char *const *values, const int *lengths,
							  const int *formats, int result_format);
extern int	PQconsumeInput(PGconn *conn);
extern PGresult *PQgetResult(PGconn *conn);
extern int	PQflush(PGconn *conn);
extern int	PQsocket(const PGconn *conn);

static const PGconn *watched = NULL;	/* its statement has the text */
static int	awaited = -1;		/* the socket whose reply is the step */
static bool armed = false;		/* the statement at work here has the text */

/* The plan as it is now; one without a point if there is none. */
static Plan
plan_now(void)
{
	const char *file = getenv("STRIKE_PLAN");
	int			fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	char		bytes[256] = "";
	Plan		plan = {0};
	int			from = 0;
	ssize_t		len;

	if (fd < 0)
		return plan;
	len = read(fd, bytes, sizeof(bytes) - 1);
	close(fd);
	if (len > 0 && sscanf(bytes, "%15s %d %15s%n", plan.point, &plan.port,
						  plan.whom, &from) == 3)
	{
		plan.text_len = (size_t) len - (size_t) from - 1;
		memcpy(plan.text, bytes + from + 1, plan.text_len);
	}
	return plan;
}

static bool
is_at(const Plan *plan, const char *point)
{
	return strcmp(plan->point, point) == 0;
}

static bool
has_text(const Plan *plan, const void *bytes, size_t len)
{
	return plan->text_len > 0 &&
		(memmem(bytes, len, plan->text, plan->text_len) != NULL ||
		 (len >= TAIL_MIN && len < plan->text_len &&
		  memcmp(plan->text + plan->text_len - len, bytes, len) == 0));
}

/* Kills, unless that was done. */
static void
strike(const Plan *plan)
{
	char		file[256];
	int			fd;

	snprintf(file, sizeof(file), "%s.struck", getenv("STRIKE_PLAN"));
	fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	dprintf(fd, "%d\n", (int) getpid());
	close(fd);
	if (strcmp(plan->whom, "cluster") == 0)
		kill(getppid(), SIGKILL);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Waits until all of an answer lies at the socket: ready for the next one. */
static void
await_answer(int fd)
{
	static const char ready[6] = {'Z', 0, 0, 0, 5, 'I'};
	static char bytes[1 << 20];
	ssize_t		len;

	do
	{
		usleep(1000);
		len = REAL(recv) (fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	} while (len > 0 && (len < (ssize_t) sizeof(ready) ||
						 memcmp(bytes + len - sizeof(ready), ready,
								sizeof(ready)) != 0));
}

int
PQsendQueryParams(PGconn *conn, const char *command, int count,
				  const unsigned *types, const char *const *values,
				  const int *lengths, const int *formats, int result_format)
{
	Plan		plan = plan_now();
	bool		fits = has_text(&plan, command, strlen(command));
	int			sent;

	if (fits && is_at(&plan, "before"))
		strike(&plan);
	sent = REAL(PQsendQueryParams) (conn, command, count, types, values,
									lengths, formats, result_format);
	if (fits && is_at(&plan, "sent"))
	{
		while (PQflush(conn) == 1)
			usleep(1000);
		strike(&plan);
	}
	if (fits)
		watched = conn;
	else if (watched == conn)
		watched = NULL;
	return sent;
}

int
PQconsumeInput(PGconn *conn)
{
	Plan		plan = plan_now();

	if (conn == watched && is_at(&plan, "unread"))
	{
		await_answer(PQsocket(conn));
		strike(&plan);
	}
	return REAL(PQconsumeInput) (conn);
}

PGresult *
PQgetResult(PGconn *conn)
{
	PGresult   *result = REAL(PQgetResult) (conn);
	Plan		plan = plan_now();

	if (conn == watched && result != NULL && is_at(&plan, "answered"))
		strike(&plan);
	return result;
}

/* The port of the other end; 0: it has none. */
static int
peer_port(int fd)
{
	struct sockaddr_in peer = {0};
	socklen_t	len = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *) &peer, &len) != 0 ||
		peer.sin_family != AF_INET)
		return 0;
	return ntohs(peer.sin_port);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	Plan		plan = plan_now();
	ssize_t		sent;

	if (armed && is_at(&plan, "answering"))
		strike(&plan);
	if (plan.port == 0 || peer_port(fd) != plan.port ||
		!has_text(&plan, bytes, len))
		return REAL(send) (fd, bytes, len, flags);
	sent = REAL(send) (fd, bytes, is_at(&plan, "half") ? len / 2 : len, flags);
	if (is_at(&plan, "half") || is_at(&plan, "whole"))
		strike(&plan);
	awaited = is_at(&plan, "reply") ? fd : -1;
	return sent;
}

ssize_t
recv(int fd, void *bytes, size_t len, int flags)
{
	Plan		plan = plan_now();
	ssize_t		came;

	if (fd == awaited && is_at(&plan, "reply") &&
		REAL(recv) (fd, bytes, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		strike(&plan);
	came = REAL(recv) (fd, bytes, len, flags);
	if (came <= 0)
		return came;
	armed = plan.port == 0 && has_text(&plan, bytes, (size_t) came);
	if (armed && is_at(&plan, "received"))
		strike(&plan);
	return came;
}

/*
 * A server process asks to be told of its parent's end, and looks at that when it
 * has time: one that waits for a lock of the killed never has.
 */
int
prctl(int option, ...)
{
	unsigned long arg[4];
	va_list		args;
	int			i;

	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	if (option == PR_SET_PDEATHSIG)
		arg[0] = SIGKILL;
	return REAL(prctl) (option, arg[0], arg[1], arg[2], arg[3]);
}

/* Whether the file is one of the write-ahead log's. */
static bool
is_wal(int fd)
{
	char		link[32];
	char		path[512];
	ssize_t		len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len > 0 && memmem(path, (size_t) len, "/pg_wal/", 8) != NULL;
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	Plan		plan = {0};
	ssize_t		wrote;

	if (armed && is_wal(fd))
		plan = plan_now();
	if (is_at(&plan, "writing"))
		strike(&plan);
	wrote = REAL(pwrite) (fd, bytes, len, at);
	if (is_at(&plan, "written"))
		strike(&plan);
	return wrote;
}
