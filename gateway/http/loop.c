/*
 * loop.c
 *		One epoll that owns libmicrohttpd's descriptor and the database's.
 *
 *		A turn: what the database answered, then libmicrohttpd (which calls
 *		the handlers: answers go out, new requests come in), then everything
 *		that they sent to the database goes out in one batch.
 */
#include "http/loop.h"

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

#define LOOP_EVENTS 128
#define LOOP_TICK_MS 100
#define LOOP_WAKE_MS 5			/* at most one wake-up of the relay in it */
#define LOOP_MHD_TURNS 8
#define LOOP_CROWD 200			/* clients */
#define LOOP_STACK (1024 * 1024)	/* whatever the system's default is */

static bool loop_start_thread(Loop *loop);
static void *loop_main(void *context);
static bool loop_turn(Loop *loop);
static int	loop_timeout(Loop *loop);
static void loop_run_daemon(Loop *loop);
static void loop_tick(Loop *loop);
static void loop_trim(Loop *loop);
static void loop_close_late(Loop *loop);
static void loop_begin_stop(Loop *loop);
static bool loop_may_end(Loop *loop);
static void loop_asked(Watch *watch, uint32_t events);
static void loop_ignore(Watch *watch, uint32_t events);

/*
 * Starts the loop's thread on a listening socket that it owns from now on.
 * False: the reason is in the log.
 */
bool
loop_start(Loop *loop, int index, int listen_fd)
{
	*loop = (Loop) {.index = index, .listen_fd = listen_fd};
	loop->clients.next = loop->clients.prev = &loop->clients;
	loop->now_ms = clock_ms();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->ask_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->ask_fd < 0)
	{
		LOG_ERROR("could not create a loop", log_text("why", strerror(errno)));
		return false;
	}
	loop->ask_watch = (Watch) {.fd = loop->ask_fd, .ready = loop_asked,
	.context = loop};
	loop_watch(loop, &loop->ask_watch, EPOLLIN);
	loop->pool = pool_open(loop);
	loop->auth = auth_open(loop);
	if (!server_start(loop))
		return false;
	loop->daemon_watch = (Watch) {.fd = server_epoll_fd(loop),
	.ready = loop_ignore};
	loop_watch(loop, &loop->daemon_watch, EPOLLIN);
	return loop_start_thread(loop);
}

/* Starts the thread; false: the reason is in the log. */
static bool
loop_start_thread(Loop *loop)
{
	pthread_attr_t attributes;
	int			failed;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, LOOP_STACK);
	failed = pthread_create(&loop->thread, &attributes, loop_main, loop);
	pthread_attr_destroy(&attributes);
	if (failed != 0)
		LOG_ERROR("could not start a thread",
				  log_text("why", strerror(failed)));
	return failed == 0;
}

/* Asks the loop to end; may be called from any thread. */
void
loop_ask_stop(Loop *loop)
{
	uint64_t	one = 1;

	atomic_store(&loop->stop_asked, true);
	if (write(loop->ask_fd, &one, sizeof(one)) < 0)
		LOG_WARNING("could not ask a loop to stop");
}

/* Waits for these events of a descriptor that is new to the loop. */
void
loop_watch(Loop *loop, Watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0)
		LOG_ERROR("epoll_ctl failed", log_text("why", strerror(errno)));
}

/* Waits for other events, of a descriptor that may be another by now. */
void
loop_watch_again(Loop *loop, Watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0 &&
		errno == ENOENT)
		loop_watch(loop, watch, events);
}

/* A write has committed: the relay is woken soon, once for many. */
void
loop_wake_relay(Loop *loop)
{
	if (loop->wake_at_ms == 0)
		loop->wake_at_ms = loop->now_ms + LOOP_WAKE_MS;
}

/* The thread: turns until it may end. */
static void *
loop_main(void *context)
{
	Loop	   *loop = context;

	log_gather(true);
	while (loop_turn(loop))
		log_flush();
	log_gather(false);
	if (loop->running > 0)
		return NULL;			/* the process ends, and they with it */
	server_stop(loop);
	pool_close(loop->pool);
	auth_close(loop->auth);
	close(loop->epoll_fd);
	close(loop->ask_fd);
	return NULL;
}

