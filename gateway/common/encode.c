/*
 * encode.c
 *		Bytes as text: hex, base64, base64url.
 */
#include "common/encode.h"

#include <string.h>

#include <openssl/evp.h>

static const char hex_digits[] = "0123456789abcdef";

static int	base64url_digit(char c);

/* Lower-case hex; there is room for 2 * len + 1 bytes. */
void
encode_hex(const unsigned char *bytes, size_t len, char *hex)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		*hex++ = hex_digits[bytes[i] >> 4];
		*hex++ = hex_digits[bytes[i] & 15];
	}
	*hex = '\0';
}

/* Decodes lower-case hex of exactly len bytes; false: it is anything else. */
bool
decode_hex(const char *hex, unsigned char *bytes, size_t len)
{
	size_t		i;

	if (strlen(hex) != 2 * len || hex[strspn(hex, hex_digits)] != '\0')
		return false;
	for (i = 0; i < len; i++)
		bytes[i] = (unsigned char)
			((strchr(hex_digits, hex[2 * i]) - hex_digits) << 4 |
			 (strchr(hex_digits, hex[2 * i + 1]) - hex_digits));
	return true;
}

/*
 * Decodes base64 with its padding; bytes has room for len / 4 * 3.  The number
 * of bytes, or -1: the text is malformed.
 */
ssize_t
decode_base64(const char *text, size_t len, unsigned char *bytes)
{
	ssize_t		count;

	if (len == 0 || len % 4 != 0 || len > INT32_MAX)
		return -1;
	count = EVP_DecodeBlock(bytes, (const unsigned char *) text, (int) len);
	/* EVP_DecodeBlock counts the padding as bytes. */
	if (count >= 0 && text[len - 1] == '=')
		count -= text[len - 2] == '=' ? 2 : 1;
	return count;
}

/* Base64url without padding; there is room for len * 4 / 3 + 4 bytes. */
void
encode_base64url(const unsigned char *bytes, size_t len, char *text)
{
	char	   *p;

	EVP_EncodeBlock((unsigned char *) text, bytes, (int) len);
	for (p = text; *p != '\0'; p++)
	{
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
		else if (*p == '=')
		{
			*p = '\0';
			break;
		}
	}
}

/*
 * Decodes base64url without padding; bytes has room for len / 4 * 3 + 3.  The
 * number of bytes, or -1: the text is malformed, or not the canonical one for
 * its bytes.
 */
ssize_t
decode_base64url(const char *text, size_t len, unsigned char *bytes)
{
	unsigned	bits = 0;
	int			pending = 0;
	ssize_t		count = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		int			digit = base64url_digit(text[i]);

		if (digit < 0)
			return -1;
		bits = (bits << 6 | (unsigned) digit) & 0xffffff;
		pending += 6;
		if (pending >= 8)
		{
			pending -= 8;
			bytes[count++] = (unsigned char) (bits >> pending & 0xff);
		}
	}
	return pending < 6 && (bits & ((1u << pending) - 1)) == 0 ? count : -1;
}

/* The value of a base64url character, or -1. */
static int
base64url_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}
