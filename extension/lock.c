/*
 * lock.c
 *		Transaction-level locks on things that are not rows.
 *
 * Locking order, everywhere: idempotency key, branch (shared; exclusive to
 * close it), doctor (likewise, for time off), doctor-days by (doctor_no, date),
 * each with its row, patient, appointment row.  Keys of one class are taken in
 * ascending order.  These locks never meet those of pg_advisory_lock(): the
 * last field of their tag is another.
 */
#include "appt.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

#define TAG_CLASS_BASE	0x4A00

static LockAcquireResult acquire(ApptLockClass class, uint64 key,
								 LOCKMODE mode, bool no_wait);

void
appt_lock_shared(ApptLockClass class, uint64 key)
{
	(void) acquire(class, key, ShareLock, false);
}

void
appt_lock_exclusive(ApptLockClass class, uint64 key)
{
	(void) acquire(class, key, ExclusiveLock, false);
}

/* False if somebody else holds it. */
bool
appt_try_lock_exclusive(ApptLockClass class, uint64 key)
{
	return acquire(class, key, ExclusiveLock, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* The lock key of something that is known by a name. */
uint64
appt_lock_key(const char *name)
{
	return hash_bytes_extended((const unsigned char *) name,
							   strlen(name), 0);
}

static LockAcquireResult
acquire(ApptLockClass class, uint64 key, LOCKMODE mode, bool no_wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32),
						 (uint32) key, TAG_CLASS_BASE + class);
	return LockAcquire(&tag, mode, false, no_wait);
}
