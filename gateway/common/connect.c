/*
 * connect.c
 *		Opens connections to PostgreSQL in threads, so that an event loop waits
 *		neither for a name server nor for a server's handshake.
 *
 *		An attempt is shared by the loop that started it and its thread, each
 *		of which lets go of it once: the last frees it, and a connection that
 *		nobody took with it.  A PgServer belongs to the loop's thread alone.
 */
#include "common/connect.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define CONNECT_WAIT_MS 6000	/* then begin with the DSN's next host */
#define CONNECT_MAX 4			/* at a time, at a server that answers */
#define CONNECT_STACK (1024 * 1024)
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 1000

struct PgAttempt
{
	PgServer   *server;			/* the loop's */
	PgOptions	options;
	atomic_int	holders;		/* who have not let go of it */
	int			fd;				/* eventfd: the attempt is over */
	PGconn	   *connection;
	bool		silent;			/* the server said nothing in time */
};

static atomic_int running;

static void *attempt_main(void *context);
static void attempt_poll(PgAttempt *attempt);
static bool attempt_wait(PgAttempt *attempt, short events, int64_t *left_ms);
static void attempt_let_go(PgAttempt *attempt);

/*
 * Whether another attempt may be started: some at a time at a server that
 * answers, one at a time and at most one a second at one that does not.
 */
bool
pg_may_connect(const PgServer *server)
{
	return server->under_way < (server->answers ? CONNECT_MAX : 1) &&
		clock_ms() >= server->retry_ms;
}

/* When another attempt may be started; never: when one has ended. */
int64_t
pg_connect_due_ms(const PgServer *server)
{
	return server->under_way < (server->answers ? CONNECT_MAX : 1)
		? server->retry_ms : INT64_MAX;
}

/*
 * The server is of no use at present: an attempt has failed, or what came
 * after it.  The next may start a little later, the later the more have.
 */
void
pg_connect_later(PgServer *server)
{
	server->answers = false;
	server->retry_ms = clock_ms() + (server->failures > 3 ? RETRY_MAX_MS
									 : RETRY_MIN_MS << server->failures);
	server->failures++;
}

/* Starts to connect; NULL: not now, for want of a thread or a descriptor. */
PgAttempt *
pg_attempt_start(PgServer *server, const char *application_name)
{
	PgAttempt  *attempt = must_alloc(sizeof(PgAttempt));
	pthread_attr_t attributes;
	pthread_t	thread;
	int			failed;

	*attempt = (PgAttempt) {
		.server = server,
		.options = {
			.dsn = server->dsn,
			.application_name = application_name,
			.first_host = server->first_host,
		},
		.holders = 2,
		.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, CONNECT_STACK);
	atomic_fetch_add(&running, 1);
	failed = attempt->fd < 0 ? errno
		: pthread_create(&thread, &attributes, attempt_main, attempt);
	pthread_attr_destroy(&attributes);
	if (failed == 0)
	{
		server->under_way++;
		return attempt;
	}
	atomic_fetch_sub(&running, 1);
	LOG_WARNING("could not start to connect",
				log_text("why", strerror(failed)));
	pg_connect_later(server);
	attempt->holders = 1;
	attempt_let_go(attempt);
	return NULL;
}

/* The descriptor that becomes readable when the attempt is over. */
int
pg_attempt_fd(const PgAttempt *attempt)
{
	return attempt->fd;
}

/*
 * The connection of an attempt that is over, open and non-blocking; or one
 * that is not, with why.  It is the caller's; the attempt is gone.
 */
PGconn *
pg_attempt_end(PgAttempt *attempt, const char **why)
{
	PgServer   *server = attempt->server;
	PGconn	   *connection = attempt->connection;

	*why = attempt->silent ? "connecting took too long"
		: PQerrorMessage(connection);
	server->under_way--;
	/* Of several attempts that met the same silent host the first counts. */
	if (attempt->silent && attempt->options.first_host == server->first_host)
		server->first_host++;
	if (PQstatus(connection) == CONNECTION_OK)
	{
		server->answers = true;
		server->failures = 0;
		server->retry_ms = 0;
	}
	else
		pg_connect_later(server);
	attempt->connection = NULL;
	attempt_let_go(attempt);
	return connection;
}

/* Nobody waits for the attempt any more; its server may be gone after this. */
void
pg_attempt_abandon(PgAttempt *attempt)
{
	attempt->server->under_way--;
	attempt_let_go(attempt);
}

/*
 * Whether a thread still works on an attempt.  Whoever ends the process then
 * must not run exit handlers: they free what the thread uses.
 */
bool
pg_attempts_running(void)
{
	return atomic_load(&running) > 0;
}

/* The thread of one attempt. */
static void *
attempt_main(void *context)
{
	PgAttempt  *attempt = context;
	uint64_t	one = 1;

	attempt->connection = pg_connect_start(&attempt->options);
	if (attempt->connection != NULL)
		attempt_poll(attempt);
	if (write(attempt->fd, &one, sizeof(one)) < 0)
		LOG_ERROR("could not tell of a connection");
	attempt_let_go(attempt);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Goes on until the connection is open, or cannot be, or takes too long. */
static void
attempt_poll(PgAttempt *attempt)
{
	int64_t		left_ms = CONNECT_WAIT_MS;
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;

	while (PQstatus(attempt->connection) != CONNECTION_BAD)
	{
		if (!attempt_wait(attempt, step == PGRES_POLLING_WRITING ? POLLOUT
						  : POLLIN, &left_ms))
			return;
		step = PQconnectPoll(attempt->connection);
		if (step == PGRES_POLLING_FAILED)
			return;
		if (step == PGRES_POLLING_OK)
		{
			PQsetnonblocking(attempt->connection, 1);
			return;
		}
	}
}

/*
 * Waits for the server, not longer than is left.  Only waiting counts: what a
 * name server takes is spent in libpq.
 */
static bool
attempt_wait(PgAttempt *attempt, short events, int64_t *left_ms)
{
	struct pollfd poll_fd = {
		.fd = PQsocket(attempt->connection), .events = events
	};
	int64_t		from_ms = clock_ms();
	int			ready;

	do
		ready = poll(&poll_fd, 1, *left_ms > 0 ? (int) *left_ms : 0);
	while (ready < 0 && errno == EINTR);
	*left_ms -= clock_ms() - from_ms;
	attempt->silent = ready == 0;
	return ready > 0;
}

/* One of its holders needs the attempt no more. */
static void
attempt_let_go(PgAttempt *attempt)
{
	if (atomic_fetch_sub(&attempt->holders, 1) > 1)
		return;
	PQfinish(attempt->connection);
	if (attempt->fd >= 0)
		close(attempt->fd);
	free(attempt);
}
