/*
 * guard.h
 *		Which addresses the relay may connect to.
 */
#ifndef APPT_RELAY_GUARD_H
#define APPT_RELAY_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

typedef enum GuardScheme
{
	GUARD_HTTP,					/* listed addresses only */
	GUARD_HTTPS,				/* public ones too */
} GuardScheme;

extern const char *guard_allow(const char *rules)
			__attribute__((warn_unused_result));
extern const char *guard_deny(const char *rules)
			__attribute__((warn_unused_result));
extern bool guard_permits(const struct sockaddr *address, GuardScheme scheme)
			__attribute__((warn_unused_result));
extern bool guard_is_inside(const char *address)
			__attribute__((warn_unused_result));

#endif							/* APPT_RELAY_GUARD_H */
