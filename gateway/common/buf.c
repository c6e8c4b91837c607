/*
 * buf.c
 *		A growable byte buffer; also the allocation that cannot fail.
 */
#include "common/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Like realloc, but ends the process when there is no memory. */
static void *
must_realloc(void *old, size_t size)
{
	void	   *new = realloc(old, size > 0 ? size : 1);

	if (new == NULL)
	{
		fputs("{\"level\":\"error\",\"event\":\"out of memory\"}\n", stderr);
		abort();
	}
	return new;
}

/* Like malloc, but ends the process when there is no memory. */
void *
must_alloc(size_t size)
{
	return must_realloc(NULL, size);
}

/* A copy of the text that the caller frees. */
char *
must_strdup(const char *text)
{
	size_t		size = strlen(text) + 1;

	return memcpy(must_alloc(size), text, size);
}

/* Makes room for len more bytes and the NUL behind them. */
static void
buf_reserve(Buf *buf, size_t len)
{
	size_t		size = buf->size > 0 ? buf->size : 128;

	if (len > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4)
		abort();
	while (size < buf->len + len + 1)
		size *= 2;
	if (size != buf->size)
	{
		buf->data = must_realloc(buf->data, size);
		buf->size = size;
	}
}

/* Adds len bytes at the end. */
void
buf_add(Buf *buf, const void *bytes, size_t len)
{
	buf_reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

/* Adds a C string at the end. */
void
buf_text(Buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

/* Adds one byte at the end. */
void
buf_char(Buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

/* Adds formatted text at the end; formats it again where there was no room. */
void
buf_printf(Buf *buf, const char *format,...)
{
	size_t		room = buf->size - buf->len;
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, format,
					args);
	va_end(args);
	if (len < 0)
		abort();
	if ((size_t) len >= room)
	{
		buf_reserve(buf, (size_t) len);
		va_start(args, format);
		vsnprintf(buf->data + buf->len, (size_t) len + 1, format, args);
		va_end(args);
	}
	buf->len += (size_t) len;
}

/*
 * Adds the text as a JSON string with its quotes.  Bytes above 0x7f are passed
 * on: the caller vouches for UTF-8 where it matters.
 */
void
buf_json_string(Buf *buf, const char *text)
{
	const char *p;

	buf_char(buf, '"');
	for (p = text; *p != '\0'; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c == '"' || c == '\\')
		{
			buf_char(buf, '\\');
			buf_char(buf, (char) c);
		}
		else if (c < 0x20 || c == 0x7f)
			buf_printf(buf, "\\u%04x", c);
		else
			buf_char(buf, (char) c);
	}
	buf_char(buf, '"');
}

/* Empties the buffer and keeps its memory. */
void
buf_clear(Buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* Gives the memory back; the buffer is empty and usable again. */
void
buf_free(Buf *buf)
{
	free(buf->data);
	*buf = (Buf) {0};
}

/* What is in it, as a C string; "" when nothing is. */
const char *
buf_get(const Buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}
