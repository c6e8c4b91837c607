/*
 * utf8.h
 *		UTF-8 without NUL: no surrogate, nothing overlong.
 */
#ifndef APPT_UTF8_H
#define APPT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

extern bool utf8_is_valid(const char *text, size_t len);
extern int	utf8_characters(const char *text);
extern void utf8_clean(Buf *out, const char *bytes, size_t len);

#endif							/* APPT_UTF8_H */
