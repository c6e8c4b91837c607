/*
 * metrics.c
 *		Counters for Prometheus: relaxed atomics, no lock.
 */
#include "http/metrics.h"

#include <stdatomic.h>

#define METRICS_ROUTES (STATEMENTS_MAX + 1) /* the last: no route matched */
#define METRICS_STATUSES 28
#define METRICS_BUCKETS 12

/* Statuses that are counted; anything else under the last, 0. */
static const int statuses[METRICS_STATUSES] = {
	200, 201, 202, 204, 302, 304, 400, 401, 403, 404, 405, 406, 408, 409, 411,
	412, 413, 414, 415, 422, 429, 431, 499, 500, 501, 503, 504, 0
};

static const int bucket_us[METRICS_BUCKETS] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
	1000000, 5000000
};

static const char *const outcome_names[] = {
	[QUERY_OK] = "ok",
	[QUERY_ERROR] = "error",
	[QUERY_BUSY] = "busy",
	[QUERY_LOST] = "lost",
};

static const char *const failure_names[FAILURE_COUNT] = {
	[FAILURE_NO_TOKEN] = "no_token",
	[FAILURE_INVALID_TOKEN] = "invalid_token",
	[FAILURE_EXPIRED_TOKEN] = "expired_token",
	[FAILURE_REVOKED_TOKEN] = "revoked_token",
	[FAILURE_ENDED_TOKEN] = "ended_token",
	[FAILURE_NO_CLIENT] = "no_client",
	[FAILURE_UNKNOWN_CLIENT] = "unknown_client",
	[FAILURE_DISABLED_CLIENT] = "disabled_client",
	[FAILURE_WRONG_SECRET] = "wrong_secret",
	[FAILURE_WRONG_SIGNATURE] = "wrong_signature",
	[FAILURE_WRONG_PASSWORD] = "wrong_password",
	[FAILURE_NO_CODE] = "no_code",
	[FAILURE_ENDED_SIGN_IN] = "ended_sign_in",
	[FAILURE_FORGERY] = "csrf_token",
	[FAILURE_THROTTLED] = "throttled",
	[FAILURE_NOT_KNOWN] = "not_known",
};

static const char *const end_names[STREAM_ENDS] = {
	[STREAM_GONE] = "gone",
	[STREAM_SLOW] = "slow",
	[STREAM_TOKEN] = "token",
	[STREAM_STOP] = "stop",
};

static atomic_ullong requests[METRICS_ROUTES][METRICS_STATUSES];
static atomic_ullong buckets[METRICS_BUCKETS + 1];
static atomic_ullong duration_sum_us;
static atomic_ullong queries[QUERY_LOST + 1];
static atomic_ullong failures[FAILURE_COUNT];
static atomic_ullong database_lost;
static atomic_ullong stream_ends[STREAM_ENDS];
static atomic_ullong events;
static atomic_int streams;
static atomic_int connections;
static atomic_int database_connections;

static void print_requests(Buf *out);
static void print_durations(Buf *out);
static void print_streams(Buf *out);

