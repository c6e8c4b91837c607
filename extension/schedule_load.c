/*
 * schedule_load.c
 *		Reads the configuration from its tables, for the cache in schedule.c.
 *
 * Everything is read as it is committed now and allocated in the current
 * context.  SPI must be connected.
 */
#include "schedule.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

static ApptStatement branches = {
	"SELECT branch_id, time_zone, slot_min, active"
	" FROM appt.branch"
};

static ApptStatement closures = {
	"SELECT starts_at, ends_at"
	" FROM appt.closure"
	" WHERE branch_id = $1"
	" ORDER BY starts_at",
	1, {TEXTOID}
};

static ApptStatement open_hours = {
	"SELECT weekday::integer, valid_from, valid_to, opens, closes"
	" FROM appt.operating_hours"
	" WHERE branch_id = $1"
	" ORDER BY weekday, opens",
	1, {TEXTOID}
};

static ApptStatement visit_types = {
	"SELECT visit_type, coalesce(duration_min, 0),"
	" coalesce(buffer_before_min, -1), coalesce(buffer_after_min, -1), active"
	" FROM appt.visit_type"
};

static ApptStatement settings = {
	"SELECT d.name, s.branch_id, s.doctor_id, coalesce(s.value, d.default_value)"
	" FROM appt.setting_definition d"
	" LEFT JOIN appt.setting s ON s.name = d.name"
	" UNION ALL"
	" SELECT d.name, NULL, NULL, d.default_value"
	" FROM appt.setting_definition d"
	" WHERE NOT EXISTS (SELECT FROM appt.setting s"
	" WHERE s.name = d.name AND s.branch_id IS NULL AND s.doctor_id IS NULL)"
};

static ApptStatement webhooks = {
	"SELECT FROM appt.webhook LIMIT 1"
};

static ApptStatement channels = {
	"SELECT FROM appt.notification_channel WHERE active LIMIT 1"
};

static ApptStatement doctors = {
	"SELECT d.doctor_no, d.name, coalesce(d.slot_min, p.slot_min, 0),"
	" d.buffer_before_min, d.buffer_after_min, d.active"
	" FROM appt.doctor d"
	" LEFT JOIN appt.department p ON p.department_id = d.department_id"
	" WHERE d.doctor_id = $1",
	1, {TEXTOID}
};

static ApptStatement hours = {
	"SELECT branch_id, valid_from, valid_to, weekday, start_time, end_time,"
	" coalesce(slot_min, 0), capacity"
	" FROM appt.working_hours"
	" WHERE doctor_id = $1"
	" UNION ALL"
	" SELECT branch_id, on_date, on_date, 8, start_time, end_time,"
	" coalesce(slot_min, 0), capacity"
	" FROM appt.extra_session"
	" WHERE doctor_id = $1"
	" ORDER BY weekday, valid_from, start_time, branch_id",
	1, {TEXTOID}
};

static ApptStatement time_off = {
	"SELECT starts_at, ends_at"
	" FROM appt.time_off"
	" WHERE doctor_id = $1"
	" ORDER BY starts_at",
	1, {TEXTOID}
};

static ApptStatement clients = {
	"SELECT branch_ids, 'client:' || client_id, NULL::integer[]"
	" FROM appt.api_client"
	" WHERE client_id = $1 AND active",
	1, {TEXTOID}
};

static ApptStatement staff = {
	"SELECT branch_ids, 'staff:' || account,"
	"  appt_internal.client_doctor_nos('staff:' || staff_id)"
	" FROM appt.staff"
	" WHERE staff_id = $1 AND active",
	1, {TEXTOID}
};

static void take_branches(Client *client);
static void take_doctors(Client *client);
static void load_open_hours(Branch *branch);
static void load_hours(Doctor *doctor, BranchFinder branch_of);
static pg_tz *common_zone(const Doctor *doctor);
static SlotBlock *load_blocks(ApptStatement *statement, const char *id,
							  bool closed, int *nblocks);
static Datum field(int row, int column);
static char *field_text(int row, int column);
static int	field_int(int row, int column);
static int64 field_int64(int row, int column);
static bool field_bool(int row, int column);

