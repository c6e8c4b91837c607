/*
 * worker.c
 *		A thread whose event loop owns libmicrohttpd's descriptor and the
 *		database's.
 *
 *		A turn: what the database answered, then libmicrohttpd (which calls
 *		the handlers: answers go out, new requests come in), then everything
 *		that they sent to the database goes out in one batch.
 */
#include "http/worker.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/clock.h"
#include "common/log.h"
#include "http/auth.h"
#include "http/lastword.h"
#include "http/options.h"
#include "http/pool.h"
#include "http/server.h"

#define WORKER_TICK_MS 100
#define WORKER_MHD_TURNS 8
#define WORKER_CROWD 200			/* clients */
#define WORKER_STACK (1024 * 1024)	/* whatever the system's default is */

static bool worker_start_thread(Worker *worker);
static void *worker_main(void *context);
static bool worker_turn(Worker *worker);
static int64_t worker_timeout(Worker *worker);
static void worker_run_daemon(Worker *worker);
static void worker_tick(Worker *worker);
static void worker_trim(Worker *worker);
static void worker_close_late(Worker *worker);
static void worker_begin_stop(Worker *worker);
static bool worker_may_end(Worker *worker);
static void worker_asked(Watch *watch, uint32_t events);
static void worker_ignore(Watch *watch, uint32_t events);

/*
 * Starts the loop's thread on a listening socket that it owns from now on.
 * False: the reason is in the log.
 */
bool
worker_start(Worker *worker, int index, int listen_fd)
{
	*worker = (Worker) {.index = index, .listen_fd = listen_fd};
	worker->clients.next = worker->clients.prev = &worker->clients;
	worker->ask_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->ask_fd < 0)
	{
		LOG_ERROR("could not start a worker",
				  log_text("why", strerror(errno)));
		return false;
	}
	worker->pool = pool_open(index);
	worker->wake.pool = worker->pool;
	worker->auth = auth_open(worker->pool);
	return server_start(worker) && worker_start_thread(worker);
}

/* Starts the thread; false: the reason is in the log. */
static bool
worker_start_thread(Worker *worker)
{
	pthread_attr_t attributes;
	int			failed;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, WORKER_STACK);
	failed = pthread_create(&worker->thread, &attributes, worker_main, worker);
	pthread_attr_destroy(&attributes);
	if (failed != 0)
		LOG_ERROR("could not start a thread",
				  log_text("why", strerror(failed)));
	return failed == 0;
}

/* Asks the loop to end; may be called from any thread. */
void
worker_ask_stop(Worker *worker)
{
	uint64_t	one = 1;

	atomic_store(&worker->stop_asked, true);
	if (write(worker->ask_fd, &one, sizeof(one)) < 0)
		LOG_WARNING("could not ask a loop to stop");
}

/* The thread: turns until it may end. */
static void *
worker_main(void *context)
{
	Worker	   *worker = context;

	loop_open();
	worker->ask_watch = (Watch) {
		.fd = -1, .ready = worker_asked, .context = worker
	};
	worker->daemon_watch = (Watch) {.fd = -1, .ready = worker_ignore};
	loop_watch(&worker->ask_watch, worker->ask_fd, EPOLLIN);
	loop_watch(&worker->daemon_watch, server_epoll_fd(worker), EPOLLIN);
	log_gather(true);
	while (worker_turn(worker))
		log_flush();
	log_gather(false);
	if (worker->running > 0)
		return NULL;			/* the process ends, and they with it */
	server_stop(worker);
	pool_close(worker->pool);
	auth_close(worker->auth);
	loop_close();
	close(worker->ask_fd);
	return NULL;
}

/* One turn; false when the loop is to end. */
static bool
worker_turn(Worker *worker)
{
	loop_wait(worker_timeout(worker));
	strangers_turn(worker);
	worker_run_daemon(worker);
	wake_turn(&worker->wake);
	if (loop_now_ms() >= worker->next_tick_ms)
		worker_tick(worker);
	pool_flush(worker->pool);
	return !worker_may_end(worker);
}

