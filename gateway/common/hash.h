/*
 * hash.h
 *		A hash of text for tables in memory (FNV-1a).
 */
#ifndef APPT_HASH_H
#define APPT_HASH_H

#include <stdint.h>

static inline uint64_t
hash_text(const char *text)
{
	uint64_t	hash = 1469598103934665603u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char) *text) * 1099511628211u;
	return hash;
}

#endif							/* APPT_HASH_H */
