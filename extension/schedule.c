/*
 * schedule.c
 *		The backend's cache of the configuration.
 *
 * Statement triggers on the configuration tables send a relcache invalidation
 * (appt_schedule_changed), so every backend drops its cache when the change
 * commits, and the changing backend also when it rolls back.  Loads read what
 * is committed now, never an old snapshot: otherwise a repeatable-read
 * transaction could leave yesterday's hours behind for the next one.
 *
 * Pointers into the cache stay valid until the end of the transaction: a
 * dropped cache is freed only then.
 */
#include "schedule.h"

#include "catalog/namespace.h"
#include "utils/hsearch.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const char *const config_tables[] = {
	"branch", "department", "doctor", "visit_type", "working_hours",
	"extra_session", "operating_hours", "time_off", "closure", "setting",
	"webhook", "api_client", "staff", "notification_channel"
};

typedef struct Cache
{
	MemoryContext context;
	HTAB	   *branches;
	HTAB	   *doctors;
	HTAB	   *visit_types;
	HTAB	   *clients;
	List	   *settings;
	const char *id_prefix;		/* one of them, once it was asked for */
	Branch	   *only_branch;	/* the active branch if there is just one */
	bool		has_webhooks;
	bool		has_channels;
	Oid			relids[lengthof(config_tables)];
} Cache;

static Cache *cache = NULL;
static uint64 changes = 1;		/* counts invalidations */
static uint64 loaded_at = 0;	/* value of changes when the cache was loaded */

static void on_relcache_change(Datum arg, Oid relid);
static void discard(void);
static Cache *load(void);
static void load_globals(Cache *new);
static void load_relids(Cache *new);
static HTAB *name_table(MemoryContext context, const char *name,
						Size entry_size);
static bool is_possible(const char *name);
static void *find(HTAB *table, const char *name);
static void *enter(HTAB *table, const void *entry, Size entry_size);
static Doctor *enter_doctor(const Doctor *loaded);
static Client *enter_client(const Client *loaded);
static void *keep(const void *data, Size size);
static Rules make_rules(Doctor *doctor, Branch *branch);
static int	int_setting(const char *name, const Doctor *doctor,
						const Branch *branch);

/* Called once per backend. */
void
schedule_init(void)
{
	CacheRegisterRelcacheCallback(on_relcache_change, (Datum) 0);
}

/*
 * Brings the cache up to date with what is committed.  Call it once a call,
 * after its locks are taken; SPI must be connected.
 */
void
schedule_refresh(void)
{
	uint64		start;

	AcceptInvalidationMessages();
	version_check();
	appt_check_zone_data();
	if (loaded_at == changes)
		return;
	discard();
	start = changes;
	cache = load();
	loaded_at = start;
}

/*
 * NULL if there is none, here and below.  What is returned is the cache's: it
 * stays until the next schedule_refresh().  A look at the tables that finds
 * nothing, or fails, leaves nothing in the cache's memory.
 */
Doctor *
schedule_doctor(const char *doctor_id)
{
	Doctor	   *doctor = find(cache->doctors, doctor_id);

	if (doctor == NULL && is_possible(doctor_id))
	{
		doctor = schedule_load_doctor(doctor_id, schedule_branch);
		if (doctor != NULL)
			doctor = enter_doctor(doctor);
	}
	return doctor;
}

Branch *
schedule_branch(const char *branch_id)
{
	return find(cache->branches, branch_id);
}

/* The active branch where there is exactly one, else NULL. */
Branch *
schedule_only_branch(void)
{
	return cache->only_branch;
}

/*
 * The zone of a branch that is to be used, never NULL.  One that this server
 * does not know is refused (SB503): that stops its own branch and no other.
 */
pg_tz *
schedule_zone(const Branch *branch)
{
	if (branch->zone == NULL)
		ereport(ERROR,
				(APPT_ERRCODE(TIME_ZONE_UNKNOWN),
				 errmsg("time zone \"%s\" of branch \"%s\" is not known to this server",
						branch->time_zone, branch->branch_id),
				 errhint("Update the server's time zone data, or give the branch the zone's new name.")));
	return branch->zone;
}

VisitType *
schedule_visit_type(const char *visit_type)
{
	return find(cache->visit_types, visit_type);
}

