/*
 * lag.h
 *		How far a standby is behind, so that a caller who wrote reads what
 *		he wrote.
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

extern void lag_wrote(const char *caller);
extern int64_t lag_wrote_ms(const char *caller);

#endif							/* APPT_LAG_H */
