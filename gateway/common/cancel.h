/*
 * cancel.h
 *		Cancels the statement that a connection to PostgreSQL runs.
 */
#ifndef APPT_CANCEL_H
#define APPT_CANCEL_H

#include <libpq-fe.h>

#include "common/errand.h"

extern Errand *pg_cancel_start(PGconn *connection);

#endif							/* APPT_CANCEL_H */
