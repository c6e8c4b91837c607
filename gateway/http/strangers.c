/*
 * strangers.c
 *		Requests without a good access token or secret.
 *
 *		To refuse one costs as much as to answer it, and who is refused at once
 *		asks again at once: hundreds of connections that do so leave little
 *		time for anybody else.  So an address that has spent its budget is
 *		refused late (hold.c).
 */
#include "http/strangers.h"

#include "http/limits.h"
#include "http/options.h"
#include "http/peer.h"

/*
 * Takes one request from the budget of its address; false: it is spent, and
 * more comes in so many seconds.
 */
bool
strangers_take(const IpAddress *from, int *retry_s)
{
	IpAddress	network = peer_network(from);
	char		key[IP_TEXT_SIZE];
	RateState	state;

	ip_text(&network, key);
	state = limits_take(LIMIT_STRANGERS, key, options.stranger_limit);
	*retry_s = state.retry_s;
	return state.allowed;
}
