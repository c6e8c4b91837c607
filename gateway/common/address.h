/*
 * address.h
 *		Where to listen, as a setting says it: 127.0.0.1:8080, [::1]:8091.
 */
#ifndef APPT_ADDRESS_H
#define APPT_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>

typedef struct Address
{
	char		host[256];
	char		port[16];
} Address;

extern bool address_parse(const char *text, Address *address)
			__attribute__((warn_unused_result));
extern struct addrinfo *address_find(const Address *address)
			__attribute__((warn_unused_result));

#endif							/* APPT_ADDRESS_H */
