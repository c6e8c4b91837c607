/*
 * connect.c
 *		Opens connections to PostgreSQL in threads, so that an event loop waits
 *		neither for a name server nor for a server's handshake.
 *
 *		The two programs' state machines stand on this, http/dbconn.c and
 *		relay/link.c: how many attempts, how soon the next, which host of a
 *		DSN is decided here for both.  A PgServer belongs to the loop's
 *		thread alone.
 */
#include "common/connect.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/errand.h"

#define CONNECT_WAIT_MS 6000	/* then begin with the DSN's next host */
#define CONNECT_MAX 4			/* at a time, at a server that answers */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 1000

struct PgAttempt
{
	PgServer   *server;			/* the loop's */
	PgOptions	options;
	Errand	   *errand;			/* the loop's */
	PGconn	   *connection;
	bool		silent;			/* the server said nothing in time */
};

static void attempt_run(void *context);
static void attempt_poll(PgAttempt *attempt);
static bool attempt_wait(PgAttempt *attempt, short events, int64_t *left_ms);
static void attempt_drop(void *context);

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

/*
 * clock_ms() when another attempt may be started; INT64_MAX: not before one
 * that is under way has ended.
 */
int64_t
pg_connect_due_ms(const PgServer *server)
{
	return server->under_way < (server->answers ? CONNECT_MAX : 1)
		? server->retry_ms : INT64_MAX;
}

/*
 * Delays the next attempt, because one has failed or its session could not be
 * set up: by RETRY_MIN_MS, doubled with each failure in a row, up to
 * RETRY_MAX_MS.
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
	Errand	   *errand;

	*attempt = (PgAttempt) {
		.server = server,
		.options = {
			.dsn = server->dsn,
			.application_name = application_name,
			.first_host = server->first_host,
		},
	};
	errand = errand_start(&(ErrandTask) {
		.run = attempt_run, .drop = attempt_drop, .context = attempt
	});
	if (errand == NULL)
	{
		pg_connect_later(server);
		return NULL;
	}
	attempt->errand = errand;
	server->under_way++;
	return attempt;
}

/* The descriptor that becomes readable when the attempt is over. */
int
pg_attempt_fd(const PgAttempt *attempt)
{
	return errand_fd(attempt->errand);
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
	errand_let_go(attempt->errand);
	return connection;
}

/* Nobody waits for the attempt any more; its server may be gone after this. */
void
pg_attempt_abandon(PgAttempt *attempt)
{
	attempt->server->under_way--;
	errand_let_go(attempt->errand);
}

/* The thread of one attempt. */
static void
attempt_run(void *context)
{
	PgAttempt  *attempt = context;

	attempt->connection = pg_connect_start(&attempt->options);
	if (attempt->connection != NULL)
		attempt_poll(attempt);
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
 * Waits for the server, at most *left_ms, from which the time is taken.  The
 * time that a name server takes does not count: it passes within libpq.
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

/* Frees the attempt, and its connection if nobody took that. */
static void
attempt_drop(void *context)
{
	PgAttempt  *attempt = context;

	PQfinish(attempt->connection);
	free(attempt);
}