Client *
schedule_client(const char *client_id)
{
	Client	   *client = find(cache->clients, client_id);

	if (client == NULL && is_possible(client_id))
	{
		client = schedule_load_client(client_id);
		if (client != NULL)
			client = enter_client(client);
	}
	return client;
}

/* The settings as they are for a doctor at a branch. */
const Rules *
schedule_rules(Doctor *doctor, Branch *branch)
{
	Rules		rules;
	MemoryContext old;

	for (int i = 0; i < doctor->nrules; i++)
	{
		if (doctor->rules[i]->branch == branch)
			return doctor->rules[i];
	}
	rules = make_rules(doctor, branch);
	old = MemoryContextSwitchTo(cache->context);
	doctor->rules = doctor->nrules == 0
		? palloc_array(Rules *, 1)
		: repalloc_array(doctor->rules, Rules *, doctor->nrules + 1);
	doctor->rules[doctor->nrules++] = keep(&rules, sizeof(rules));
	MemoryContextSwitchTo(old);
	return doctor->rules[doctor->nrules - 1];
}

/* The global value of a setting, the cache's; never NULL. */
const char *
schedule_setting(const char *name)
{
	ListCell   *cell;
	const char *value = NULL;

	foreach(cell, cache->settings)
	{
		const Setting *setting = lfirst(cell);

		if (setting->branch_id == NULL && setting->doctor_id == NULL &&
			strcmp(setting->name, name) == 0)
			value = setting->value;
	}
	if (value == NULL)
		elog(ERROR, "setting \"%s\" is not defined", name);
	return value;
}

/* What the ids of appointments begin with; each booking asks. */
const char *
schedule_id_prefix(void)
{
	if (cache->id_prefix == NULL)
		cache->id_prefix = schedule_setting("appointment_id_prefix");
	return cache->id_prefix;
}

/* Whether any webhook exists: if not, an event needs no fan-out. */
bool
schedule_has_webhooks(void)
{
	return cache->has_webhooks;
}

/* Whether any patient is told of anything. */
bool
schedule_has_channels(void)
{
	return cache->has_channels;
}

static void
on_relcache_change(Datum arg, Oid relid)
{
	if (cache == NULL || relid == InvalidOid)
	{
		changes++;
		return;
	}
	for (int i = 0; i < lengthof(config_tables); i++)
	{
		if (cache->relids[i] == relid)
		{
			changes++;
			return;
		}
	}
}

/* Hands the old cache to the transaction, which may still point into it. */
static void
discard(void)
{
	loaded_at = 0;
	if (cache == NULL)
		return;
	MemoryContextSetParent(cache->context, TopTransactionContext);
	cache = NULL;
}

/* Builds a cache under the transaction and keeps it only once it is whole. */
static Cache *
load(void)
{
	MemoryContext context;
	MemoryContext old;
	Cache	   *new;

	context = AllocSetContextCreate(TopTransactionContext,
									"bioecko_appt schedule",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	new = palloc0_object(Cache);
	new->context = context;
	load_relids(new);
	load_globals(new);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, CacheMemoryContext);
	return new;
}

static void
load_globals(Cache *new)
{
	ListCell   *cell;
	int			active = 0;

	new->branches = name_table(new->context, "branches", sizeof(Branch));
	new->doctors = name_table(new->context, "doctors", sizeof(Doctor));
	new->visit_types = name_table(new->context, "visit types",
								  sizeof(VisitType));
	new->clients = name_table(new->context, "clients", sizeof(Client));
	new->settings = schedule_load_settings();
	new->has_webhooks = schedule_load_has_webhooks();
	new->has_channels = schedule_load_has_channels();

	foreach(cell, schedule_load_visit_types())
		enter(new->visit_types, lfirst(cell), sizeof(VisitType));
	foreach(cell, schedule_load_branches())
	{
		const Branch *branch = lfirst(cell);

		enter(new->branches, branch, sizeof(Branch));
		if (!branch->active)
			continue;
		new->only_branch = ++active == 1
			? find(new->branches, branch->branch_id)
			: NULL;
	}
}

static void
load_relids(Cache *new)
{
	Oid			schema = get_namespace_oid("appt", false);

	for (int i = 0; i < lengthof(config_tables); i++)
		new->relids[i] = get_relname_relid(config_tables[i], schema);
}

