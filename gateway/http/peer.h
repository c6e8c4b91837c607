/*
 * peer.h
 *		Where a request comes from: who connected, or whom proxies of ours say
 *		that they speak for.
 */
#ifndef APPT_PEER_H
#define APPT_PEER_H

#include "http/head.h"

extern IpAddress peer_of_head(const Head *head, const IpAddress *connected);
extern bool peer_is_proxy(const IpAddress *ip);
extern IpAddress peer_network(const IpAddress *ip);

#endif							/* APPT_PEER_H */
