/*
 * utf8.h
 *		Making text of bytes that somebody else chose.
 */
#ifndef APPT_RELAY_UTF8_H
#define APPT_RELAY_UTF8_H

#include <stddef.h>

#include "common/buf.h"

extern void utf8_clean(Buf *out, const char *bytes, size_t len);

#endif							/* APPT_RELAY_UTF8_H */
