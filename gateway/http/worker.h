/*
 * worker.h
 *		A thread with an event loop that owns libmicrohttpd's descriptor and the
 *		database's.
 *
 *		Everything a worker owns is touched by its thread alone; others may
 *		only ask it to stop.
 */
#ifndef APPT_WORKER_H
#define APPT_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/loop.h"
#include "http/server.h"

typedef struct Worker
{
	pthread_t	thread;
	int			ask_fd;			/* eventfd: something is asked of the worker */
	Watch		ask_watch;
	atomic_bool stop_asked;
	Watch		server_watch;
	Service		service;
	Server		server;
	int64_t		next_tick_ms;
	int64_t		stop_at_ms;		/* at the latest, once it is stopping */
} Worker;

extern bool worker_start(Worker *worker, int index, int listen_fd)
			__attribute__((warn_unused_result));
extern void worker_ask_stop(Worker *worker);

#endif							/* APPT_WORKER_H */
