/*
 * module.c
 *		Magic block, settings, start-up.
 */
#include "schedule.h"

#include "utils/guc.h"

PG_MODULE_MAGIC;

static int	audit_days_setting = 365;

PGDLLEXPORT void _PG_init(void);

static void define_settings(void);

void
_PG_init(void)
{
	define_settings();
	relation_init();
	schedule_init();
	version_init();
}

static void
define_settings(void)
{
	DefineCustomStringVariable("bioecko_appt.clock",
							   "Freezes the extension's clock.",
							   "A timestamp with time zone; empty means the real time. For tests.",
							   &appt_clock_setting, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("bioecko_appt.actor",
							   "Who works behind the session's role, for the history.",
							   NULL,
							   &appt_actor_setting, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("bioecko_appt.notify",
							 "Wakes the webhook relay when a transaction with events commits.",
							 "The gateway turns it off and wakes the relay itself.",
							 &appt_notify_setting, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("bioecko_appt.allow_drop",
							 "Allows DROP EXTENSION although there are patients or appointments.",
							 NULL,
							 &appt_allow_drop_setting, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("bioecko_appt.zone_data_since",
							 "When the server got its time zone data.",
							 "Seconds since 1970; sessions that began before end when they next ask, for they may know former rules. 0: nothing is known.",
							 &appt_zone_data_setting, 0, 0, 1e10,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("bioecko_appt.client_audit_days",
							"How many days the audit trail of API clients is kept.",
							NULL,
							&audit_days_setting, 365, 1, 36500,
							PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("bioecko_appt");
}
