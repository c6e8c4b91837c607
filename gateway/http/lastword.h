/*
 * lastword.h
 *		The last word on a connection, past libmicrohttpd.
 */
#ifndef APPT_LASTWORD_H
#define APPT_LASTWORD_H

#include "http/connection.h"
#include "http/errors.h"

extern void lastword_refuse(Connection *connection, const Problem *problem);
extern void lastword_late(Connection *connection);

#endif							/* APPT_LASTWORD_H */