/* How long the loop may wait, in milliseconds. */
static int64_t
worker_timeout(Worker *worker)
{
	unsigned long long daemon_ms;
	int64_t		until = worker->next_tick_ms;
	int64_t		left;

	if (worker->wake.due_ms != 0 && worker->wake.due_ms < until)
		until = worker->wake.due_ms;
	if (strangers_due_ms(worker) < until)
		until = strangers_due_ms(worker);
	left = until - clock_ms();
	if (left < 0)
		left = 0;
	if (MHD_get_timeout(worker->daemon, &daemon_ms) == MHD_YES &&
		daemon_ms < (unsigned long long) left)
		left = (int64_t) daemon_ms;
	return left;
}

/*
 * Runs libmicrohttpd until it has nothing left to do at once: its descriptor
 * is edge-triggered, so it must not be left with something in hand.
 */
static void
worker_run_daemon(Worker *worker)
{
	unsigned long long daemon_ms;
	int			turns = 0;

	do
		MHD_run(worker->daemon);
	while (++turns < WORKER_MHD_TURNS &&
		   MHD_get_timeout(worker->daemon, &daemon_ms) == MHD_YES &&
		   daemon_ms == 0);
}

/* What is done ten times a second. */
static void
worker_tick(Worker *worker)
{
	worker->next_tick_ms = loop_now_ms() + WORKER_TICK_MS;
	pool_tick(worker->pool, loop_now_ms());
	auth_tick(worker->auth, loop_now_ms());
	worker_close_late(worker);
	worker_trim(worker);
}

/*
 * Gives memory back to the system when most of many clients have gone: malloc
 * keeps what lies between blocks in use, for good.
 */
static void
worker_trim(Worker *worker)
{
	if (worker->client_count > worker->client_peak)
		worker->client_peak = worker->client_count;
	if (worker->client_peak < WORKER_CROWD ||
		worker->client_count > worker->client_peak / 4)
		return;
	worker->client_peak = worker->client_count;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/*
 * Ends connections whose request did not come whole, whose answer was not
 * fetched, or that idled too long; when stopping, all that wait for nothing.
 */
static void
worker_close_late(Worker *worker)
{
	Client	   *client;

	for (client = worker->clients.next; client != &worker->clients;
		 client = client->next)
	{
		if (client->deadline_ms != 0 && loop_now_ms() >= client->deadline_ms)
			lastword_late(client);
		else if (worker->stopping && client->request == NULL)
			shutdown(client->fd, SHUT_RDWR);
		else
			continue;
		client->deadline_ms = 0;
	}
}

/* Something is asked from outside. */
static void
worker_asked(Watch *watch, uint32_t events)
{
	Worker	   *worker = watch->context;
	uint64_t	count;

	(void) events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return;
	if (atomic_load(&worker->stop_asked) && !worker->stopping)
		worker_begin_stop(worker);
}

/* Stops to accept; what runs goes on. */
static void
worker_begin_stop(Worker *worker)
{
	worker->stopping = true;
	worker->stop_at_ms = loop_now_ms() + options.shutdown_timeout_ms;
	server_quiesce(worker);
	worker_close_late(worker);
}

/* Whether nothing runs any more, or the time is up. */
static bool
worker_may_end(Worker *worker)
{
	if (!worker->stopping)
		return false;
	if (loop_now_ms() >= worker->stop_at_ms)
	{
		LOG_WARNING("stopping with requests unanswered",
					log_int("requests", worker->running));
		return true;
	}
	return worker->running == 0 && worker->wake.due_ms == 0;
}

/* libmicrohttpd's descriptor: it is run in every turn. */
static void
worker_ignore(Watch *watch, uint32_t events)
{
	(void) watch;
	(void) events;
}
