/*
 * version.c
 *		Whether this library and the extension's objects are of one version.
 *
 * ALTER EXTENSION UPDATE changes the objects at once, for every session; the
 * library in a session's memory stays what it was.  Each call asks, and looks
 * into the catalog only after a function of the database has changed, which
 * every update script does.
 */
#include "appt.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* What is known since the last change of a function. */
static bool fits = false;

/* Whether it has ever been so in this session. */
static bool has_fitted = false;

static void forget(Datum unused, int cache, uint32 hash);
static char *installed_version(void);
pg_noreturn static void refuse(const char *installed);

/* Called once per backend. */
void
version_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, forget, (Datum) 0);
	if (IsTransactionState())
	{
		char	   *installed = installed_version();

		has_fitted = installed != NULL && strcmp(installed, APPT_VERSION) == 0;
	}
}

/* Refuses to work with objects of another version; within a transaction. */
void
version_check(void)
{
	char	   *installed;

	if (fits)
		return;
	installed = installed_version();
	if (installed != NULL && strcmp(installed, APPT_VERSION) != 0)
		refuse(installed);
	fits = has_fitted = true;
}

/*
 * Ends the session where a statement failed for want of a function: while it
 * waited for a lock, an update has put it elsewhere in the library.  Whether so
 * cannot be looked up after an error; that a function has changed is known.
 */
void
version_check_failure(int sqlerrcode)
{
	if (sqlerrcode == ERRCODE_UNDEFINED_FUNCTION && has_fitted && !fits)
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("extension \"%s\" was updated during this session, which has the library of version %s",
						APPT_EXTENSION, APPT_VERSION),
				 errhint("Connect again.")));
}

/* A syscache callback: a function was made, replaced or dropped. */
static void
forget(Datum unused, int cache, uint32 hash)
{
	fits = false;
}

/* NULL where the extension is not in the database. */
static char *
installed_version(void)
{
	Relation	catalog = table_open(ExtensionRelationId, AccessShareLock);
	char	   *version = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(APPT_EXTENSION));
	scan = systable_beginscan(catalog, ExtensionNameIndexId, true, NULL, 1,
							  &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		bool		isnull;
		Datum		value = heap_getattr(row, Anum_pg_extension_extversion,
										 RelationGetDescr(catalog), &isnull);

		version = TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return version;
}

/*
 * A session whose library fitted before the update never will again: it ends,
 * and the next one loads the new library.
 */
static void
refuse(const char *installed)
{
	if (has_fitted)
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("extension \"%s\" was updated to version %s during this session, which has the library of version %s",
						APPT_EXTENSION, installed, APPT_VERSION),
				 errhint("Connect again.")));
	ereport(ERROR,
			(errcode(ERRCODE_OPERATOR_INTERVENTION),
			 errmsg("the library of extension \"%s\" is of version %s, its objects in this database are of version %s",
					APPT_EXTENSION, APPT_VERSION, installed),
			 errhint("Install the files of the newer version, then ALTER EXTENSION %s UPDATE.",
					 APPT_EXTENSION)));
}
