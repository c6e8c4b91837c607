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
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "http/feed.h"
#include "http/hold.h"
#include "http/options.h"

#define WORKER_TICK_MS 100
#define WORKER_STACK (1024 * 1024)	/* whatever the system's default is */

static bool worker_start_thread(Worker *worker);
static void *worker_main(void *context);
static bool worker_turn(Worker *worker);
static int64_t worker_timeout(Worker *worker);
static void worker_tick(Worker *worker);
static void worker_begin_stop(Worker *worker);
static bool worker_may_end(Worker *worker);
static void worker_asked(Watch *watch, uint32_t events);
static void worker_ignore(Watch *watch, uint32_t events);

/*
 * Starts the worker's thread on a listening socket that it owns from now on.
 * False: the reason is in the log.
 */
bool
worker_start(Worker *worker, int index, int listen_fd)
{
	Service    *service = &worker->service;

	*worker = (Worker) {.ask_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	if (worker->ask_fd < 0)
	{
		LOG_ERROR("could not start a worker",
				  log_text("why", strerror(errno)));
		return false;
	}
	service->pool = pool_open(index);
	service->wake.pool = service->pool;
	service->auth = auth_open(service->pool);
	service->feed = feed_open(service);
	return server_start(&worker->server, service, listen_fd) &&
		worker_start_thread(worker);
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

/* Asks the worker to end; may be called from any thread. */
void
worker_ask_stop(Worker *worker)
{
	uint64_t	one = 1;

	atomic_store(&worker->stop_asked, true);
	if (write(worker->ask_fd, &one, sizeof(one)) < 0)
		LOG_WARNING("could not ask a worker to stop");
}

/* The thread: turns until it may end. */
static void *
worker_main(void *context)
{
	Worker	   *worker = context;
	Service    *service = &worker->service;

	loop_open();
	worker->ask_watch = (Watch) {
		.fd = -1, .ready = worker_asked, .context = worker
	};
	worker->server_watch = (Watch) {.fd = -1, .ready = worker_ignore};
	loop_watch(&worker->ask_watch, worker->ask_fd, EPOLLIN);
	loop_watch(&worker->server_watch, server_epoll_fd(&worker->server),
			   EPOLLIN);
	log_gather(true);
	while (worker_turn(worker))
		log_flush();
	log_gather(false);
	if (service->running > 0)
		return NULL;			/* the process ends, and they with it */
	server_stop(&worker->server);
	feed_close(service->feed);
	pool_close(service->pool);
	auth_close(service->auth);
	loop_close();
	close(worker->ask_fd);
	return NULL;
}

/* One turn; false when the worker is to end. */
static bool
worker_turn(Worker *worker)
{
	Service    *service = &worker->service;

	loop_wait(worker_timeout(worker));
	hold_turn(service);
	server_run(&worker->server);
	wake_turn(&service->wake);
	if (loop_now_ms() >= worker->next_tick_ms)
		worker_tick(worker);
	pool_flush(service->pool);
	return !worker_may_end(worker);
}

/* How long the loop may wait, in milliseconds. */
static int64_t
worker_timeout(Worker *worker)
{
	const int64_t due_ms[] = {
		wake_due_ms(&worker->service.wake),
		hold_due_ms(&worker->service),
		server_due_ms(&worker->server),
	};
	int64_t		first_ms = worker->next_tick_ms;
	int64_t		now_ms = clock_ms();
	size_t		i;

	for (i = 0; i < sizeof(due_ms) / sizeof(due_ms[0]); i++)
	{
		if (due_ms[i] < first_ms)
			first_ms = due_ms[i];
	}
	return first_ms > now_ms ? first_ms - now_ms : 0;
}

/* What is done ten times a second. */
static void
worker_tick(Worker *worker)
{
	worker->next_tick_ms = loop_now_ms() + WORKER_TICK_MS;
	pool_tick(worker->service.pool, loop_now_ms());
	auth_tick(worker->service.auth, loop_now_ms());
	feed_tick(worker->service.feed);
	passwords_tick(&worker->service.passwords);
	server_tick(&worker->server);
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
	if (atomic_load(&worker->stop_asked) && !worker->service.stopping)
		worker_begin_stop(worker);
}

/* Stops to accept; what runs goes on. */
static void
worker_begin_stop(Worker *worker)
{
	worker->service.stopping = true;
	feed_stop(worker->service.feed);
	worker->stop_at_ms = loop_now_ms() + options.shutdown_timeout_ms;
	server_quiesce(&worker->server);
}

/* Whether nothing runs any more, or the time is up. */
static bool
worker_may_end(Worker *worker)
{
	const Service *service = &worker->service;

	if (!service->stopping)
		return false;
	if (loop_now_ms() >= worker->stop_at_ms)
	{
		LOG_WARNING("stopping with requests unanswered",
					log_int("requests", service->running));
		return true;
	}
	return service->running == 0 && !wake_is_due(&service->wake);
}

/* libmicrohttpd's descriptor: it is run in every turn. */
static void
worker_ignore(Watch *watch, uint32_t events)
{
	(void) watch;
	(void) events;
}
