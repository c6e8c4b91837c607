/*
 * idempotency.c
 *		The first answer to a key, kept in the transaction of its effect.
 *
 * While a request with a key runs it holds the key's lock, so that a second
 * one is told so at once instead of waiting.  What is refused leaves no row:
 * its retry is judged anew (docs/rest.md, Safe retries).
 */
#include "appointment.h"

#include "catalog/pg_type.h"

#define MAX_KEY_LENGTH	255
#define KEPT_DAYS		7

static ApptStatement find = {
	"SELECT request_hash, id, version, body"
	" FROM appt.idempotency"
	" WHERE client = $1 AND route = $2 AND key = $3 AND created_at > $4",
	4, {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}
};

static ApptStatement keep = {
	"INSERT INTO appt.idempotency AS i"
	" (client, route, key, request_hash, created_at, id, version, body)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	" ON CONFLICT (client, route, key) DO UPDATE"
	" SET request_hash = $4, created_at = $5, id = $6, version = $7,"
	" body = $8",
	8, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, INT4OID,
		TEXTOID}
};

static void check_key(const char *key);
static uint64 lock_key(const IdempotencyKey *key);
static void read_answer(const IdempotencyKey *key, Answer *answer);

/*
 * True if the request was answered before: *answer is that answer.  Otherwise
 * the key, if there is one, is this transaction's.
 */
bool
idempotency_begin(const IdempotencyKey *key, Answer *answer)
{
	*answer = (Answer) {0};
	if (key->key == NULL)
		return false;
	check_key(key->key);
	appt_require(key->client != NULL, "client");
	appt_require(key->request_hash != NULL, "request_hash");
	if (!appt_try_lock_exclusive(APPT_LOCK_IDEMPOTENCY, lock_key(key)))
		ereport(ERROR,
				(APPT_ERRCODE(REQUEST_IN_PROGRESS),
				 errmsg("a request with this idempotency key is still running")));
	{
		ApptArg		args[] = {
			appt_arg_text(key->client),
			appt_arg_text(key->route),
			appt_arg_text(key->key),
			appt_arg_time(appt_now() - KEPT_DAYS * USECS_PER_DAY)
		};

		if (appt_run(&find, args, APPT_READ_LATEST) == 0)
			return false;
	}
	read_answer(key, answer);
	return true;
}

/* Keeps the answer; without a key there is nothing to keep. */
void
idempotency_finish(const IdempotencyKey *key, const Answer *answer)
{
	if (key->key != NULL)
	{
		ApptArg		args[] = {
			appt_arg_text(key->client),
			appt_arg_text(key->route),
			appt_arg_text(key->key),
			appt_arg_text(key->request_hash),
			appt_arg_time(appt_now()),
			appt_arg_text(answer->id),
			answer->version.given
				? appt_arg(Int32GetDatum(answer->version.value))
				: appt_arg_null(),
			appt_arg_text(answer->body)
		};

		appt_run(&keep, args, APPT_WRITE);
	}
}

static void
check_key(const char *key)
{
	size_t		length = strlen(key);

	for (const char *p = key; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p > '~')
			length = 0;
	}
	if (length > 0 && length <= MAX_KEY_LENGTH)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(IDEMPOTENCY_KEY_INVALID),
			 errmsg("idempotency key must be 1 to %d visible ASCII characters",
					MAX_KEY_LENGTH)));
}

static uint64
lock_key(const IdempotencyKey *key)
{
	return appt_lock_key(psprintf("%s\n%s\n%s", key->client, key->route,
								  key->key));
}

static void
read_answer(const IdempotencyKey *key, Answer *answer)
{
	bool		isnull;
	Datum		version;

	if (strcmp(appt_field_text(0, 1), key->request_hash) != 0)
		ereport(ERROR,
				(APPT_ERRCODE(IDEMPOTENCY_KEY_REUSED),
				 errmsg("idempotency key was used for another request")));
	version = appt_field(0, 3, &isnull);
	*answer = (Answer) {
		.id = appt_field_text(0, 2),
		.version = {.given = !isnull, .value = DatumGetInt32(version)},
		.body = appt_field_text(0, 4),
		.replayed = true
	};
}
