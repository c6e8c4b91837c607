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

/* How many channels there are; channel_at has each of them. */
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

/*
 * What to tell a claim that the channel has in use.  The extension gives each
 * channel room for per_channel messages; the number is corrected by what this
 * channel has more or less than that.
 */
int
channel_room_used(Channel *channel)
{
	int			at_once = channel->is_mail ? settings.mail_connections
		: settings.per_channel;

	count_pace(channel);
	return channel->leased + settings.per_channel - at_once - channel->ahead;
}

/* Counts a message that was sent. */
void
channel_sent_one(Channel *channel)
{
	count_pace(channel);
	channel->sent++;
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
