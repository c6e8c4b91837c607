/*
 * drop.c
 *		Keeps DROP from taking the clinic's data along without being asked.
 *
 * An event trigger at the start of DROP EXTENSION, DROP SCHEMA and DROP OWNED
 * refuses what would remove this extension while there are patients or
 * appointments, unless bioecko_appt.allow_drop is on.
 */
#include "appt.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "utils/acl.h"

#define SCHEMA_COLUMN	1
#define OWNER_COLUMN	2

static ApptStatement any_data = {
	"SELECT"
	" WHERE EXISTS (SELECT FROM appt.patient)"
	" OR EXISTS (SELECT FROM appt.appointment)"
};

static ApptStatement extension_row = {
	"SELECT extnamespace, extowner"
	" FROM pg_catalog.pg_extension"
	" WHERE extname = $1",
	1, {TEXTOID}
};

/* What ours stands on: to drop it with CASCADE takes ours along. */
static const char *const required[] = {"btree_gist", "plpgsql"};

static bool removes_extension(Node *statement);
static bool drops_extension(const DropStmt *drop);
static bool drops_schema(const DropStmt *drop);
static bool drops_owner(const DropOwnedStmt *drop);
static bool holds_ours(Oid oid, int column);
static Oid	extension_field(const char *name, int column);
static Datum refuse_if_data(void *arg);

PG_FUNCTION_INFO_V1(appt_drop_guard);

Datum
appt_drop_guard(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) ||
		strcmp(event->event, "ddl_command_start") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is for the event trigger of extension \"%s\" alone",
						"appt_internal.drop_guard", APPT_EXTENSION)));
	if (!appt_allow_drop_setting)
		(void) appt_with_spi(refuse_if_data, event->parsetree);
	PG_RETURN_NULL();
}

static bool
removes_extension(Node *statement)
{
	if (IsA(statement, DropOwnedStmt))
		return drops_owner((DropOwnedStmt *) statement);
	if (!IsA(statement, DropStmt))
		return false;
	if (((DropStmt *) statement)->removeType == OBJECT_EXTENSION)
		return drops_extension((DropStmt *) statement);
	if (((DropStmt *) statement)->removeType == OBJECT_SCHEMA)
		return drops_schema((DropStmt *) statement);
	return false;
}

/* Ours, or with CASCADE what ours stands on. */
static bool
drops_extension(const DropStmt *drop)
{
	ListCell   *cell;

	foreach(cell, drop->objects)
	{
		const char *name = strVal(lfirst(cell));

		if (strcmp(name, APPT_EXTENSION) == 0)
			return true;
		for (int i = 0; i < lengthof(required); i++)
		{
			if (drop->behavior == DROP_CASCADE &&
				strcmp(name, required[i]) == 0)
				return true;
		}
	}
	return false;
}

static bool
drops_schema(const DropStmt *drop)
{
	ListCell   *cell;

	if (drop->behavior != DROP_CASCADE)
		return false;
	foreach(cell, drop->objects)
	{
		Oid			schema = get_namespace_oid(strVal(lfirst(cell)), true);

		if (OidIsValid(schema) && holds_ours(schema, SCHEMA_COLUMN))
			return true;
	}
	return false;
}

static bool
drops_owner(const DropOwnedStmt *drop)
{
	ListCell   *cell;

	foreach(cell, drop->roles)
	{
		Oid			role = get_rolespec_oid(lfirst(cell), true);

		if (role == extension_field(APPT_EXTENSION, OWNER_COLUMN) ||
			(drop->behavior == DROP_CASCADE &&
			 holds_ours(role, OWNER_COLUMN)))
			return true;
	}
	return false;
}

/* Whether ours, or what it stands on, is in that schema or of that owner. */
static bool
holds_ours(Oid oid, int column)
{
	for (int i = 0; i < lengthof(required); i++)
	{
		if (oid == extension_field(required[i], column))
			return true;
	}
	return oid == extension_field(APPT_EXTENSION, column);
}

/* A column of an extension's row in pg_extension: 1 its schema, 2 its owner. */
static Oid
extension_field(const char *name, int column)
{
	ApptArg		args[] = {appt_arg_text(name)};
	bool		isnull;

	if (appt_run(&extension_row, args, APPT_READ_LATEST) == 0)
		return InvalidOid;
	return DatumGetObjectId(appt_field(0, column, &isnull));
}

static Datum
refuse_if_data(void *arg)
{
	if (!removes_extension(arg) ||
		appt_run(&any_data, NULL, APPT_READ_LATEST) == 0)
		return (Datum) 0;
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop extension \"%s\" because it holds patients or appointments",
					APPT_EXTENSION),
			 errhint("Back up first; then SET bioecko_appt.allow_drop = on allows it.")));
}
