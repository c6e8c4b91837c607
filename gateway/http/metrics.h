/*
 * metrics.h
 *		Counters for Prometheus, shared by all loops.
 */
#ifndef APPT_METRICS_H
#define APPT_METRICS_H

#include <stdint.h>

#include "common/buf.h"
#include "http/query.h"
#include "http/route.h"

/* Why somebody was not let in. */
typedef enum AuthFailure
{
	FAILURE_NO_TOKEN,
	FAILURE_INVALID_TOKEN,
	FAILURE_EXPIRED_TOKEN,
	FAILURE_REVOKED_TOKEN,
	FAILURE_ENDED_TOKEN,		/* its client is disabled, changed or gone */
	FAILURE_NO_CLIENT,
	FAILURE_UNKNOWN_CLIENT,
	FAILURE_DISABLED_CLIENT,
	FAILURE_WRONG_SECRET,
	FAILURE_WRONG_SIGNATURE,	/* of a provider's report */
	FAILURE_WRONG_PASSWORD,		/* of staff, or a wrong code */
	FAILURE_NO_CODE,			/* the password is right, a code is missing */
	FAILURE_ENDED_SIGN_IN,		/* or the cookie is nobody's */
	FAILURE_FORGERY,			/* a page of another site may have asked */
	FAILURE_THROTTLED,
	FAILURE_NOT_KNOWN,			/* the database could not be asked */
	FAILURE_COUNT,
} AuthFailure;

/* Why an event stream ended. */
typedef enum StreamEnd
{
	STREAM_GONE,				/* the listener went */
	STREAM_SLOW,				/* it did not read */
	STREAM_TOKEN,				/* its access token is not good any more */
	STREAM_STOP,				/* the gateway stops */
	STREAM_ENDS,
} StreamEnd;

extern void metrics_request(const Route *route, int status,
							int64_t duration_us);
extern void metrics_query(QueryOutcome outcome);
extern void metrics_database_lost(void);
extern void metrics_connections(int change);
extern void metrics_database_connections(int change);
extern void metrics_streams(int change);
extern void metrics_stream_end(StreamEnd why);
extern void metrics_events(size_t count);
extern void metrics_auth_failure(AuthFailure failure);
extern const char *metrics_failure_name(AuthFailure failure);
extern void metrics_print(Buf *out);

#endif							/* APPT_METRICS_H */
