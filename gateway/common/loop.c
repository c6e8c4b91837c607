/*
 * loop.c
 *		An event loop on epoll, level-triggered: the calling thread's.
 *
 *		A watch that is freed while its events are being handed out lives
 *		until the round is over.
 */
#include "common/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define EVENTS_A_ROUND 256

static _Thread_local int epoll_fd = -1;
static _Thread_local int64_t now_ms;
static _Thread_local Watch *dead = NULL;

static void watch_control(Watch *watch, int operation);

/* Makes the thread's loop; to be called once, first. */
void
loop_open(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		abort();
	now_ms = clock_ms();
}

/* Ends the thread's loop; what is watched stays open. */
void
loop_close(void)
{
	close(epoll_fd);
	epoll_fd = -1;
}

/* clock_ms() when the round began that is running. */
int64_t
loop_now_ms(void)
{
	return now_ms;
}

/* Watches the descriptor for these events, instead of what it was before. */
void
loop_watch(Watch *watch, int fd, uint32_t events)
{
	if (watch->fd == fd && watch->events == events)
		return;
	if (watch->fd >= 0 && watch->fd != fd)
		loop_unwatch(watch);
	watch->events = events;
	if (watch->fd == fd)
		watch_control(watch, EPOLL_CTL_MOD);
	else
	{
		watch->fd = fd;
		watch_control(watch, EPOLL_CTL_ADD);
	}
}

/*
 * The same for a library that closes and reopens descriptors by itself: the
 * number may be the old one and the file another.
 */
void
loop_rewatch(Watch *watch, int fd, uint32_t events)
{
	loop_unwatch(watch);
	if (fd >= 0)
		loop_watch(watch, fd, events);
}

/* Forgets the descriptor; it may be closed already. */
void
loop_unwatch(Watch *watch)
{
	if (watch->fd >= 0)
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	watch->events = 0;
}

/* Frees a watch from malloc, at the end of the round. */
void
loop_free(Watch *watch)
{
	loop_unwatch(watch);
	watch->next_dead = dead;
	dead = watch;
}

/* One round: waits until something is ready or so long, and handles it. */
void
loop_wait(int64_t timeout_ms)
{
	struct epoll_event events[EVENTS_A_ROUND];
	int			count;
	int			i;

	if (timeout_ms < 0)
		timeout_ms = 0;
	count = epoll_wait(epoll_fd, events, EVENTS_A_ROUND,
					   timeout_ms > 60000 ? 60000 : (int) timeout_ms);
	now_ms = clock_ms();
	for (i = 0; i < count; i++)
	{
		Watch	   *watch = events[i].data.ptr;

		if (watch->fd >= 0)
			watch->ready(watch, events[i].events);
	}
	while (dead != NULL)
	{
		Watch	   *next = dead->next_dead;

		free(dead);
		dead = next;
	}
}

/* Tells epoll; a descriptor that it cannot take is given up with a line. */
static void
watch_control(Watch *watch, int operation)
{
	struct epoll_event event = {
		.events = watch->events,
		.data.ptr = watch,
	};

	if (epoll_ctl(epoll_fd, operation, watch->fd, &event) == 0)
		return;
	if (operation == EPOLL_CTL_MOD && errno == ENOENT &&
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0)
		return;
	LOG_ERROR("could not watch a descriptor", log_int("errno", errno));
	watch->fd = -1;
}
