/*
 * strangers.h
 *		Requests without a good access token or secret: each address has a
 *		budget of them.
 */
#ifndef APPT_STRANGERS_H
#define APPT_STRANGERS_H

#include <stdbool.h>

#include "common/ip.h"

extern bool strangers_take(const IpAddress *from, int *retry_s)
			__attribute__((warn_unused_result));

#endif							/* APPT_STRANGERS_H */
