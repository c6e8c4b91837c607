/*
 * settings.c
 *		THE table of the relay's options; --help prints it.
 */
#include "relay/settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/pg.h"
#include "relay/guard.h"

/* What is left of the lease when a request must not begin any more. */
#define LEASE_MARGIN_MS 500

Settings	settings;

#define TEXT(env, flag, field, fallback, help) \
	{env, flag, CONFIG_TEXT, &settings.field, fallback, 0, 0, help}
#define SECRET(env, field, fallback, help) \
	{env, NULL, CONFIG_SECRET, &settings.field, fallback, 0, 0, help}
#define INT(env, flag, field, fallback, min, max, help) \
	{env, flag, CONFIG_INT, &settings.field, fallback, min, max, help}

static const ConfigOption option_table[] = {
	SECRET("APPT_DSN", dsn, "",
		   "libpq conninfo or URI of the database; empty: libpq's own PG* "
		   "variables"),
	SECRET("APPT_RELAY_LISTEN_DSN", listen_dsn, "",
		   "the same for LISTEN, which needs a direct connection, not a "
		   "transaction pooler; empty: APPT_DSN"),
	TEXT("APPT_RELAY_METRICS_LISTEN", "metrics-listen", metrics_listen,
		 "127.0.0.1:8091",
		 "address and port of /metrics, /healthz and /readyz"),
	TEXT("APPT_LOG_LEVEL", "log-level", log_level, "info",
		 "debug, info, warning or error"),
	TEXT("APPT_RELAY_ALLOW_RANGES", "allow-ranges", allow_ranges, "",
		 "private addresses that endpoints may have, plain http included, "
		 "all ports or some: 10.0.0.0/8:8000-8099,[fd00::/8]:443"),
	TEXT("APPT_RELAY_DENY_RANGES", "deny-ranges", deny_ranges, "",
		 "addresses that no endpoint may have, public ones too, in the same "
		 "form; goes before what is allowed"),
	TEXT("APPT_RELAY_CA_FILE", "ca-file", ca_file, "",
		 "certificates to trust, PEM; empty: the system's"),
	TEXT("APPT_RELAY_RETRY_SCHEDULE", "retry-schedule", retry_schedule,
		 "0,5,300,1800,7200,18000,36000,50400,72000,86400",
		 "seconds before each attempt (the first goes at once); as many "
		 "attempts as numbers"),
	TEXT("APPT_RELAY_MESSAGE_RETRY_SCHEDULE", "message-retry-schedule",
		 message_retry_schedule, "0,30,120,600,1800,3600,10800,21600,43200",
		 "the same for messages to patients"),
	INT("APPT_RELAY_MAX_IN_FLIGHT", "max-in-flight", max_in_flight, "500",
		1, 10000, "requests under way at once"),
	INT("APPT_RELAY_PER_ENDPOINT", "per-endpoint", per_endpoint, "10",
		1, 1000, "requests under way at once at one endpoint"),
	INT("APPT_RELAY_PER_CHANNEL", "per-channel", per_channel, "50",
		1, 10000, "messages under way at once by one channel"),
	INT("APPT_RELAY_MAIL_CONNECTIONS", "mail-connections", mail_connections,
		"4", 1, 64, "connections to the mail server"),
	INT("APPT_RELAY_MAX_BATCH", "max-batch", max_batch, "1000", 1, 10000,
		"deliveries claimed or recorded in one statement"),
	INT("APPT_RELAY_CONNECT_TIMEOUT_MS", "connect-timeout-ms",
		connect_timeout_ms, "5000", 50, 60000,
		"longest time until a connection stands"),
	INT("APPT_RELAY_TIMEOUT_MS", "timeout-ms", timeout_ms, "15000", 50,
		300000, "longest time of an attempt, connection included"),
	INT("APPT_RELAY_MAIL_TIMEOUT_MS", "mail-timeout-ms", mail_timeout_ms,
		"30000", 50, 300000, "the same of an e-mail"),
	INT("APPT_RELAY_LEASE_MS", "lease-ms", lease_ms, "60000", 200, 3600000,
		"how long a claimed delivery is this relay's alone; more than "
		"timeout-ms"),
	INT("APPT_RELAY_POLL_MS", "poll-ms", poll_ms, "1000", 50, 60000,
		"how often to look without being told"),
	INT("APPT_RELAY_DISABLE_AFTER_S", "disable-after-s", disable_after_s,
		"432000", 1, 31536000,
		"an endpoint that does nothing but fail for so long is disabled"),
	INT("APPT_RELAY_KEEP_DAYS", "keep-days", keep_days, "90", 1, 36500,
		"how long the delivery log is kept"),
	INT("APPT_RELAY_RETENTION_EVERY_S", "retention-every-s",
		retention_every_s, "3600", 1, 86400,
		"how often what is older is deleted"),
	INT("APPT_RELAY_UPKEEP_EVERY_S", "upkeep-every-s", upkeep_every_s, "60",
		1, 86400, "how often expired holds and the like are deleted"),
	INT("APPT_RELAY_STATS_EVERY_MS", "stats-every-ms", stats_every_ms,
		"10000", 100, 3600000,
		"how often the backlog is counted for /metrics"),
};

