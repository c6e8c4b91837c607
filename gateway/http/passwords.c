/*
 * passwords.c
 *		Passwords of staff, hashed with yescrypt by libcrypt.
 *
 *		A hash takes some 16 MiB and a core for a good part of a second, so it
 *		is made in a thread, APPT_PASSWORD_THREADS at a time in the process;
 *		others wait in their loop's line, which is short.  A thread works on
 *		copies, and "done" is called in the loop.
 */
#include "http/passwords.h"

#include <crypt.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/buf.h"
#include "common/errand.h"
#include "common/loop.h"
#include "http/options.h"

#define PASSWORDS_WAITING 32	/* in a loop's line */
#define PASSWORDS_WAIT_MS 5000
#define PASSWORD_PREFIX "$y$"	/* yescrypt, at libcrypt's own cost */

/* What a thread works on. */
typedef struct PasswordTask
{
	char	   *password;
	char	   *hash;			/* NULL: one is to be made */
	char		made[PASSWORD_HASH_SIZE];
	bool		done;
} PasswordTask;

/* A task under way, as its loop sees it. */
typedef struct PasswordRun
{
	Watch		watch;			/* first: loop_free() frees it all */
	Passwords  *passwords;
	PasswordWork *work;
	PasswordTask *task;
	Errand	   *errand;
} PasswordRun;

static atomic_int running;		/* of all loops */
static char decoy[PASSWORD_HASH_SIZE];

static bool passwords_start(Passwords *passwords, PasswordWork *work);
static void passwords_turn(Passwords *passwords);
static PasswordWork *passwords_next(Passwords *passwords);
static void run_done(Watch *watch, uint32_t events);
static void task_run(void *context);
static void task_drop(void *context);
static bool hash_with(const char *password, const char *setting,
					  char hash[PASSWORD_HASH_SIZE]);

/* Makes the decoy; before any loop.  False: libcrypt has no yescrypt. */
bool
passwords_init(void)
{
	return password_hash("", decoy);
}

/*
 * A hash that nobody's password has: who signs in to an account that does not
 * exist waits as long as any other.
 */
const char *
passwords_decoy(void)
{
	return decoy;
}

/* Does it, or puts it in line; calls work->done once, perhaps at once. */
void
passwords_submit(Passwords *passwords, PasswordWork *work)
{
	if (passwords->count >= PASSWORDS_WAITING)
	{
		work->done(work, PASSWORD_BUSY);
		return;
	}
	work->since_ms = loop_now_ms();
	work->next = NULL;
	if (passwords->last != NULL)
		passwords->last->next = work;
	else
		passwords->first = work;
	passwords->last = work;
	passwords->count++;
	passwords_turn(passwords);
}

/* Starts what may be started now; lets nobody wait for too long. */
void
passwords_tick(Passwords *passwords)
{
	while (passwords->first != NULL && loop_now_ms() -
		   passwords->first->since_ms > PASSWORDS_WAIT_MS)
	{
		PasswordWork *work = passwords_next(passwords);

		work->done(work, PASSWORD_BUSY);
	}
	passwords_turn(passwords);
}

/* The password's hash, with a new salt; takes its time. */
bool
password_hash(const char *password, char hash[PASSWORD_HASH_SIZE])
{
	char		setting[CRYPT_GENSALT_OUTPUT_SIZE];

	return crypt_gensalt_rn(PASSWORD_PREFIX, 0, NULL, 0, setting,
							sizeof(setting)) != NULL &&
		hash_with(password, setting, hash);
}

/* Starts those in line, as many as there is room for. */
static void
passwords_turn(Passwords *passwords)
{
	while (passwords->first != NULL)
	{
		PasswordWork *work;

		if (atomic_fetch_add(&running, 1) >= options.password_threads)
		{
			atomic_fetch_sub(&running, 1);
			return;
		}
		work = passwords_next(passwords);
		if (passwords_start(passwords, work))
			continue;
		atomic_fetch_sub(&running, 1);
		work->done(work, PASSWORD_BUSY);
	}
}

/* Takes the first one out of the line. */
static PasswordWork *
passwords_next(Passwords *passwords)
{
	PasswordWork *work = passwords->first;

	passwords->first = work->next;
	if (passwords->first == NULL)
		passwords->last = NULL;
	passwords->count--;
	return work;
}

/* Starts a thread for it; false: there is none to be had. */
static bool
passwords_start(Passwords *passwords, PasswordWork *work)
{
	PasswordTask *task = must_alloc(sizeof(PasswordTask));
	PasswordRun *run;
	Errand	   *errand;

	*task = (PasswordTask) {
		.password = must_strdup(work->password),
		.hash = work->hash != NULL ? must_strdup(work->hash) : NULL,
	};
	errand = errand_start(&(ErrandTask) {
		.run = task_run, .drop = task_drop, .context = task
	});
	if (errand == NULL)
		return false;
	run = must_alloc(sizeof(PasswordRun));
	*run = (PasswordRun) {
		.watch = {.fd = -1, .ready = run_done, .context = run},
		.passwords = passwords, .work = work, .task = task, .errand = errand
	};
	loop_watch(&run->watch, errand_fd(errand), EPOLLIN);
	return true;
}

/* The thread is done: so is the work, and the next may begin. */
static void
run_done(Watch *watch, uint32_t events)
{
	PasswordRun *run = watch->context;
	PasswordWork *work = run->work;
	Passwords  *passwords = run->passwords;
	PasswordOutcome outcome = PASSWORD_BUSY;
	const PasswordTask *task = run->task;

	(void) events;
	if (task->done && task->hash == NULL)
	{
		memcpy(work->made, task->made, sizeof(work->made));
		outcome = PASSWORD_HASHED;
	}
	else if (task->hash != NULL)
		outcome = task->done && strlen(task->made) == strlen(task->hash) &&
			CRYPTO_memcmp(task->made, task->hash, strlen(task->hash)) == 0
			? PASSWORD_RIGHT : PASSWORD_WRONG;
	loop_free(&run->watch);
	errand_let_go(run->errand);
	atomic_fetch_sub(&running, 1);
	work->done(work, outcome);
	passwords_turn(passwords);
}

/* The thread. */
static void
task_run(void *context)
{
	PasswordTask *task = context;

	task->done = task->hash != NULL
		? hash_with(task->password, task->hash, task->made)
		: password_hash(task->password, task->made);
}

/* Nobody needs the task any more. */
static void
task_drop(void *context)
{
	PasswordTask *task = context;

	OPENSSL_cleanse(task->password, strlen(task->password));
	free(task->password);
	free(task->hash);
	OPENSSL_cleanse(task, sizeof(PasswordTask));
	free(task);
}

/* The hash by a setting, which any hash begins with; false: it is none. */
static bool
hash_with(const char *password, const char *setting,
		  char hash[PASSWORD_HASH_SIZE])
{
	struct crypt_data *data = must_alloc(sizeof(struct crypt_data));
	const char *made;
	bool		good;

	memset(data, 0, sizeof(struct crypt_data));
	made = crypt_r(password, setting, data);
	good = made != NULL && made[0] != '*' &&
		strlen(made) < PASSWORD_HASH_SIZE;
	if (good)
		memcpy(hash, made, strlen(made) + 1);
	OPENSSL_cleanse(data, sizeof(struct crypt_data));
	free(data);
	return good;
}
