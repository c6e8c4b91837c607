/*
 * clock.h
 *		Two clocks: one that only goes forward, for timeouts, and the
 *		calendar's, for stamps.
 *
 *		The first is CLOCK_BOOTTIME, which goes on while the machine is
 *		suspended: leases, tokens and what is known of clients grow old
 *		meanwhile, and so do others' connections.
 */
#ifndef APPT_CLOCK_H
#define APPT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds that only go forward. */
static inline int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Microseconds that only go forward. */
static inline int64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Seconds since 1970, UTC. */
static inline int64_t
clock_unix(void)
{
	return (int64_t) time(NULL);
}

#endif							/* APPT_CLOCK_H */
