/*
 * metrics.c
 *		/metrics, /healthz and /readyz on an address of their own.
 *
 *		The listener's thread answers with the text that the relay published
 *		last; the lock covers that text and the numbers it was made of.
 */
#include "relay/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/monitor.h"

Metrics		metrics;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Buf	published = {0};
static Metrics shown;			/* what metrics was at that time */
static Buf	messages = {0};		/* gauges of messages, as text */

static void metric(const char *name, const char *type, const char *help,
				   double value);
static void outcomes(void);
static const char *message_help(const char *name);
static void health_text(Buf *text);
static int	page(const char *path, Buf *text);

/* Starts the listener; says why it cannot. */
bool
metrics_listen(const char *address)
{
	return monitor_listen(address, page);
}

/* Makes the numbers of now the ones that are shown. */
void
metrics_publish(void)
{
	const Backlog *backlog = &metrics.backlog;

	pthread_mutex_lock(&lock);
	buf_clear(&published);
	shown = metrics;
	outcomes();
	metric("dead_total", "counter", "Deliveries given up", metrics.dead);
	metric("endpoints_disabled_total", "counter",
		   "Endpoints disabled for failing or by 410", metrics.disabled);
	metric("refused_total", "counter",
		   "Attempts that the destination guard refused", metrics.refused);
	metric("attempt_seconds_total", "counter",
		   "Time of all attempts together", metrics.duration_ms / 1000.0);
	metric("claims_total", "counter", "Claims made", metrics.claims);
	metric("claimed_total", "counter", "Deliveries claimed",
		   metrics.claimed);
	metric("released_total", "counter",
		   "Deliveries given back unsent", metrics.released);
	metric("leases_expired_total", "counter",
		   "Leases that ran out, of any relay", metrics.expired);
	metric("results_dropped_total", "counter",
		   "Results that the database did not take", metrics.dropped_results);
	metric("notifications_total", "counter", "Wake-ups by NOTIFY",
		   metrics.notifications);
	metric("messages_total", "counter", "Attempts to send messages to patients",
		   metrics.messages);
	metric("messages_failed_total", "counter", "Messages to patients given up",
		   metrics.messages_failed);
	metric("sending", "gauge", "Requests under way in this relay",
		   metrics.sending);
	metric("sending_slow", "gauge",
		   "Of these at endpoints that fail or are slow", metrics.sending_slow);
	metric("connected", "gauge", "1: the database answers",
		   metrics.connected);
	metric("listening", "gauge", "1: NOTIFY would be heard",
		   metrics.listening);
	metric("pending", "gauge", "Deliveries to be sent", backlog->pending);
	metric("due", "gauge", "Deliveries that could be sent now",
		   backlog->due);
	metric("in_flight", "gauge", "Deliveries leased by any relay",
		   backlog->in_flight);
	metric("held", "gauge", "Deliveries of disabled endpoints",
		   backlog->held);
	metric("oldest_due_seconds", "gauge", "How long the oldest due one waits",
		   backlog->oldest_due_s);
	metric("endpoints", "gauge", "Endpoints", backlog->endpoints);
	metric("endpoints_disabled", "gauge", "Endpoints that are disabled",
		   backlog->endpoints_disabled);
	metric("endpoints_failing", "gauge",
		   "Endpoints whose last attempt failed", backlog->endpoints_failing);
	buf_text(&published, buf_get(&messages));
	pthread_mutex_unlock(&lock);
}

/* Empties the gauges of messages; metrics_add_message adds them anew. */
void
metrics_begin_messages(void)
{
	buf_clear(&messages);
	metrics.waiting = (MessageBacklog) {0};
}

