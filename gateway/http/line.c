/*
 * line.c
 *		Queries that wait, in a line that is fair between callers: they take
 *		turns, and one who has as many running as he may have is passed
 *		over.  One caller's queries keep their order.
 *
 *		A Party lives while any query of its caller waits or runs.
 */
#include "http/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/hash.h"

static Query *place_take(Line *line, Place *place);
static void place_enter(Line *line, Place *place);
static void place_leave(Place *place);

/* An empty line of that lane. */
void
line_init(Line *line, QueryLane lane)
{
	*line = (Line) {.lane = lane};
	line->ring.next = line->ring.prev = &line->ring;
}

/* Adds the query; false: there are too many, or too many of its caller. */
bool
line_add(Line *line, Query *query, int most, int most_of_one)
{
	Place	   *place = &query->party->places[line->lane];

	if (line->count >= most || place->count >= most_of_one)
		return false;
	query->next = NULL;
	if (place->last != NULL)
		place->last->next = query;
	else
	{
		place->first = query;
		place_enter(line, place);
	}
	place->last = query;
	place->count++;
	line->count++;
	return true;
}

/*
 * Takes the query whose caller's turn it is, of those who have less than so
 * many running in this lane (0: any number); NULL: there is none.
 */
Query *
line_take(Line *line, int running_max)
{
	Place	   *place;

	for (place = line->ring.next; place != &line->ring; place = place->next)
	{
		Query	   *query;

		if (running_max > 0 &&
			place->party->running[line->lane] >= running_max)
			continue;
		query = place_take(line, place);
		if (place->count > 0)
		{
			place_leave(place);
			place_enter(line, place);
		}
		return query;
	}
	return NULL;
}

/* Takes that query out of the line; false: it is not in it. */
bool
line_remove(Line *line, Query *query)
{
	Place	   *place = &query->party->places[line->lane];
	Query	  **link = &place->first;
	Query	   *before = NULL;

	while (*link != NULL && *link != query)
	{
		before = *link;
		link = &before->next;
	}
	if (*link == NULL)
		return false;
	if (before == NULL)
		return place_take(line, place) == query;
	before->next = query->next;
	if (place->last == query)
		place->last = before;
	query->next = NULL;
	place->count--;
	line->count--;
	return true;
}

/* Takes a query that has waited since before then, or NULL. */
Query *
line_take_late(Line *line, int64_t queued_before_ms)
{
	Place	   *place;

	for (place = line->ring.next; place != &line->ring; place = place->next)
	{
		if (place->first->queued_ms <= queued_before_ms)
			return place_take(line, place);
	}
	return NULL;
}

/* Takes the first query of a place, which leaves the ring with its last. */
static Query *
place_take(Line *line, Place *place)
{
	Query	   *query = place->first;

	place->first = query->next;
	place->count--;
	line->count--;
	query->next = NULL;
	if (place->first == NULL)
	{
		place->last = NULL;
		place_leave(place);
	}
	return query;
}

/* Goes to the ring's end. */
static void
place_enter(Line *line, Place *place)
{
	place->next = &line->ring;
	place->prev = line->ring.prev;
	place->prev->next = place;
	line->ring.prev = place;
}

/* Goes out of the ring. */
static void
place_leave(Place *place)
{
	place->next->prev = place->prev;
	place->prev->next = place->next;
}

/* Counts the query among those of its caller, from now on. */
void
party_join(Parties *parties, Query *query)
{
	const char *id = query->caller != NULL ? query->caller : "";
	Party	  **bucket = &parties->buckets[hash_text(id) & (PARTY_BUCKETS - 1)];
	Party	   *party;
	int			lane;

	if (query->party != NULL)
		return;
	for (party = *bucket; party != NULL; party = party->next)
	{
		if (strcmp(party->id, id) == 0)
			break;
	}
	if (party == NULL)
	{
		party = must_alloc(sizeof(Party));
		*party = (Party) {.next = *bucket};
		snprintf(party->id, sizeof(party->id), "%s", id);
		for (lane = 0; lane < LANE_COUNT; lane++)
			party->places[lane].party = party;
		*bucket = party;
	}
	party->queries++;
	query->party = party;
}

/* The query is over; its caller may have no other. */
void
party_leave(Parties *parties, Query *query)
{
	Party	   *party = query->party;
	Party	  **link;

	query->party = NULL;
	if (party == NULL || --party->queries > 0)
		return;
	link = &parties->buckets[hash_text(party->id) & (PARTY_BUCKETS - 1)];
	while (*link != party)
		link = &(*link)->next;
	*link = party->next;
	free(party);
}

/* Forgets all of them; no query of theirs is touched any more. */
void
parties_free(Parties *parties)
{
	int			i;

	for (i = 0; i < PARTY_BUCKETS; i++)
	{
		while (parties->buckets[i] != NULL)
		{
			Party	   *party = parties->buckets[i];

			parties->buckets[i] = party->next;
			free(party);
		}
	}
}