#define ADD(counter, n) \
	atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define GET(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

/* A request was answered; route is NULL where none matched. */
void
metrics_request(const Route *route, int status, int64_t duration_us)
{
	int			row = route != NULL ? route_index(route) : METRICS_ROUTES - 1;
	int			column = 0;
	int			bucket = 0;

	while (statuses[column] != 0 && statuses[column] != status)
		column++;
	while (bucket < METRICS_BUCKETS && duration_us > bucket_us[bucket])
		bucket++;
	ADD(requests[row][column], 1);
	ADD(buckets[bucket], 1);
	ADD(duration_sum_us, (unsigned long long) duration_us);
}

/* A query ended so. */
void
metrics_query(QueryOutcome outcome)
{
	ADD(queries[outcome], 1);
}

/* A database connection broke or could not be made. */
void
metrics_database_lost(void)
{
	ADD(database_lost, 1);
}

/* A connection to a worker began (1) or ended (-1). */
void
metrics_connections(int change)
{
	ADD(connections, change);
}

/* A database connection is ready (1) or is not any more (-1). */
void
metrics_database_connections(int change)
{
	ADD(database_connections, change);
}

/* An event stream began (1) or ended (-1). */
void
metrics_streams(int change)
{
	ADD(streams, change);
}

/* Why it ended. */
void
metrics_stream_end(StreamEnd why)
{
	ADD(stream_ends[why], 1);
}

/* So many events were sent to a listener. */
void
metrics_events(size_t count)
{
	ADD(events, count);
}

/* Somebody was not let in. */
void
metrics_auth_failure(AuthFailure failure)
{
	ADD(failures[failure], 1);
}

/* The reason's name, as in the metric. */
const char *
metrics_failure_name(AuthFailure failure)
{
	return failure_names[failure];
}

/* Adds everything in Prometheus' text format. */
void
metrics_print(Buf *out)
{
	int			i;

	print_requests(out);
	print_durations(out);
	print_streams(out);
	buf_text(out, "# HELP appt_queries_total Database queries by outcome.\n"
			 "# TYPE appt_queries_total counter\n");
	for (i = 0; i <= QUERY_LOST; i++)
		buf_printf(out, "appt_queries_total{outcome=\"%s\"} %llu\n",
				   outcome_names[i], GET(queries[i]));
	buf_text(out, "# HELP appt_auth_failures_total Who was not let in, by "
			 "reason.\n# TYPE appt_auth_failures_total counter\n");
	for (i = 0; i < FAILURE_COUNT; i++)
		buf_printf(out, "appt_auth_failures_total{reason=\"%s\"} %llu\n",
				   failure_names[i], GET(failures[i]));
	buf_printf(out,
			   "# HELP appt_database_lost_total Database connections lost "
			   "or refused.\n"
			   "# TYPE appt_database_lost_total counter\n"
			   "appt_database_lost_total %llu\n"
			   "# HELP appt_database_connections Database connections that "
			   "are ready.\n"
			   "# TYPE appt_database_connections gauge\n"
			   "appt_database_connections %d\n"
			   "# HELP appt_connections Connections to the gateway.\n"
			   "# TYPE appt_connections gauge\n"
			   "appt_connections %d\n",
			   GET(database_lost), GET(database_connections),
			   GET(connections));
}

/* Requests by route and status, those that occurred. */
static void
print_requests(Buf *out)
{
	int			row;
	int			column;

	buf_text(out, "# HELP appt_requests_total Requests by route and status.\n"
			 "# TYPE appt_requests_total counter\n");
	for (row = 0; row < METRICS_ROUTES; row++)
	{
		const Route *route = route_at(row);

		for (column = 0; column < METRICS_STATUSES; column++)
		{
			unsigned long long n = GET(requests[row][column]);

			if (n == 0)
				continue;
			buf_printf(out, "appt_requests_total{method=\"%s\",route=\"%s\","
					   "status=\"%d\"} %llu\n",
					   route != NULL ? route->method : "",
					   route != NULL ? route->path : "", statuses[column], n);
		}
	}
}

/* Who listens, and what they were told. */
static void
print_streams(Buf *out)
{
	int			i;

	buf_printf(out,
			   "# HELP appt_event_streams Event streams that are open.\n"
			   "# TYPE appt_event_streams gauge\n"
			   "appt_event_streams %d\n"
			   "# HELP appt_events_sent_total Events sent to listeners.\n"
			   "# TYPE appt_events_sent_total counter\n"
			   "appt_events_sent_total %llu\n"
			   "# HELP appt_event_streams_ended_total Event streams that have "
			   "ended, by reason.\n"
			   "# TYPE appt_event_streams_ended_total counter\n",
			   GET(streams), GET(events));
	for (i = 0; i < STREAM_ENDS; i++)
		buf_printf(out, "appt_event_streams_ended_total{reason=\"%s\"} "
				   "%llu\n", end_names[i], GET(stream_ends[i]));
}

/* The latency histogram. */
static void
print_durations(Buf *out)
{
	unsigned long long total = 0;
	int			i;

	buf_text(out, "# HELP appt_request_duration_seconds Time from the request "
			 "line to the end of the answer.\n"
			 "# TYPE appt_request_duration_seconds histogram\n");
	for (i = 0; i < METRICS_BUCKETS; i++)
	{
		total += GET(buckets[i]);
		buf_printf(out, "appt_request_duration_seconds_bucket{le=\"%g\"} "
				   "%llu\n", bucket_us[i] / 1e6, total);
	}
	total += GET(buckets[METRICS_BUCKETS]);
	buf_printf(out, "appt_request_duration_seconds_bucket{le=\"+Inf\"} %llu\n"
			   "appt_request_duration_seconds_sum %.6f\n"
			   "appt_request_duration_seconds_count %llu\n",
			   total, (double) GET(duration_sum_us) / 1e6, total);
}