/* One turn; false when the loop is to end. */
static bool
loop_turn(Loop *loop)
{
	struct epoll_event events[LOOP_EVENTS];
	int			count;
	int			i;

	count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS,
					   loop_timeout(loop));
	loop->now_ms = clock_ms();
	for (i = 0; i < count; i++)
	{
		Watch	   *watch = events[i].data.ptr;

		watch->ready(watch, events[i].events);
	}
	strangers_turn(loop);
	loop_run_daemon(loop);
	if (loop->wake_at_ms != 0 && loop->now_ms >= loop->wake_at_ms)
	{
		loop->wake_at_ms = 0;
		auth_wake_relay(loop->auth);
	}
	if (loop->now_ms >= loop->next_tick_ms)
		loop_tick(loop);
	pool_flush(loop->pool);
	return !loop_may_end(loop);
}

/* How long epoll may wait, in milliseconds. */
static int
loop_timeout(Loop *loop)
{
	unsigned long long daemon_ms;
	int64_t		until = loop->next_tick_ms;
	int64_t		left;

	if (loop->wake_at_ms != 0 && loop->wake_at_ms < until)
		until = loop->wake_at_ms;
	if (strangers_due_ms(loop) < until)
		until = strangers_due_ms(loop);
	left = until - clock_ms();
	if (left < 0)
		left = 0;
	if (MHD_get_timeout(loop->daemon, &daemon_ms) == MHD_YES &&
		daemon_ms < (unsigned long long) left)
		left = (int64_t) daemon_ms;
	return (int) left;
}

/*
 * Runs libmicrohttpd until it has nothing left to do at once: its descriptor
 * is edge-triggered, so it must not be left with something in hand.
 */
static void
loop_run_daemon(Loop *loop)
{
	unsigned long long daemon_ms;
	int			turns = 0;

	do
		MHD_run(loop->daemon);
	while (++turns < LOOP_MHD_TURNS &&
		   MHD_get_timeout(loop->daemon, &daemon_ms) == MHD_YES &&
		   daemon_ms == 0);
}

/* What is done ten times a second. */
static void
loop_tick(Loop *loop)
{
	loop->next_tick_ms = loop->now_ms + LOOP_TICK_MS;
	pool_tick(loop->pool, loop->now_ms);
	auth_tick(loop->auth, loop->now_ms);
	loop_close_late(loop);
	loop_trim(loop);
}

/*
 * Gives memory back to the system when most of many clients have gone: malloc
 * keeps what lies between blocks in use, for good.
 */
static void
loop_trim(Loop *loop)
{
	if (loop->client_count > loop->client_peak)
		loop->client_peak = loop->client_count;
	if (loop->client_peak < LOOP_CROWD ||
		loop->client_count > loop->client_peak / 4)
		return;
	loop->client_peak = loop->client_count;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/*
 * Ends connections whose request did not come whole, whose answer was not
 * fetched, or that idled too long; when stopping, all that wait for nothing.
 */
static void
loop_close_late(Loop *loop)
{
	Client	   *client;

	for (client = loop->clients.next; client != &loop->clients;
		 client = client->next)
	{
		if (client->deadline_ms != 0 && loop->now_ms >= client->deadline_ms)
			lastword_late(client);
		else if (loop->stopping && client->request == NULL)
			shutdown(client->fd, SHUT_RDWR);
		else
			continue;
		client->deadline_ms = 0;
	}
}

/* Something is asked from outside. */
static void
loop_asked(Watch *watch, uint32_t events)
{
	Loop	   *loop = watch->context;
	uint64_t	count;

	(void) events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return;
	if (atomic_load(&loop->stop_asked) && !loop->stopping)
		loop_begin_stop(loop);
}

/* Stops to accept; what runs goes on. */
static void
loop_begin_stop(Loop *loop)
{
	loop->stopping = true;
	loop->stop_at_ms = loop->now_ms + options.shutdown_timeout_ms;
	server_quiesce(loop);
	loop_close_late(loop);
}

/* Whether nothing runs any more, or the time is up. */
static bool
loop_may_end(Loop *loop)
{
	if (!loop->stopping)
		return false;
	if (loop->now_ms >= loop->stop_at_ms)
	{
		LOG_WARNING("stopping with requests unanswered",
					log_int("requests", loop->running));
		return true;
	}
	return loop->running == 0 && loop->wake_at_ms == 0;
}

/* libmicrohttpd's descriptor: it is run in every turn. */
static void
loop_ignore(Watch *watch, uint32_t events)
{
	(void) watch;
	(void) events;
}
