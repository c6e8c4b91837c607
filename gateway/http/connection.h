/*
 * connection.h
 *		Somebody's connection to a worker.
 */
#ifndef APPT_CONNECTION_H
#define APPT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"

struct Exchange;
struct MHD_Connection;
struct Share;

typedef struct Connection
{
	struct Connection *next;	/* in the worker's ring */
	struct Connection *prev;
	int			fd;
	int64_t		deadline_ms;	/* closed after it; 0: the database decides */
	int64_t		idle_since_ms;	/* its last answer; 0: none yet */
	IpAddress	address;
	struct Share *share;			/* its address's */
	bool		ending;			/* shut down to make room */
	struct MHD_Connection *mhd;
	struct Exchange *exchange;	/* from its line to its answer, else NULL */
} Connection;

#endif							/* APPT_CONNECTION_H */
