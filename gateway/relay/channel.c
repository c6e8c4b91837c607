/*
 * channel.c
 *		How many messages of each channel this relay has leased, and how
 *		many more it may claim.
 *
 *		Whether a message is still to be sent is decided when it is claimed.
 *		So no more are claimed than are on their way in a moment: as many as
 *		can be under way at once, and as many as the channel has lately sent
 *		in AHEAD_MS.
 */
#include "relay/channel.h"

#include "common/clock.h"
#include "relay/settings.h"

#define CHANNELS_MAX	64
#define PACE_MS			250
#define AHEAD_MS		500

static Channel channels[CHANNELS_MAX];
static int	count = 0;

static int	channel_at_once(const Channel *channel);
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
		const Channel *channel = &channels[i];

		if (channel->more &&
			channel->leased < channel_at_once(channel) + channel->ahead / 2)
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
	channel->asked = channel_at_once(channel) + channel->ahead -
		channel->leased;
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
 * The claim is answered and taken in: a channel of which as many came as were
 * asked for, or one that was not known before, has more.
 */
void
channel_answered(void)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		Channel    *channel = &channels[i];

		channel->more = channel->arrived > 0 &&
			channel->arrived >= channel->asked;
		channel->arrived = 0;
		channel->asked = 0;
	}
}

/* Counts a message that was sent. */
void
channel_sent_one(Channel *channel)
{
	count_pace(channel);
	channel->sent++;
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

/* Measures the pace anew where PACE_MS have gone by. */
static void
count_pace(Channel *channel)
{
	int64_t		now = clock_ms();

	if (now < channel->pace_ms + PACE_MS)
		return;
	channel->ahead = now < channel->pace_ms + 2 * PACE_MS
		? channel->sent * (AHEAD_MS / PACE_MS) : 0;
	channel->sent = 0;
	channel->pace_ms = now;
}