/* A hash table whose entries begin with their name. */
static HTAB *
name_table(MemoryContext context, const char *name, Size entry_size)
{
	HASHCTL		control = {
		.keysize = sizeof(((Branch *) 0)->branch_id),
		.entrysize = entry_size,
		.hcxt = context
	};

	return hash_create(name, 64, &control,
					   HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

/* Whether an id is short enough to be in the tables. */
static bool
is_possible(const char *name)
{
	return strlen(name) < sizeof(((Branch *) 0)->branch_id);
}

static void *
find(HTAB *table, const char *name)
{
	char		key[sizeof(((Branch *) 0)->branch_id)];

	if (!is_possible(name))
		return NULL;
	strlcpy(key, name, sizeof(key));
	return hash_search(table, key, HASH_FIND, NULL);
}

static void *
enter(HTAB *table, const void *entry, Size entry_size)
{
	return memcpy(hash_search(table, entry, HASH_ENTER, NULL), entry,
				  entry_size);
}

/* Copies into the cache what was loaded into the caller's memory. */
static Doctor *
enter_doctor(const Doctor *loaded)
{
	Doctor		doctor = *loaded;

	doctor.name = keep(loaded->name, strlen(loaded->name) + 1);
	doctor.hours = keep(loaded->hours, loaded->nhours * sizeof(Hours));
	doctor.time_off = keep(loaded->time_off,
						   loaded->ntime_off * sizeof(SlotBlock));
	return enter(cache->doctors, &doctor, sizeof(doctor));
}

static Client *
enter_client(const Client *loaded)
{
	Client		client = *loaded;

	client.actor = keep(loaded->actor, strlen(loaded->actor) + 1);
	client.branch_ids = keep(loaded->branch_ids,
							 loaded->nbranch_ids * sizeof(char *));
	for (int i = 0; i < client.nbranch_ids; i++)
		client.branch_ids[i] = keep(loaded->branch_ids[i],
									strlen(loaded->branch_ids[i]) + 1);
	client.doctor_nos = keep(loaded->doctor_nos,
							 loaded->ndoctor_nos * sizeof(int32));
	return enter(cache->clients, &client, sizeof(client));
}

/* A copy in the cache's memory. */
static void *
keep(const void *data, Size size)
{
	if (size == 0)
		return NULL;
	return memcpy(MemoryContextAlloc(cache->context, size), data, size);
}

static Rules
make_rules(Doctor *doctor, Branch *branch)
{
	return (Rules) {
		.branch = branch,
		.lead_time_min = int_setting("lead_time_min", doctor, branch),
		.horizon_days = int_setting("horizon_days", doctor, branch),
		.cancellation_window_min =
			int_setting("cancellation_window_min", doctor, branch),
		.reschedule_window_min =
			int_setting("reschedule_window_min", doctor, branch),
		.max_duration_min =
			int_setting("max_duration_min", doctor, branch),
		.hold_min = int_setting("hold_min", doctor, branch),
		.doctor_daily_limit =
			int_setting("doctor_daily_limit", doctor, branch),
		.patient_daily_limit =
			int_setting("patient_daily_limit", doctor, branch),
		.late_after_min = int_setting("late_after_min", doctor, branch),
		.settle_s = int_setting("settle_s", doctor, branch),
		.check_in_before_min =
			int_setting("check_in_before_min", doctor, branch)
	};
}

/* The doctor's value before the branch's before the global one. */
static int
int_setting(const char *name, const Doctor *doctor, const Branch *branch)
{
	ListCell   *cell;
	const char *value = schedule_setting(name);
	bool		from_doctor = false;

	foreach(cell, cache->settings)
	{
		const Setting *setting = lfirst(cell);

		if (strcmp(setting->name, name) != 0)
			continue;
		if (setting->doctor_id != NULL &&
			strcmp(setting->doctor_id, doctor->doctor_id) == 0)
		{
			value = setting->value;
			from_doctor = true;
		}
		else if (setting->branch_id != NULL && !from_doctor &&
				 strcmp(setting->branch_id, branch->branch_id) == 0)
			value = setting->value;
	}
	return pg_strtoint32(value);
}
