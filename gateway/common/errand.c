/*
 * errand.c
 *		Something that blocks, done in a thread for an event loop.
 *
 *		An errand is shared by the loop that started it and its thread, each of
 *		which lets go of it once: the last drops what it was about.
 */
#include "common/errand.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"

#define ERRAND_STACK (1024 * 1024)

struct Errand
{
	ErrandTask	task;
	atomic_int	holders;		/* who have not let go of it */
	int			fd;				/* eventfd: it is done */
};

static atomic_int running;

static int	errand_thread(Errand *errand);
static void *errand_main(void *context);

/*
 * Starts the thread; NULL: not now, for want of a thread or a descriptor, and
 * the context has been dropped.
 */
Errand *
errand_start(const ErrandTask *task)
{
	Errand	   *errand = must_alloc(sizeof(Errand));
	int			failed;

	*errand = (Errand) {
		.task = *task,
		.holders = 2,
		.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};
	failed = errand->fd < 0 ? errno : errand_thread(errand);
	if (failed == 0)
		return errand;
	LOG_WARNING("could not start a thread", log_text("why", strerror(failed)));
	errand->holders = 1;
	errand_let_go(errand);
	return NULL;
}

/* Starts the thread; an errno when it could not. */
static int
errand_thread(Errand *errand)
{
	pthread_attr_t attributes;
	pthread_t	thread;
	int			failed;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, ERRAND_STACK);
	atomic_fetch_add(&running, 1);
	failed = pthread_create(&thread, &attributes, errand_main, errand);
	pthread_attr_destroy(&attributes);
	if (failed != 0)
		atomic_fetch_sub(&running, 1);
	return failed;
}

/* The descriptor that becomes readable when it is done. */
int
errand_fd(const Errand *errand)
{
	return errand->fd;
}

/*
 * Gives back one of the two references to the errand, the loop's or the
 * thread's; the last frees it.
 */
void
errand_let_go(Errand *errand)
{
	if (atomic_fetch_sub(&errand->holders, 1) > 1)
		return;
	errand->task.drop(errand->task.context);
	if (errand->fd >= 0)
		close(errand->fd);
	free(errand);
}

/*
 * Whether a thread is still at work.  Whoever ends the process then must not
 * run exit handlers: they free what the thread uses.
 */
bool
errands_running(void)
{
	return atomic_load(&running) > 0;
}

/* The thread. */
static void *
errand_main(void *context)
{
	Errand	   *errand = context;
	uint64_t	one = 1;

	errand->task.run(errand->task.context);
	if (write(errand->fd, &one, sizeof(one)) < 0)
		LOG_ERROR("could not tell that a thread is done");
	errand_let_go(errand);
	atomic_fetch_sub(&running, 1);
	return NULL;
}
