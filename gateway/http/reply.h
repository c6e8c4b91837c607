/*
 * reply.h
 *		From the database's answer to HTTP's.
 */
#ifndef APPT_REPLY_H
#define APPT_REPLY_H

#include "http/request.h"

extern void reply_from_result(Request *request, PGresult *result);

#endif							/* APPT_REPLY_H */
