/*
 * strangers.c
 *		Requests without a good access token or secret.
 *
 *		A refusal costs as much as an answer, and a client that is refused
 *		at once asks again at once: hundreds of connections that do so leave
 *		little time for anybody else.  So an address that has spent its
 *		budget is refused late (hold.c).
 */
#include "http/strangers.h"

#include "http/limits.h"
#include "http/options.h"
#include "http/peer.h"

/*
 * Takes one request from the budget of its address; false: the budget is spent,
 * until *retry_s seconds from now.
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
