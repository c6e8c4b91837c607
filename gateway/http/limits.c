/*
 * limits.c
 *		Token buckets: a minute's worth of something, which may be used at once
 *		and fills up again evenly.
 *
 *		One mutex guards all tables.  They are bounded: a new key takes the
 *		place of the fullest of some neighbours, which has the least to lose.
 */
#include "http/limits.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"

#define BUCKETS 4096			/* a power of two */
#define NEIGHBOURS 8
#define KEY_MAX 128

typedef struct Bucket
{
	char		key[KEY_MAX];	/* "": free */
	double		tokens;
	double		limit;
	int64_t		at_us;
} Bucket;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Bucket tables[LIMIT_COUNT][BUCKETS];

static Bucket *bucket_find(Bucket *table, const char *key, double limit);
static void bucket_refill(Bucket *bucket, double limit);

/*
 * Takes one from the key's bucket, if there is one left.  per_minute 0: there
 * is no limit, and nothing is counted.
 */
RateState
limits_take(LimitKind kind, const char *key, int per_minute)
{
	RateState	state = {.limit = per_minute, .allowed = true};
	Bucket	   *bucket;

	if (per_minute <= 0)
		return state;
	pthread_mutex_lock(&lock);
	bucket = bucket_find(tables[kind], key, per_minute);
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

/* Gives one back that was taken. */
void
limits_give(LimitKind kind, const char *key, int per_minute)
{
	Bucket	   *bucket;

	pthread_mutex_lock(&lock);
	bucket = bucket_find(tables[kind], key, per_minute);
	bucket->tokens += 1;
	if (bucket->tokens > per_minute)
		bucket->tokens = per_minute;
	pthread_mutex_unlock(&lock);
}

/* The key's bucket, filled up to now.  The lock is held. */
static Bucket *
bucket_find(Bucket *table, const char *key, double limit)
{
	uint64_t	hash = hash_text(key);
	Bucket	   *fullest = NULL;
	int			i;

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
