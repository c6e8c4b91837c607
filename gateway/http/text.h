/*
 * text.h
 *		Small parsers of untrusted text.  Each says whether the whole input
 *		was well formed; none reads beyond it.
 */
#ifndef APPT_TEXT_H
#define APPT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/arena.h"

typedef enum PlusMeans
{
	PLUS_IS_PLUS,				/* in a path */
	PLUS_IS_SPACE,				/* in a query or a form */
} PlusMeans;

#define SHA256_HEX_SIZE 65

extern const char *text_percent_decode(Arena *arena, const char *text,
									   size_t len, PlusMeans plus);
extern bool text_int(const char *text, int64_t min, int64_t max,
					 int64_t *value);
extern bool text_is_date(const char *text);
extern bool text_is_timestamp(const char *text);
extern bool text_etag_version(const char *text, const char **version);
extern bool text_has_etag(const char *list, const char *etag);
extern bool text_is_listed(const char *list, const char *text);
extern bool text_is_visible_ascii(const char *text, size_t max);
extern void text_sha256_hex(const char *const *parts, size_t count,
							char hex[SHA256_HEX_SIZE]);

#endif							/* APPT_TEXT_H */
