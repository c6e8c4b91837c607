/*
 * buf.h
 *		A growable byte buffer, always NUL-terminated.
 */
#ifndef APPT_BUF_H
#define APPT_BUF_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Buf
{
	char	   *data;			/* NULL while nothing was added */
	size_t		len;			/* bytes in use, without the NUL */
	size_t		size;			/* bytes allocated */
} Buf;

/* Allocation that cannot fail: these end the process when memory is out. */
extern void *must_alloc(size_t size);
extern char *must_strdup(const char *text);

extern void buf_add(Buf *buf, const void *bytes, size_t len);
extern void buf_text(Buf *buf, const char *text);
extern void buf_char(Buf *buf, char c);
extern void buf_printf(Buf *buf, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void buf_json_string(Buf *buf, const char *text);
extern void buf_clear(Buf *buf);
extern void buf_free(Buf *buf);
extern const char *buf_get(const Buf *buf);

#endif							/* APPT_BUF_H */
