/*
 * metrics.h
 *		Counters for Prometheus, shared by all loops.
 */
#ifndef APPT_METRICS_H
#define APPT_METRICS_H

#include <stdint.h>

#include "common/buf.h"
#include "http/pool.h"
#include "http/routes.h"

extern void metrics_request(const Route *route, int status,
							int64_t duration_us);
extern void metrics_query(QueryOutcome outcome);
extern void metrics_database_lost(void);
extern void metrics_connections(int change);
extern void metrics_database_connections(int change);
extern void metrics_print(Buf *out);

#endif							/* APPT_METRICS_H */
