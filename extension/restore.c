/*
 * restore.c
 *		Loading a dump with several jobs at once.
 *
 * With one job pg_restore loads an extension's tables in the order of their
 * foreign keys.  With more it does not know of any: a table may come before the
 * one that it refers to, and its rows would be refused.  Other tables get
 * their foreign keys and triggers after the data; here a statement trigger
 * does as much.  While a table that is referred to is empty, what a restore
 * loads is taken as a subscriber takes it: without triggers and foreign keys.
 * A clinic that is in use is not empty, so there all is checked as ever.
 */
#include "appt.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rel.h"

static ApptStatement refers_to_empty = {
	"SELECT appt_internal.refers_to_empty($1)",
	1, {OIDOID}
};

static bool may_take_unchecked(void);
static Datum take_unchecked(void *arg);

PG_FUNCTION_INFO_V1(appt_restore_unordered);

/* BEFORE INSERT statement trigger of each table with a foreign key. */
Datum
appt_restore_unordered(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		.function = "appt_internal.restore_unordered",
		.when = TRIGGER_EVENT_BEFORE
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);

	if (may_take_unchecked())
		(void) appt_with_spi(take_unchecked, trigger);
	return PointerGetDatum(NULL);
}

/* Every booking asks this: the cheap answer first. */
static bool
may_take_unchecked(void)
{
	return appt_in_restore() &&
		pg_parameter_aclcheck("session_replication_role", GetUserId(),
							  ACL_SET) == ACLCHECK_OK;
}

/*
 * Until the end of this transaction, which with several jobs is that of the
 * one COPY.
 */
static Datum
take_unchecked(void *arg)
{
	TriggerData *trigger = arg;
	ApptArg		args[] = {
		appt_arg(ObjectIdGetDatum(RelationGetRelid(trigger->tg_relation)))
	};
	bool		isnull;

	(void) appt_run(&refers_to_empty, args, APPT_READ_LATEST);
	if (DatumGetBool(appt_field(0, 1, &isnull)))
		(void) set_config_option("session_replication_role", "replica",
								 PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
								 true, 0, false);
	return (Datum) 0;
}
