/*
 * sign.h
 *		The signatures of a delivery.
 */
#ifndef APPT_RELAY_SIGN_H
#define APPT_RELAY_SIGN_H

#include <stddef.h>

#include "common/buf.h"

/* What is signed. */
typedef struct SignInput
{
	const char *secrets;		/* separated by spaces, current one first */
	const char *id;				/* webhook-id */
	long long	timestamp;		/* webhook-timestamp, seconds since 1970 */
	const char *body;
	size_t		body_len;
} SignInput;

extern const char *sign_published(const SignInput *input,
								  const char *secrets, Buf *hex);
extern void sign_standard(const SignInput *input, Buf *value);

#endif							/* APPT_RELAY_SIGN_H */
