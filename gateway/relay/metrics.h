/*
 * metrics.h
 *		What the relay counts, and the small listener that shows it.
 */
#ifndef APPT_RELAY_METRICS_H
#define APPT_RELAY_METRICS_H

#include <stdbool.h>
#include <stdint.h>

/* What appt_relay.stats answered last. */
typedef struct Backlog
{
	long long	pending;
	long long	due;
	long long	in_flight;
	long long	held;
	double		oldest_due_s;
	long long	endpoints;
	long long	endpoints_disabled;
	long long	endpoints_failing;
} Backlog;

/* Messages to patients that wait. */
typedef struct MessageBacklog
{
	long long	due;
	double		oldest_due_s;
} MessageBacklog;

typedef struct Metrics
{
	long long	delivered;		/* attempts by outcome */
	long long	failed_status;	/* another status than 2xx */
	long long	failed_network;	/* no answer at all */
	long long	refused;		/* by the guard, of those */
	long long	dead;			/* deliveries given up */
	long long	disabled;		/* endpoints disabled by failing or 410 */
	long long	claims;
	long long	claimed;
	long long	released;
	long long	expired;		/* leases that ran out */
	long long	notifications;
	long long	dropped_results;
	long long	messages;		/* to patients, attempts */
	long long	messages_failed;	/* given up */
	long long	duration_ms;	/* of all attempts together */
	int			sending;		/* requests under way here */
	int			sending_slow;	/* at endpoints that fail or are slow */
	bool		connected;
	bool		listening;
	Backlog		backlog;
	MessageBacklog waiting;
} Metrics;

/* One of appt_relay.message_stats; labels may be NULL. */
typedef struct MessageGauge
{
	const char *name;
	const char *channel;
	const char *state;
	const char *reason;
	double		value;
} MessageGauge;

extern Metrics metrics;

extern bool metrics_listen(const char *address)
			__attribute__((warn_unused_result));
extern void metrics_begin_messages(void);
extern void metrics_add_message(const MessageGauge *gauge);
extern void metrics_publish(void);

#endif							/* APPT_RELAY_METRICS_H */