/* Adds one of messages; those of a name come together. */
void
metrics_add_message(const MessageGauge *gauge)
{
	const char *name = gauge->name;
	char		type[128];

	if (strcmp(name, "messages_due") == 0)
		metrics.waiting.due += (long long) gauge->value;
	else if (strcmp(name, "messages_oldest_due_seconds") == 0 &&
			 gauge->value > metrics.waiting.oldest_due_s)
		metrics.waiting.oldest_due_s = gauge->value;
	snprintf(type, sizeof(type), "# TYPE bioecko_relay_%s gauge\n", name);
	if (strstr(buf_get(&messages), type) == NULL)
		buf_printf(&messages, "# HELP bioecko_relay_%s %s.\n%s", name,
				   message_help(name), type);
	buf_printf(&messages, "bioecko_relay_%s{channel=\"%s\"", name,
			   gauge->channel);
	if (gauge->state != NULL)
		buf_printf(&messages, ",state=\"%s\"", gauge->state);
	if (gauge->reason != NULL)
		buf_printf(&messages, ",reason=\"%s\"", gauge->reason);
	buf_printf(&messages, "} %.15g\n", gauge->value);
}

/* What a gauge of messages is. */
static const char *
message_help(const char *name)
{
	static const struct
	{
		const char *name;
		const char *help;
	}			gauges[] = {
		{"messages_due", "Messages to patients that could be sent now"},
		{"messages_oldest_due_seconds",
		"How long the oldest due message waits"},
		{"messages_day", "What became of messages in the last 24 hours"},
		{"channel_up", "0: the channel is out of order"},
	};
	size_t		i;

	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
	{
		if (strcmp(gauges[i].name, name) == 0)
			return gauges[i].help;
	}
	return "Of messages";
}

/* Adds one number with its description. */
static void
metric(const char *name, const char *type, const char *help, double value)
{
	buf_printf(&published,
			   "# HELP bioecko_relay_%s %s.\n# TYPE bioecko_relay_%s %s\n"
			   "bioecko_relay_%s %.15g\n", name, help, name, type, name, value);
}

/* The attempts by outcome. */
static void
outcomes(void)
{
	buf_printf(&published,
			   "# HELP bioecko_relay_attempts_total Attempts by outcome.\n"
			   "# TYPE bioecko_relay_attempts_total counter\n"
			   "bioecko_relay_attempts_total{outcome=\"delivered\"} %lld\n"
			   "bioecko_relay_attempts_total{outcome=\"status\"} %lld\n"
			   "bioecko_relay_attempts_total{outcome=\"network\"} %lld\n",
			   metrics.delivered, metrics.failed_status,
			   metrics.failed_network);
}

/* Alive, and how things stand; the caller holds the lock. */
static void
health_text(Buf *text)
{
	buf_printf(text, "{\"status\":\"ok\",\"database\":%s,\"listening\":%s,"
			   "\"pending\":%lld,\"due\":%lld,\"oldest_due_s\":%.0f,"
			   "\"in_flight\":%lld,\"held\":%lld,\"delivered\":%lld,"
			   "\"failed\":%lld,\"dead\":%lld,\"messages_due\":%lld,"
			   "\"messages_oldest_due_s\":%.0f}\n",
			   shown.connected ? "true" : "false",
			   shown.listening ? "true" : "false",
			   shown.backlog.pending, shown.backlog.due,
			   shown.backlog.oldest_due_s, shown.backlog.in_flight,
			   shown.backlog.held, shown.delivered,
			   shown.failed_status + shown.failed_network, shown.dead,
			   shown.waiting.due, shown.waiting.oldest_due_s);
}

/* The page of a path; runs in the listener's thread. */
static int
page(const char *path, Buf *text)
{
	int			status = 200;

	pthread_mutex_lock(&lock);
	if (strcmp(path, "/metrics") == 0)
		buf_text(text, buf_get(&published));
	else if (strcmp(path, "/healthz") == 0)
		health_text(text);
	else if (strcmp(path, "/readyz") == 0)
	{
		status = shown.connected ? 200 : 503;
		buf_printf(text, "{\"status\":\"%s\"}\n",
				   shown.connected ? "ready" : "no database");
	}
	else
		status = 404;
	pthread_mutex_unlock(&lock);
	return status;
}
