/*
 * channel.c
 *		How many messages of each channel this relay has leased, and how
 *		many more it may claim.
 *
 *		Whether a message is still to be sent is decided when it is claimed.
 *		So no more are claimed than are on their way in a moment: as many as
 *		can be under way at once, and as many as the channel has lately sent
 *		in AHEAD_MS.  What counts is the time in which it had some to send:
 *		a channel whose claims take long is no slower for it.
 */
#include "relay/channel.h"

#include "common/clock.h"
#include "relay/settings.h"

#define CHANNELS_MAX	64
#define PACE_MS			250
#define AHEAD_MS		500
#define LATELY_MS		2000
#define PACE_LEAST		10		/* of fewer no pace is seen before its time */

static Channel channels[CHANNELS_MAX];
static int	count = 0;

static int	channel_at_once(const Channel *channel);
static int	channel_room(const Channel *channel);
static void count_pace(Channel *channel);

/* The channel of that number; beyond CHANNELS_MAX all share the last. */
Channel *
channel_of(int channel_no)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (channels[i].channel_no == channel_no)
			return &channels[i];
	}
	if (count == CHANNELS_MAX)
		return &channels[CHANNELS_MAX - 1];
	channels[count].channel_no = channel_no;
	return &channels[count++];
}

/* How many channels there are; channel_at has each of them, from 0. */
int
channel_count(void)
{
	return count;
}

Channel *
channel_at(int i)
{
	return &channels[i];
}

/* How many messages are leased, of all channels. */
int
channel_leased_total(void)
{
	int			total = 0;
	int			i;

	for (i = 0; i < count; i++)
		total += channels[i].leased;
	return total;
}

/* How many may be under way at once. */
static int
channel_at_once(const Channel *channel)
{
	return channel->is_mail ? settings.mail_connections
		: settings.per_channel;
}

/*
 * Whether there is a channel of which more is due, and of whose stock half is
 * gone: the rest is sent while the next are claimed.
 */
bool
channel_hungry(void)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		Channel    *channel = &channels[i];

		count_pace(channel);
		if (channel->more &&
			channel->leased < channel_at_once(channel) + channel->ahead / 2)
			return true;
	}
	return false;
}

/* How many more of it may be leased: none, or fewer, where it is full. */
static int
channel_room(const Channel *channel)
{
	return channel_at_once(channel) + channel->ahead - channel->leased;
}

/* Whether more may be leased of any channel, or of one not known yet. */
bool
channel_has_room(void)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (channel_room(&channels[i]) > 0)
			return true;
	}
	return count == 0;
}

/* Whether more is due of any channel, for all that is known. */
bool
channel_has_more(void)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (channels[i].more)
			return true;
	}
	return false;
}

/*
 * What to tell a claim: how much is used of the room that the extension gives
 * each channel, which is per_channel; less than is leased, or more, where the
 * channel's own room is another.
 */
int
channel_ask(Channel *channel)
{
	count_pace(channel);
	channel->asked = channel_room(channel);
	return settings.per_channel - channel->asked;
}

/* A message of it was leased. */
void
channel_took_one(Channel *channel)
{
	channel->leased++;
	channel->arrived++;
}

/*
 * The claim is answered and taken in; full: it brought as many as it may.  A
 * channel of which as many came as were asked for, or one that was not known
 * before, has more; so has, for all that is known, one without room.
 */
void
channel_answered(bool full)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		Channel    *channel = &channels[i];

		channel->more = full || channel->arrived >= channel->asked;
		channel->arrived = 0;
		channel->asked = 0;
	}
}

/* A message of it is on its way. */
void
channel_began_one(Channel *channel)
{
	count_pace(channel);
	channel->under_way++;
}

/* And it is through. */
void
channel_sent_one(Channel *channel)
{
	count_pace(channel);
	channel->under_way--;
	channel->sent++;
	channel->sent_ms = channel->counted_ms;
}

/* Frees messages that are recorded, given back or lost. */
void
channel_let_go(MessageList *list)
{
	Message    *message;

	while ((message = message_pop(list)) != NULL)
	{
		channel_of(message->channel_no)->leased--;
		message_free(message);
	}
}

/*
 * Measures the pace: anew where it was busy for PACE_MS, and before where it is
 * seen already to be higher than it was.
 */
static void
count_pace(Channel *channel)
{
	int64_t		now = clock_ms();

	if (channel->under_way > 0)
		channel->busy_ms += now - channel->counted_ms;
	channel->counted_ms = now;
	if (channel->busy_ms >= PACE_MS)
	{
		channel->ahead = (int) (channel->sent * AHEAD_MS / channel->busy_ms);
		channel->sent = 0;
		channel->busy_ms = 0;
	}
	else if (now > channel->sent_ms + LATELY_MS)
	{
		channel->ahead = 0;
		channel->sent = 0;
		channel->busy_ms = 0;
	}
	else if (channel->sent >= PACE_LEAST &&
			 channel->sent * (AHEAD_MS / PACE_MS) > channel->ahead)
		channel->ahead = channel->sent * (AHEAD_MS / PACE_MS);
}
