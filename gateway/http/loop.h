/*
 * loop.h
 *		One epoll that owns libmicrohttpd's descriptor and the database's.
 *
 *		Everything a loop owns is touched by its thread alone; only "stop" and
 *		"reload" may be asked for from outside.
 */
#ifndef APPT_LOOP_H
#define APPT_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "common/ip.h"
#include "http/shares.h"
#include "http/strangers.h"

struct MHD_Connection;
struct MHD_Daemon;
struct Loop;
struct Request;

/* A descriptor and what to call when it is ready. */
typedef struct Watch
{
	int			fd;
	void		(*ready) (struct Watch *watch, uint32_t events);
	void	   *context;
} Watch;

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

typedef struct Loop
{
	int			index;
	pthread_t	thread;
	int			epoll_fd;
	int			ask_fd;			/* eventfd: something is asked of the loop */
	Watch		ask_watch;
	atomic_bool stop_asked;
	int			listen_fd;
	struct MHD_Daemon *daemon;
	Watch		daemon_watch;
	struct Pool *pool;
	struct Auth *auth;
	Client		clients;		/* head of the ring */
	int			client_count;
	int			client_peak;	/* since memory was given back */
	Shares		shares;
	int			running;		/* requests begun and not completed */
	HeldAnswers held[HOLD_KINDS];
	struct Request *spare;		/* finished ones, to be used again */
	int			spare_count;
	int64_t		now_ms;
	int64_t		next_tick_ms;
	int64_t		wake_at_ms;		/* when to wake the relay; 0: no need */
	bool		stopping;
	int64_t		stop_at_ms;
} Loop;

extern bool loop_start(Loop *loop, int index, int listen_fd)
			__attribute__((warn_unused_result));
extern void loop_ask_stop(Loop *loop);
extern void loop_watch(Loop *loop, Watch *watch, uint32_t events);
extern void loop_watch_again(Loop *loop, Watch *watch, uint32_t events);
extern void loop_wake_relay(Loop *loop);

#endif							/* APPT_LOOP_H */
