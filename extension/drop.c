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

#define EXTENSION_NAME	"bioecko_appt"
#define REQUIRED_NAME	"btree_gist"

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

static bool removes_extension(Node *statement);
static bool drops_extension(const DropStmt *drop);
static bool drops_schema(const DropStmt *drop);
static bool drops_owner(const DropOwnedStmt *drop);
static Oid	extension_field(const char *name, int column);
static Datum refuse_if_data(void *arg);

PG_FUNCTION_INFO_V1(appt_drop_guard);

Datum
appt_drop_guard(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "appt.drop_guard() was not called by an event trigger");
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

		if (strcmp(name, EXTENSION_NAME) == 0 ||
			(drop->behavior == DROP_CASCADE &&
			 strcmp(name, REQUIRED_NAME) == 0))
			return true;
	}
	return false;
}

static bool
drops_schema(const DropStmt *drop)
{
	Oid			ours = extension_field(EXTENSION_NAME, SCHEMA_COLUMN);
	Oid			required = extension_field(REQUIRED_NAME, SCHEMA_COLUMN);
	ListCell   *cell;

	if (drop->behavior != DROP_CASCADE)
		return false;
	foreach(cell, drop->objects)
	{
		Oid			schema = get_namespace_oid(strVal(lfirst(cell)), true);

		if (OidIsValid(schema) && (schema == ours || schema == required))
			return true;
	}
	return false;
}

static bool
drops_owner(const DropOwnedStmt *drop)
{
	Oid			ours = extension_field(EXTENSION_NAME, OWNER_COLUMN);
	Oid			required = extension_field(REQUIRED_NAME, OWNER_COLUMN);
	ListCell   *cell;

	foreach(cell, drop->roles)
	{
		Oid			role = get_rolespec_oid(lfirst(cell), true);

		if (role == ours ||
			(drop->behavior == DROP_CASCADE && role == required))
			return true;
	}
	return false;
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
					EXTENSION_NAME),
			 errhint("Back up first; then SET bioecko_appt.allow_drop = on allows it.")));
}
