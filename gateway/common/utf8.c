/*
 * utf8.c
 *		UTF-8 without NUL: no surrogate, nothing overlong.
 */
#include "common/utf8.h"

#include <stdint.h>

static size_t sequence_length(const unsigned char *bytes, size_t len);

/* Whether the text is well formed. */
bool
utf8_is_valid(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;

	while (len > 0)
	{
		size_t		whole = sequence_length(p, len);

		if (whole == 0)
			return false;
		p += whole;
		len -= whole;
	}
	return true;
}

/* How many characters a well-formed text has. */
int
utf8_characters(const char *text)
{
	int			count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char) *text & 0xC0) != 0x80;
	return count;
}

/* Adds the bytes as valid UTF-8 without NUL; what is not, becomes "?". */
void
utf8_clean(Buf *out, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *) bytes;

	while (len > 0)
	{
		size_t		whole = sequence_length(p, len);

		if (whole > 0)
			buf_add(out, p, whole);
		else
		{
			buf_char(out, '?');
			whole = 1;
		}
		p += whole;
		len -= whole;
	}
}

/* Bytes of the character that begins here; 0: there is none. */
static size_t
sequence_length(const unsigned char *bytes, size_t len)
{
	static const uint32_t lowest[] = {0, 1, 0x80, 0x800, 0x10000};
	uint32_t	code = bytes[0];
	size_t		whole = code < 0x80 ? 1 : code >= 0xf0 && code < 0xf8 ? 4
		: code >= 0xe0 && code < 0xf0 ? 3
		: code >= 0xc0 && code < 0xe0 ? 2 : 0;
	size_t		i;

	if (whole == 0 || whole > len)
		return 0;
	if (whole > 1)
		code &= 0xffu >> (whole + 1);
	for (i = 1; i < whole; i++)
	{
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	if (code < lowest[whole] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	return whole;
}
