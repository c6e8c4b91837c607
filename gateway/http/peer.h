/*
 * peer.h
 *		Where a request comes from: who connected, or whom proxies of ours say
 *		that they speak for.
 */
#ifndef APPT_PEER_H
#define APPT_PEER_H

#include "common/ip.h"
#include "http/request.h"

extern IpAddress peer_of_connection(struct MHD_Connection *connection);
extern IpAddress peer_of_request(const Request *request);
extern bool peer_is_proxy(const IpAddress *ip);
extern IpAddress peer_network(const IpAddress *ip);

#endif							/* APPT_PEER_H */
