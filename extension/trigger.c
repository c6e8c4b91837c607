/*
 * trigger.c
 *		What a trigger function may rely on.
 *
 * A trigger function that reads the row, or does something with the rights of
 * its owner, does so for the table, the event and the level that it was
 * written for, and refuses every other way to be called.
 */
#include "appt.h"

#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/guc.h"
#include "utils/rel.h"

static bool is_called_for(const TriggerUse *use, const TriggerData *trigger);
static bool is_one_of(Relation relation, const char *const *tables);

/* The trigger's data, if it is called as "use" says; else raises 39P01. */
TriggerData *
appt_trigger(FunctionCallInfo fcinfo, const TriggerUse *use)
{
	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!is_called_for(use, (TriggerData *) fcinfo->context))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is for triggers of extension \"%s\" alone",
						use->function, APPT_EXTENSION)));
	return (TriggerData *) fcinfo->context;
}

/* The row that a row trigger's INSERT or UPDATE has made. */
TupleTableSlot *
appt_new_row(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)
		? trigger->tg_newslot : trigger->tg_trigslot;
}

/*
 * Whether a dump is being restored: its script, and each session of a
 * pg_restore, begins by turning check_function_bodies off.
 */
bool
appt_in_restore(void)
{
	return !check_function_bodies;
}

static bool
is_called_for(const TriggerUse *use, const TriggerData *trigger)
{
	const TriggerEvent level = TRIGGER_EVENT_ROW | TRIGGER_EVENT_TIMINGMASK;
	bool		has_new_row = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);

	return (trigger->tg_event & level) == use->when &&
		(has_new_row || !use->needs_new_row) &&
		is_one_of(trigger->tg_relation, use->tables);
}

/* By oid: a table elsewhere may have the same name. */
static bool
is_one_of(Relation relation, const char *const *tables)
{
	if (tables == NULL)
		return RelationGetNamespace(relation) ==
			get_namespace_oid("appt", false);
	for (; *tables != NULL; tables++)
	{
		if (relation_oid(*tables) == RelationGetRelid(relation))
			return true;
	}
	return false;
}
