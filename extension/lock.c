/*
 * lock.c
 *		Locks on things that are not rows, in the server's lock table.
 *
 * Locking order, everywhere: idempotency key, absences (shared for time off,
 * exclusive for closures, whose branches one statement may bring in any order),
 * branch (shared; exclusive to close it), doctor (likewise, for time off), the
 * rows of the doctor-days by (doctor_no, date), of the patient, of the
 * appointment, an API client's holds.  Keys of one class are taken in ascending
 * order.  Who has a doctor exclusively has all of the doctor's days (bulk.c).
 *
 * They are held to the end of the transaction, one for each branch and doctor
 * that it books at; those of doctor-days beyond a few only until the row is
 * locked (token.c), for it may book on thousands of days and the lock table is
 * small.
 * They never meet those of pg_advisory_lock(): the last field of their tag is
 * another.
 */
#include "appt.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

#define TAG_CLASS_BASE	0x4A00

static LOCKTAG lock_tag(ApptLockClass class, uint64 key);
static LockAcquireResult acquire(ApptLockClass class, uint64 key,
								 LOCKMODE mode, bool no_wait);

/* Waits for the lock; the transaction has it to its end.  So does the next. */
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

/* Gives a lock back before the transaction ends. */
void
appt_unlock_exclusive(ApptLockClass class, uint64 key)
{
	LOCKTAG		tag = lock_tag(class, key);

	(void) LockRelease(&tag, ExclusiveLock, false);
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
	LOCKTAG		tag = lock_tag(class, key);

	return LockAcquire(&tag, mode, false, no_wait);
}

static LOCKTAG
lock_tag(ApptLockClass class, uint64 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (key >> 32),
						 (uint32) key, TAG_CLASS_BASE + class);
	return tag;
}
