/*
 * response.h
 *		An exchange's answer as libmicrohttpd sends it.
 */
#ifndef APPT_RESPONSE_H
#define APPT_RESPONSE_H

#include "http/exchange.h"

struct MHD_Response;

extern struct MHD_Response *response_of(Exchange *exchange);

#endif							/* APPT_RESPONSE_H */
