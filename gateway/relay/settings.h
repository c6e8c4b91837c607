/*
 * settings.h
 *		What the deployer can set of the relay.
 */
#ifndef APPT_RELAY_SETTINGS_H
#define APPT_RELAY_SETTINGS_H

#include "common/config.h"

#define ANSWER_MAX_BYTES	65536	/* more of an answer is not read */
#define ANSWER_KEPT_BYTES	4096	/* goes to the log */
#define RETRY_AFTER_MAX_S	86400

typedef struct Settings
{
	const char *dsn;
	const char *listen_dsn;
	const char *metrics_listen;
	const char *log_level;
	const char *allow_ranges;
	const char *deny_ranges;
	const char *ca_file;
	const char *retry_schedule;
	const char *message_retry_schedule;
	int			max_in_flight;
	int			per_endpoint;
	int			per_channel;
	int			mail_connections;
	int			mail_timeout_ms;
	int			max_batch;
	int			connect_timeout_ms;
	int			timeout_ms;
	int			lease_ms;
	int			poll_ms;
	int			disable_after_s;
	int			keep_days;
	int			retention_every_s;
	int			stats_every_ms;
	int			upkeep_every_s;
} Settings;

extern Settings settings;

extern ConfigOutcome settings_load(int argc, char **argv)
			__attribute__((warn_unused_result));

#endif							/* APPT_RELAY_SETTINGS_H */
