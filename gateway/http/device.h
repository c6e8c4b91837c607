/*
 * device.h
 *		Browsers that somebody has signed in with before.
 */
#ifndef APPT_DEVICE_H
#define APPT_DEVICE_H

#include "http/head.h"

/* Whose browser it is: the account in small letters, as the cookie names it. */
typedef struct DeviceOwner
{
	const char *account;
	const char *staff_id;
	const char *password_hash;
} DeviceOwner;

extern const char *device_sent(const Head *head, const char *account);
extern const char *device_known(Arena *arena, const DeviceOwner *owner,
								const char *sent);
extern const char *device_cookie(Arena *arena, const DeviceOwner *owner,
								 const char *name);

#endif							/* APPT_DEVICE_H */
