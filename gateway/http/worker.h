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
#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"
#include "common/loop.h"
#include "http/shares.h"
#include "http/strangers.h"
#include "http/wake.h"

struct MHD_Connection;
struct MHD_Daemon;
struct Worker;
struct Request;

/* A client's connection. */
typedef struct Client
{
	struct Client *next;
	struct Client *prev;
	int			fd;
	int64_t		deadline_ms;	/* closed after it; 0: the database decides */
	int64_t		idle_since_ms;	/* its last answer; 0: none yet */
	IpAddress	address;
	Share	   *share;			/* its address's, of the loop's connections */
	bool		ending;			/* shut down to make room */
	struct MHD_Connection *connection;
	struct Request *request;	/* from its line to its answer, else NULL */
} Client;

typedef struct Worker
{
	int			index;
	pthread_t	thread;
	int			ask_fd;			/* eventfd: something is asked of the loop */
	Watch		ask_watch;
	atomic_bool stop_asked;
	int			listen_fd;
	struct MHD_Daemon *daemon;
	Watch		daemon_watch;
	struct Pool *pool;
	Wake		wake;
	struct Auth *auth;
	Client		clients;		/* head of the ring */
	int			client_count;
	int			client_peak;	/* since memory was given back */
	Shares		shares;
	int			running;		/* requests begun and not completed */
	HeldAnswers held[HOLD_KINDS];
	struct Request *spare;		/* finished ones, to be used again */
	int			spare_count;
	int64_t		next_tick_ms;
	bool		stopping;
	int64_t		stop_at_ms;
} Worker;

extern bool worker_start(Worker *worker, int index, int listen_fd)
			__attribute__((warn_unused_result));
extern void worker_ask_stop(Worker *worker);

#endif							/* APPT_WORKER_H */
