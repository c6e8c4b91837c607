/*
 * relay.c
 *		bioecko-relay: sends what appt.delivery holds to the endpoints.
 *
 *		LISTEN wakes it, the table is the truth, and it looks each second
 *		anyway.  Claim (a lease and a fence, committed), send, record where the
 *		fence still matches.  Killed between any two of these, it loses
 *		nothing: the lease runs out and the delivery is sent again.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errand.h"
#include "common/log.h"
#include "common/signals.h"
#include "relay/claim.h"
#include "relay/deliver.h"
#include "relay/endpoint.h"
#include "common/loop.h"
#include "relay/messages.h"
#include "relay/metrics.h"
#include "relay/notify.h"
#include "relay/record.h"
#include "relay/settings.h"
#include "relay/upkeep.h"

#define PUBLISH_EVERY_MS	200
#define STOP_MARGIN_MS		3000
#define STATUS_GONE			410

static Watch signal_watch = {.fd = -1};
static int64_t stop_ms = -1;	/* when to stop at the latest; -1: go on */
static int64_t publish_ms = 0;
static int64_t tick_ms = 0;
static bool finished = false;	/* an attempt, since requests were started */

static void relay_open(void);
static void relay_wake(void);
static void relay_round(void);
static void relay_send(void);
static void send_from(Endpoint *endpoint);
static void relay_finished(Delivery *delivery);
static void relay_stop(void);
static bool relay_stopped(void);
static void give_back_all(void);
static int64_t wait_ms(void);
static void signal_ready(Watch *watch, uint32_t events);

/* Runs until it is told to stop. */
int
main(int argc, char **argv)
{
	ConfigOutcome outcome = settings_load(argc, argv);

	if (outcome != CONFIG_RUN)
		return outcome == CONFIG_DONE ? 0 : 2;
	log_init("bioecko-relay",
			 (LogLevel) log_level_from_name(settings.log_level));
	relay_open();
	if (!metrics_listen(settings.metrics_listen))
		return 1;
	LOG_INFO("started", log_text("version", APPT_VERSION),
			 log_text("metrics", settings.metrics_listen));
	while (!relay_stopped())
		relay_round();
	LOG_INFO("stopped", log_int("in_flight", deliver_in_flight()));
	if (errands_running())
		_exit(0);
	return 0;
}

/* Opens everything; signals first, before there are threads. */
static void
relay_open(void)
{
	int			fd;

	loop_open();
	fd = signals_open();
	if (fd < 0)
		abort();
	signal_watch.ready = signal_ready;
	loop_watch(&signal_watch, fd, EPOLLIN);
	deliver_open(relay_finished);
	claim_open(settings.dsn);
	record_open(settings.dsn, claim_wake);
	messages_open(settings.dsn);
	upkeep_open(settings.dsn, relay_wake);
	notify_open(settings.listen_dsn[0] != '\0' ? settings.listen_dsn
				: settings.dsn, relay_wake);
}

/* There may be something to send. */
static void
relay_wake(void)
{
	claim_wake();
	messages_wake();
}

/* One round: what is due, then wait for what comes. */
static void
relay_round(void)
{
	claim_pump();
	upkeep_pump();
	notify_pump();
	deliver_run();
	relay_send();
	deliver_run();
	record_pump();
	messages_pump();
	if (clock_ms() >= tick_ms)
	{
		tick_ms = clock_ms() + ENDPOINT_TICK_MS;
		endpoint_tick(claim_release);
	}
	if (clock_ms() >= publish_ms)
	{
		metrics.sending = deliver_in_flight();
		metrics.sending_slow = share_in_flight(SHARE_BAD);
		metrics.connected = claim_connected() && record_connected();
		metrics.listening = notify_listening();
		metrics_publish();
		publish_ms = clock_ms() + PUBLISH_EVERY_MS;
	}
	log_flush();
	loop_wait(wait_ms());
}