List *
schedule_load_branches(void)
{
	List	   *result = NIL;
	ListCell   *cell;
	uint64		n = appt_run(&branches, NULL, APPT_READ_LATEST);

	for (uint64 i = 0; i < n; i++)
	{
		Branch	   *branch = palloc0_object(Branch);

		strlcpy(branch->branch_id, field_text(i, 1),
				sizeof(branch->branch_id));
		branch->time_zone = field_text(i, 2);
		branch->zone = appt_zone(branch->time_zone);
		branch->slot_min = field_int(i, 3);
		branch->active = field_bool(i, 4);
		result = lappend(result, branch);
	}
	foreach(cell, result)
	{
		Branch	   *branch = lfirst(cell);

		branch->closures = load_blocks(&closures, branch->branch_id, true,
									   &branch->nclosures);
		load_open_hours(branch);
	}
	return result;
}

List *
schedule_load_visit_types(void)
{
	List	   *result = NIL;
	uint64		n = appt_run(&visit_types, NULL, APPT_READ_LATEST);

	for (uint64 i = 0; i < n; i++)
	{
		VisitType  *visit = palloc0_object(VisitType);

		strlcpy(visit->visit_type, field_text(i, 1),
				sizeof(visit->visit_type));
		visit->duration_min = field_int(i, 2);
		visit->buffer_before_min = field_int(i, 3);
		visit->buffer_after_min = field_int(i, 4);
		visit->active = field_bool(i, 5);
		result = lappend(result, visit);
	}
	return result;
}

/* Every row of appt.setting, and the default of what has no global row. */
List *
schedule_load_settings(void)
{
	List	   *result = NIL;
	uint64		n = appt_run(&settings, NULL, APPT_READ_LATEST);

	for (uint64 i = 0; i < n; i++)
	{
		Setting    *setting = palloc_object(Setting);

		setting->name = field_text(i, 1);
		setting->branch_id = appt_field_text(i, 2);
		setting->doctor_id = appt_field_text(i, 3);
		setting->value = field_text(i, 4);
		result = lappend(result, setting);
	}
	return result;
}

bool
schedule_load_has_webhooks(void)
{
	return appt_run(&webhooks, NULL, APPT_READ_LATEST) > 0;
}

bool
schedule_load_has_channels(void)
{
	return appt_run(&channels, NULL, APPT_READ_LATEST) > 0;
}

/* NULL if there is no such doctor; his hours are at what branch_of answers. */
Doctor *
schedule_load_doctor(const char *doctor_id, BranchFinder branch_of)
{
	ApptArg		args[] = {appt_arg_text(doctor_id)};
	Doctor	   *doctor;

	if (appt_run(&doctors, args, APPT_READ_LATEST) == 0)
		return NULL;
	doctor = palloc0_object(Doctor);
	strlcpy(doctor->doctor_id, doctor_id, sizeof(doctor->doctor_id));
	doctor->doctor_no = field_int(0, 1);
	doctor->name = field_text(0, 2);
	doctor->slot_min = field_int(0, 3);
	doctor->buffer_before_min = field_int(0, 4);
	doctor->buffer_after_min = field_int(0, 5);
	doctor->active = field_bool(0, 6);
	load_hours(doctor, branch_of);
	doctor->zone = common_zone(doctor);
	doctor->time_off = load_blocks(&time_off, doctor_id, false,
								   &doctor->ntime_off);
	return doctor;
}

/* NULL if there is no such API client, nor member of staff. */
Client *
schedule_load_client(const char *client_id)
{
	const Size	prefix = strlen(APPT_STAFF_PREFIX);
	bool		is_staff = strncmp(client_id, APPT_STAFF_PREFIX, prefix) == 0;
	ApptArg		args[] = {appt_arg_text(is_staff ? client_id + prefix
										: client_id)};
	Client	   *client;

	if (appt_run(is_staff ? &staff : &clients, args, APPT_READ_LATEST) == 0)
		return NULL;
	client = palloc0_object(Client);
	strlcpy(client->client_id, client_id, sizeof(client->client_id));
	client->actor = field_text(0, 2);
	take_branches(client);
	take_doctors(client);
	return client;
}

static void
take_branches(Client *client)
{
	bool		isnull;
	Datum		branch_ids = appt_field(0, 1, &isnull);
	Datum	   *items;

	client->limited = !isnull;
	if (isnull)
		return;
	deconstruct_array_builtin(DatumGetArrayTypeP(branch_ids), TEXTOID,
							  &items, NULL, &client->nbranch_ids);
	client->branch_ids = palloc_array(char *, client->nbranch_ids);
	for (int i = 0; i < client->nbranch_ids; i++)
		client->branch_ids[i] = TextDatumGetCString(items[i]);
}

