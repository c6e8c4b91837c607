/*
 * pool.h
 *		The database as a loop sees it: hand a query over, be called back.
 *
 *		Quick reads share pipelined connections; every other query has a
 *		connection to itself until it is done.  All of it happens in the
 *		thread of the loop that owns the pool.
 */
#ifndef APPT_POOL_H
#define APPT_POOL_H

#include <stdint.h>

#include "http/query.h"

typedef struct Pool Pool;

extern Pool *pool_open(int loop);
extern void pool_submit(Pool *pool, Query *query);
extern void pool_abandon(Pool *pool, Query *query);
extern void pool_flush(Pool *pool);
extern void pool_tick(Pool *pool, int64_t now_ms);
extern const char *pool_not_ready(const Pool *pool);
extern const char *pool_missing_call(const Pool *pool);
extern void pool_close(Pool *pool);

#endif							/* APPT_POOL_H */
