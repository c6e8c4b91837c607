/*
 * lastword.h
 *		The last word on a connection, past libmicrohttpd.
 */
#ifndef APPT_LASTWORD_H
#define APPT_LASTWORD_H

#include "http/errors.h"
#include "http/worker.h"

extern void lastword_refuse(Client *client, const Problem *problem);
extern void lastword_late(Client *client);

#endif							/* APPT_LASTWORD_H */
