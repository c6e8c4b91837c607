/*
 * loop.h
 *		An event loop: one a thread, whose thread alone may use it.
 */
#ifndef APPT_LOOP_H
#define APPT_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

/* A descriptor that is watched, and what to do when it is ready. */
typedef struct Watch
{
	int			fd;				/* -1: not watched */
	uint32_t	events;			/* EPOLLIN, EPOLLOUT */
	void		(*ready) (struct Watch *watch, uint32_t events);
	void	   *context;
	struct Watch *next_dead;
} Watch;

extern void loop_open(void);
extern void loop_close(void);
extern int64_t loop_now_ms(void);
extern void loop_watch(Watch *watch, int fd, uint32_t events);
extern void loop_rewatch(Watch *watch, int fd, uint32_t events);
extern void loop_unwatch(Watch *watch);
extern void loop_free(Watch *watch);
extern void loop_wait(int64_t timeout_ms);

#endif							/* APPT_LOOP_H */
