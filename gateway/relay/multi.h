/*
 * multi.h
 *		Requests under way: libcurl's multi interface on the event loop.
 */
#ifndef APPT_RELAY_MULTI_H
#define APPT_RELAY_MULTI_H

#include <curl/curl.h>
#include <stdint.h>

/* Requests that share connections; each user has its own. */
typedef struct Multi
{
	CURLM	   *handle;
	void		(*done) (void *owner, CURLcode code);	/* CURLOPT_PRIVATE's */
	int			in_flight;
	int64_t		timer_ms;		/* clock_ms(); -1: not set */
} Multi;

extern void multi_open(Multi *multi, int max_connections,
					   void (*done) (void *owner, CURLcode code));
extern void multi_start(Multi *multi, CURL *easy);
extern int64_t multi_timeout_ms(const Multi *multi);
extern void multi_run(Multi *multi);

#endif							/* APPT_RELAY_MULTI_H */
