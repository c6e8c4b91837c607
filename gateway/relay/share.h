/*
 * share.h
 *		Which part of the requests under way an endpoint may have, by how its
 *		receiver has been doing.
 */
#ifndef APPT_RELAY_SHARE_H
#define APPT_RELAY_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"

typedef enum Share
{
	SHARE_NEW,					/* it has not answered here yet */
	SHARE_GOOD,
	SHARE_BAD,					/* it fails, or is slow */
	SHARES,
} Share;

/* How a receiver has been doing. */
typedef struct Conduct
{
	bool		proven;			/* it has answered 2xx here */
	bool		failing;		/* its last attempt failed */
	int			failures;		/* in a row */
	int			average_ms;		/* what an attempt takes */
	int64_t		progress_ms;	/* since when nothing has been answered */
} Conduct;

extern void conduct_learn(Conduct *conduct, const Delivery *delivery);
extern Share conduct_share(const Conduct *conduct, bool busy);

extern void share_count(Share share, int in_flight, int leased);
extern bool share_has_room(Share share);
extern int	share_spare(void);
extern int	share_in_flight(Share share);
extern int	share_total_leased(void);

#endif							/* APPT_RELAY_SHARE_H */
