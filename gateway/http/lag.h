/*
 * lag.h
 *		How far a standby is behind, so that a caller who wrote reads what
 *		he wrote, and one who was told of a change reads it.
 */
#ifndef APPT_LAG_H
#define APPT_LAG_H

#include <stdbool.h>
#include <stdint.h>

#include "http/dbconn.h"

typedef struct Lag Lag;

extern void lag_init(void);
extern Lag *lag_open(DbConn *conns, int count);
extern Query *lag_question(Lag *lag);
extern void lag_close(Lag *lag);

extern void lag_knows(const char *caller);
extern int64_t lag_known_ms(const char *caller);

#endif							/* APPT_LAG_H */
