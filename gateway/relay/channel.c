/*
 * channel.c
 *		What is here of each channel of messages, and how much more may be.
 *
 *		A message is judged when it is claimed.  So no more are claimed than
 *		will be on their way in a moment: what can be under way at once, and
 *		what the channel has just shown that it sends in AHEAD_MS.
 */
#include "relay/channel.h"

#include "common/clock.h"
#include "relay/settings.h"

#define CHANNELS_MAX	64
#define PACE_MS			250
#define AHEAD_MS		500

static Channel channels[CHANNELS_MAX];
static int	count = 0;

static void count_pace(Channel *channel);

/* What is here of a channel; of those beyond the table all together. */
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

/* How many there are, and each of them. */
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

/* Messages that are here, of all channels. */
int
channel_leased_total(void)
{
	int			total = 0;
	int			i;

	for (i = 0; i < count; i++)
		total += channels[i].leased;
	return total;
}

/*
 * How much is used of the room that the extension gives each channel, which is
 * per_channel; less than is leased, or more, where the channel's own room is
 * another.
 */
int
channel_room_used(Channel *channel)
{
	int			at_once = channel->is_mail ? settings.mail_connections
		: settings.per_channel;

	count_pace(channel);
	return channel->leased + settings.per_channel - at_once - channel->ahead;
}

/* A message is through. */
void
channel_sent_one(Channel *channel)
{
	count_pace(channel);
	channel->sent++;
}

/* Looks how many were sent in the last PACE_MS, if those are over. */
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
