/*
 * limits.c
 *		A token bucket for each API client, and one for each (client, address)
 *		that tries wrong secrets.
 *
 *		One mutex guards both tables.  They are bounded: a new key takes the
 *		place of the fullest of some neighbours, which has the least to lose.
 */
#include "http/limits.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

#define BUCKETS 4096			/* a power of two */
#define NEIGHBOURS 8
#define KEY_MAX 128
#define FAILURES_A_MINUTE 10
#define FAILURES_OWED_MAX 100	/* nobody waits for longer than ten minutes */

typedef struct Bucket
{
	char		key[KEY_MAX];	/* "": free */
	double		tokens;
	double		limit;
	int64_t		at_us;
} Bucket;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Bucket clients[BUCKETS];
static Bucket failures[BUCKETS];

static Bucket *bucket_find(Bucket *table, const char *key, double limit);
static void bucket_refill(Bucket *bucket, double limit);

/* Takes one request from the client's bucket, if there is one left. */
RateState
limits_take(const char *client_id, int per_minute)
{
	RateState	state = {.limit = per_minute, .allowed = true};
	Bucket	   *bucket;

	if (per_minute <= 0)
		return state;
	pthread_mutex_lock(&lock);
	bucket = bucket_find(clients, client_id, per_minute);
	state.allowed = bucket->tokens >= 1;
	if (state.allowed)
		bucket->tokens -= 1;
	else
		state.retry_s = (int) ((1 - bucket->tokens) * 60 / per_minute) + 1;
	state.remaining = (int) bucket->tokens;
	state.reset_s = (int) ((per_minute - bucket->tokens) * 60 / per_minute
						   + 0.999);
	pthread_mutex_unlock(&lock);
	return state;
}

/* Seconds until another secret may be tried; 0: now. */
int
limits_throttled_s(const char *who)
{
	Bucket	   *bucket;
	int			wait_s = 0;

	pthread_mutex_lock(&lock);
	bucket = bucket_find(failures, who, FAILURES_A_MINUTE);
	if (bucket->tokens < 1)
		wait_s = (int) ((1 - bucket->tokens) * 60 / FAILURES_A_MINUTE) + 1;
	pthread_mutex_unlock(&lock);
	return wait_s;
}

/*
 * A wrong secret was tried.  Those that were sent at once, before the first
 * was found wrong, are owed and waited for.
 */
void
limits_failed(const char *who)
{
	Bucket	   *bucket;

	pthread_mutex_lock(&lock);
	bucket = bucket_find(failures, who, FAILURES_A_MINUTE);
	if (bucket->tokens > -FAILURES_OWED_MAX)
		bucket->tokens -= 1;
	pthread_mutex_unlock(&lock);
}

/* The key's bucket, filled up to now.  The lock is held. */
static Bucket *
bucket_find(Bucket *table, const char *key, double limit)
{
	uint64_t	hash = 1469598103934665603u;
	Bucket	   *fullest = NULL;
	const char *p;
	int			i;

	for (p = key; *p != '\0'; p++)
		hash = (hash ^ (unsigned char) *p) * 1099511628211u;
	for (i = 0; i < NEIGHBOURS; i++)
	{
		Bucket	   *bucket = &table[(hash + (unsigned) i) & (BUCKETS - 1)];

		if (bucket->key[0] != '\0')
			bucket_refill(bucket, bucket->limit);
		if (strncmp(bucket->key, key, KEY_MAX - 1) == 0)
		{
			bucket_refill(bucket, limit);
			return bucket;
		}
		if (fullest == NULL || bucket->key[0] == '\0' ||
			(fullest->key[0] != '\0' && bucket->tokens / bucket->limit >
			 fullest->tokens / fullest->limit))
			fullest = bucket;
		if (bucket->key[0] == '\0')
			break;
	}
	*fullest = (Bucket) {
		.tokens = limit, .limit = limit, .at_us = clock_us()
	};
	snprintf(fullest->key, KEY_MAX, "%s", key);
	return fullest;
}

/* Adds what the time since the last look has brought. */
static void
bucket_refill(Bucket *bucket, double limit)
{
	int64_t		now_us = clock_us();

	bucket->limit = limit;
	bucket->tokens += (double) (now_us - bucket->at_us) * limit / 60e6;
	if (bucket->tokens > limit)
		bucket->tokens = limit;
	bucket->at_us = now_us;
}