static bool settings_check(void);
static bool ranges_valid(void);
static bool schedule_valid(const char *text);

/* Reads the options; says on stderr what is wrong with one. */
ConfigOutcome
settings_load(int argc, char **argv)
{
	static const ConfigProgram program = {
		.name = "bioecko-relay",
		.purpose = "delivers webhooks of bioecko_appt",
		.options = option_table,
		.count = sizeof(option_table) / sizeof(option_table[0]),
	};
	ConfigOutcome outcome = config_load(&program, argc, argv);

	if (outcome == CONFIG_RUN && !settings_check())
		return CONFIG_BAD;
	return outcome;
}

/* What the table cannot say: values that must fit one another or parse. */
static bool
settings_check(void)
{
	if (!pg_dsn_is_good("APPT_DSN", settings.dsn) ||
		!pg_dsn_is_good("APPT_RELAY_LISTEN_DSN", settings.listen_dsn))
		return false;
	if (log_level_from_name(settings.log_level) < 0)
		fprintf(stderr, "APPT_LOG_LEVEL: \"%s\" is none of debug, info, "
				"warning, error\n", settings.log_level);
	else if (!ranges_valid())
		return false;
	else if (!schedule_valid(settings.retry_schedule))
		fprintf(stderr, "APPT_RELAY_RETRY_SCHEDULE: \"%s\" is no list of "
				"seconds such as 0,5,300\n", settings.retry_schedule);
	else if (!schedule_valid(settings.message_retry_schedule))
		fprintf(stderr, "APPT_RELAY_MESSAGE_RETRY_SCHEDULE: \"%s\" is no list "
				"of seconds such as 0,5,300\n",
				settings.message_retry_schedule);
	else if (settings.lease_ms < settings.timeout_ms + LEASE_MARGIN_MS)
		fprintf(stderr, "APPT_RELAY_LEASE_MS: %d is not %d more than "
				"APPT_RELAY_TIMEOUT_MS: a request would outlive its lease\n",
				settings.lease_ms, LEASE_MARGIN_MS);
	else
		return true;
	return false;
}

/* Hands the guard its ranges; says which cannot be read. */
static bool
ranges_valid(void)
{
	const char *name = "APPT_RELAY_ALLOW_RANGES";
	const char *bad = guard_allow(settings.allow_ranges);

	if (bad == NULL)
	{
		name = "APPT_RELAY_DENY_RANGES";
		bad = guard_deny(settings.deny_ranges);
	}
	if (bad != NULL)
		fprintf(stderr, "%s: \"%s\" is no range such as 10.0.0.0/8, "
				"10.0.0.0/8:443, 10.0.0.0/8:8000-8099, fd00::/8 or "
				"[fd00::/8]:443, or there are more than 64\n", name, bad);
	return bad == NULL;
}

/* Whether the text is a list of 1 to 100 numbers that are not negative. */
static bool
schedule_valid(const char *text)
{
	int			count = 0;

	while (count < 100)
	{
		char	   *end;
		double		seconds = strtod(text, &end);

		if (end == text || !(seconds >= 0 && seconds <= 31536000))
			return false;
		count++;
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		text = end + 1;
	}
	return false;
}
