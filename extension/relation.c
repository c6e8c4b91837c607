/*
 * relation.c
 *		Oids of the extension's own relations, remembered by name.
 *
 * For what takes a relation's oid where a statement would take its name: a
 * sequence's next number (ids.c) and the one scan of an index (busy.c).
 */
#include "appt.h"

#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

typedef struct KnownRelation
{
	const char *name;
	Oid			oid;
} KnownRelation;

/* Relations of schema appt that were asked for; a few are, again and again. */
static KnownRelation known[16];
static int	nknown = 0;

static void forget(Datum unused, int cache, uint32 hash);

/* Called once per backend. */
void
relation_init(void)
{
	CacheRegisterSyscacheCallback(RELNAMENSP, forget, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACENAME, forget, (Datum) 0);
}

/*
 * The oid of the relation of that name in schema appt; InvalidOid if there is
 * none.  The name must be a constant, for its pointer is kept.
 */
Oid
relation_oid(const char *name)
{
	Oid			oid;

	for (int i = 0; i < nknown; i++)
	{
		if (strcmp(known[i].name, name) == 0)
			return known[i].oid;
	}
	oid = get_relname_relid(name, get_namespace_oid("appt", false));
	if (OidIsValid(oid) && nknown < lengthof(known))
		known[nknown++] = (KnownRelation) {.name = name, .oid = oid};
	return oid;
}

/*
 * The next number of a sequence of schema appt, as an identity column gets it:
 * who may write the row may have its number.
 */
int64
relation_nextval(const char *name)
{
	return nextval_internal(relation_oid(name), false);
}

/* A syscache callback: a relation or schema was made, renamed or dropped. */
static void
forget(Datum unused, int cache, uint32 hash)
{
	nknown = 0;
}
