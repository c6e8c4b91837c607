/*
 * media.h
 *		Media types, as Content-Type and Accept have them.
 */
#ifndef APPT_MEDIA_H
#define APPT_MEDIA_H

#include <stdbool.h>

extern bool media_accepts(const char *accept, const char *media_type);
extern bool media_prefers(const char *accept, const char *media_type,
						  const char *other);
extern bool media_takes_coding(const char *accept, const char *coding);
extern bool media_is(const char *value, const char *media_type);

#endif							/* APPT_MEDIA_H */
