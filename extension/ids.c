/*
 * ids.c
 *		Ids: APT-2026-000123 from a sequence, and random ones.
 */
#include "schedule.h"

#include "common/base64.h"

#define RANDOM_BYTES	16
#define RANDOM_CHARS	22		/* of base64, without its padding */
#define RANDOM_STOCK	64		/* ids: asking for bytes costs more than many */

static const void *random_bytes(void);

/* The next number for an appointment's id.  Gaps are fine in ids. */
int64
appt_next_appointment_no(void)
{
	return relation_nextval("appointment_no_seq");
}

/* The id of the appointment with that number, booked on that day. */
char *
appt_appointment_id(int64 appointment_no, DateADT booked_on)
{
	return psprintf("%s-%04d-%06lld", schedule_id_prefix(),
					appt_year(booked_on), (long long) appointment_no);
}

/* prefix, underscore and 22 random characters that are safe in a URL. */
char *
appt_new_id(const char *prefix)
{
	char		text[RANDOM_CHARS + 3];

	if (pg_b64_encode(random_bytes(), RANDOM_BYTES, text, sizeof(text)) < 0)
		elog(ERROR, "could not encode random values");
	for (char *p = text; p < text + RANDOM_CHARS; p++)
	{
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
	}
	return psprintf("%s_%.*s", prefix, RANDOM_CHARS, text);
}

/*
 * The random bytes of one id.  They are drawn RANDOM_STOCK ids at a time,
 * because each pg_strong_random() is a system call or more.
 */
static const void *
random_bytes(void)
{
	static char stock[RANDOM_STOCK][RANDOM_BYTES];
	static int	left = 0;

	if (left == 0)
	{
		if (!pg_strong_random(stock, sizeof(stock)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		left = RANDOM_STOCK;
	}
	return stock[--left];
}
