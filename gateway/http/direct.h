/*
 * direct.h
 *		Refusals that are written past libmicrohttpd.
 */
#ifndef APPT_DIRECT_H
#define APPT_DIRECT_H

#include "http/errors.h"
#include "http/loop.h"

extern void direct_refuse(Client *client, const Problem *problem);
extern void direct_close_late(Client *client);
extern void direct_take_over(Loop *loop);

#endif							/* APPT_DIRECT_H */