/* Numbers that the statement made, none of them NULL. */
static void
take_doctors(Client *client)
{
	bool		isnull;
	Datum		doctor_nos = appt_field(0, 3, &isnull);
	ArrayType  *array;

	client->some_doctors = !isnull;
	if (isnull)
		return;
	array = DatumGetArrayTypePCopy(doctor_nos);
	client->ndoctor_nos = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	client->doctor_nos = (int32 *) ARR_DATA_PTR(array);
}

static void
load_open_hours(Branch *branch)
{
	ApptArg		args[] = {appt_arg_text(branch->branch_id)};
	uint64		n = appt_run(&open_hours, args, APPT_READ_LATEST);

	branch->open_hours = palloc_array(OpenHours, n + 1);
	branch->nopen_hours = n;
	for (uint64 i = 0; i < n; i++)
	{
		branch->open_hours[i] = (OpenHours) {
			.weekday = field_int(i, 1),
			.valid_from = field_int(i, 2),
			.valid_to = field_int(i, 3),
			.opens = field_int64(i, 4),
			.closes = field_int64(i, 5)
		};
	}
}

static void
load_hours(Doctor *doctor, BranchFinder branch_of)
{
	ApptArg		args[] = {appt_arg_text(doctor->doctor_id)};
	uint64		n = appt_run(&hours, args, APPT_READ_LATEST);

	doctor->hours = palloc_array(Hours, n + 1);
	for (uint64 i = 0; i < n; i++)
	{
		Branch	   *branch = branch_of(field_text(i, 1));

		if (branch == NULL)
			continue;			/* added since; the next refresh sees both */
		doctor->hours[doctor->nhours++] = (Hours) {
			.branch = branch,
			.valid_from = field_int(i, 2),
			.valid_to = field_int(i, 3),
			.weekday = field_int(i, 4),
			.start = field_int64(i, 5),
			.end = field_int64(i, 6),
			.slot_min = field_int(i, 7),
			.capacity = field_int(i, 8)
		};
		for (int day = field_int(i, 4); day <= 7; day++)
			doctor->weekly[day] = doctor->nhours;
	}
}

/* The zone that all the doctor's branches share, NULL if they do not. */
static pg_tz *
common_zone(const Doctor *doctor)
{
	pg_tz	   *zone = NULL;

	for (int i = 0; i < doctor->nhours; i++)
	{
		if (i > 0 && zone != doctor->hours[i].branch->zone)
			return NULL;
		zone = doctor->hours[i].branch->zone;
	}
	return zone;
}

static SlotBlock *
load_blocks(ApptStatement *statement, const char *id, bool closed,
			int *nblocks)
{
	ApptArg		args[] = {appt_arg_text(id)};
	uint64		n = appt_run(statement, args, APPT_READ_LATEST);
	SlotBlock  *blocks = palloc_array(SlotBlock, n + 1);

	for (uint64 i = 0; i < n; i++)
	{
		blocks[i] = (SlotBlock) {
			.start = field_int64(i, 1),
			.end = field_int64(i, 2),
			.closed = closed
		};
	}
	*nblocks = n;
	return blocks;
}

/*
 * A column that the tables have NOT NULL, here and below.  Raises where
 * somebody took that constraint away.
 */
static Datum
field(int row, int column)
{
	bool		isnull;
	Datum		value = appt_field(row, column, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of the configuration",
						SPI_fname(SPI_tuptable->tupdesc, column))));
	return value;
}

static char *
field_text(int row, int column)
{
	return TextDatumGetCString(field(row, column));
}

/* Widens a smallint. */
static int
field_int(int row, int column)
{
	Datum		value = field(row, column);

	if (SPI_gettypeid(SPI_tuptable->tupdesc, column) == INT2OID)
		return DatumGetInt16(value);
	return DatumGetInt32(value);
}

static int64
field_int64(int row, int column)
{
	return DatumGetInt64(field(row, column));
}

static bool
field_bool(int row, int column)
{
	return DatumGetBool(field(row, column));
}
