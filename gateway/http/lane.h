/*
 * lane.h
 *		Which of a pool's connections serve what.
 */
#ifndef APPT_LANE_H
#define APPT_LANE_H

#include "http/dbconn.h"

/* A pool's connections. */
typedef struct Conns
{
	DbConn	   *items;
	int			count;
	bool		has_standby;	/* some are to APPT_READ_DSN's */
} Conns;

extern int	lane_size(QueryLane lane);
extern int	lane_long_max(void);
extern int	lane_max_of_one(QueryLane lane);
extern bool lane_is_up(const Conns *conns, QueryLane lane);
extern bool lane_is_coming(const Conns *conns, QueryLane lane);
extern QueryLane lane_for(const Conns *conns, const Query *query);

#endif							/* APPT_LANE_H */
