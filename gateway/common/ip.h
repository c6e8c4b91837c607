/*
 * ip.h
 *		IP addresses and ranges of them, of both versions alike: 128 bits, one
 *		of IPv4 as ::ffff:a.b.c.d, which is also how it looks when it comes
 *		mapped.
 */
#ifndef APPT_IP_H
#define APPT_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_TEXT_SIZE 46			/* INET6_ADDRSTRLEN */
#define IP_RANGES_MAX 64

typedef struct IpAddress
{
	uint8_t		bytes[16];
} IpAddress;

typedef struct IpRange
{
	IpAddress	first;
	int			bits;			/* of the 128 that an address begins with */
} IpRange;

/* A list as a setting has it: ranges separated by commas or blanks. */
typedef struct IpRanges
{
	IpRange		items[IP_RANGES_MAX];
	int			count;
	char		bad[64];		/* the item that could not be read */
} IpRanges;

extern bool ip_from_socket(const struct sockaddr *address, IpAddress *ip)
			__attribute__((warn_unused_result));
extern bool ip_from_text(const char *text, size_t len, IpAddress *ip)
			__attribute__((warn_unused_result));
extern void ip_text(const IpAddress *ip, char text[IP_TEXT_SIZE]);
extern bool ip_is_v4(const IpAddress *ip);

extern bool ip_range_parse(const char *text, size_t len, IpRange *range)
			__attribute__((warn_unused_result));
extern bool ip_range_has(const IpRange *range, const IpAddress *ip);
extern bool ip_ranges_parse(const char *list, IpRanges *ranges)
			__attribute__((warn_unused_result));
extern bool ip_ranges_have(const IpRanges *ranges, const IpAddress *ip);

#endif							/* APPT_IP_H */
