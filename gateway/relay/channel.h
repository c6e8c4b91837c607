/*
 * channel.h
 *		How many messages of each channel this relay has, and may have.
 */
#ifndef APPT_RELAY_CHANNEL_H
#define APPT_RELAY_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/message.h"

typedef struct Channel
{
	int			channel_no;
	bool		is_mail;
	int			leased;			/* and not yet recorded */
	int			under_way;		/* being sent, or for e-mails about to be */
	MessageList waiting;		/* until fewer are */
	int			sent;			/* since the pace was measured */
	int64_t		busy_ms;		/* of that, how long any were under way */
	int64_t		counted_ms;		/* until when busy_ms was counted */
	int64_t		sent_ms;		/* when the last was sent */
	int			ahead;			/* what it sends in a moment */
	int			asked;			/* in the claim under way */
	int			arrived;		/* by it */
	bool		more;			/* is due than the last one brought */
} Channel;

extern Channel *channel_of(int channel_no);
extern int	channel_count(void);
extern Channel *channel_at(int i);
extern int	channel_leased_total(void);
extern bool channel_hungry(void);
extern bool channel_has_room(void);
extern bool channel_has_more(void);
extern int	channel_ask(Channel *channel);
extern void channel_took_one(Channel *channel);
extern void channel_answered(bool full);
extern void channel_began_one(Channel *channel);
extern void channel_sent_one(Channel *channel);
extern void channel_let_go(MessageList *list);

#endif							/* APPT_RELAY_CHANNEL_H */
