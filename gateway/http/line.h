/*
 * line.h
 *		Queries that wait, in a line that is fair between callers.
 */
#ifndef APPT_LINE_H
#define APPT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/query.h"

/* A caller's queries in one line, first come first served. */
typedef struct Place
{
	struct Place *next;			/* in the line's ring */
	struct Place *prev;
	struct Party *party;
	Query	   *first;
	Query	   *last;
	int			count;
} Place;

/* A caller, while anything of his waits or runs. */
typedef struct Party
{
	struct Party *next;			/* in its bucket */
	char		id[65];			/* "": nobody's in particular */
	int			queries;		/* that wait or run */
	int			running[LANE_COUNT];
	Place		places[LANE_COUNT];
} Party;

#define PARTY_BUCKETS 256		/* a power of two */

typedef struct Parties
{
	Party	   *buckets[PARTY_BUCKETS];
} Parties;

typedef struct Line
{
	QueryLane	lane;
	Place		ring;			/* its head; who has nothing is not in it */
	int			count;
} Line;

extern void line_init(Line *line, QueryLane lane);
extern bool line_add(Line *line, Query *query, int most, int most_of_one);
extern Query *line_take(Line *line, int running_max);
extern bool line_remove(Line *line, Query *query);
extern Query *line_take_late(Line *line, int64_t queued_before_ms);

extern void party_join(Parties *parties, Query *query);
extern void party_leave(Parties *parties, Query *query);
extern void parties_free(Parties *parties);

#endif							/* APPT_LINE_H */