/* Starts requests, at every endpoint in turn, as far as there is room. */
static void
relay_send(void)
{
	static Endpoint *from = NULL;
	Endpoint   *endpoint;

	finished = false;
	if (stop_ms >= 0)
		return;
	if (from == NULL)
		from = endpoint_first();
	for (endpoint = from; endpoint != NULL; endpoint = endpoint->next)
		send_from(endpoint);
	for (endpoint = endpoint_first(); endpoint != from;
		 endpoint = endpoint->next)
		send_from(endpoint);
	from = from != NULL ? from->next : NULL;
}

/*
 * Starts what the endpoint's window allows.  What could outlive its lease is
 * given back: whoever claims it next must be the only one to send it.
 */
static void
send_from(Endpoint *endpoint)
{
	Delivery   *delivery;

	while ((delivery = endpoint_next(endpoint)) != NULL)
	{
		if (delivery->lease_end_ms - clock_ms() < settings.timeout_ms)
		{
			endpoint_put_back(endpoint);
			claim_release(delivery);
		}
		else
			deliver_start(delivery);
	}
}

/* An attempt is over. */
static void
relay_finished(Delivery *delivery)
{
	const Outcome *outcome = &delivery->outcome;

	finished = true;
	endpoint_done(delivery);
	if (outcome->status == STATUS_GONE)
		claim_release_waiting(delivery->endpoint);
	metrics.duration_ms += outcome->duration_ms;
	if (delivery_succeeded(delivery))
		metrics.delivered++;
	else if (outcome->status != 0)
		metrics.failed_status++;
	else
		metrics.failed_network++;
	if (outcome->refused)
		metrics.refused++;
	LOG_AT(delivery_succeeded(delivery) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		   delivery_succeeded(delivery) ? "delivered" : "attempt failed",
		   log_text("webhook_id", delivery->webhook_id),
		   log_text("event_id", delivery->event_id),
		   log_int("delivery_no", delivery->delivery_no),
		   log_int("attempt", delivery->attempt),
		   log_int("status", outcome->status),
		   log_int("duration_ms", outcome->duration_ms),
		   log_text("error", outcome->error));
	record_add(delivery);
}

/* Claims no more, gives back what is not sent, lets the rest finish. */
static void
relay_stop(void)
{
	if (stop_ms >= 0)
	{
		stop_ms = clock_ms();
		return;
	}
	LOG_INFO("stopping", log_int("in_flight", deliver_in_flight()));
	stop_ms = clock_ms() + settings.timeout_ms + STOP_MARGIN_MS;
	claim_stop();
	messages_stop();
	record_hurry();
	give_back_all();
}

/* Gives back everything that waits to be sent. */
static void
give_back_all(void)
{
	Endpoint   *endpoint;

	for (endpoint = endpoint_first(); endpoint != NULL;
		 endpoint = endpoint->next)
		claim_release_waiting(endpoint);
}

/* Whether the loop is over: everything is recorded, or time is up. */
static bool
relay_stopped(void)
{
	if (stop_ms < 0)
		return false;
	give_back_all();
	return clock_ms() >= stop_ms ||
		(deliver_in_flight() == 0 && claim_done() && record_done() &&
		 messages_done());
}

/* How long nothing is due; where an attempt is over, the next may start. */
static int64_t
wait_ms(void)
{
	int64_t		now = clock_ms();
	int64_t		curl_ms = deliver_timeout_ms();
	int64_t		due = publish_ms;
	size_t		i;
	const int64_t others[] = {
		claim_due_ms(), record_due_ms(), upkeep_due_ms(), notify_due_ms(),
		messages_due_ms(),
		curl_ms >= 0 ? now + curl_ms : INT64_MAX,
		stop_ms >= 0 ? stop_ms : INT64_MAX,
	};

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		if (others[i] < due)
			due = others[i];
	}
	return finished ? 0 : due - now;
}

/* SIGTERM and SIGINT: stop; the second time at once. */
static void
signal_ready(Watch *watch, uint32_t events)
{
	int			number;

	(void) events;
	while ((number = signals_next(watch->fd)) > 0)
	{
		if (number != SIGHUP)
			relay_stop();
	}
}
