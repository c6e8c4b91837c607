/*
 * text.c
 *		Small parsers of untrusted text: percent encoding, UTF-8, whole
 *		numbers, dates, RFC 3339 timestamps, entity tags, base64.
 */
#include "http/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

static int	utf8_sequence(const unsigned char *p, size_t left);
static int	hex_digit(char c);
static bool two_digits(const char *p, int min, int max, int *value);
static const char *date_part(const char *p);
static const char *time_part(const char *p);

/* Whether it is well-formed UTF-8 without NUL: no surrogate, no overlong. */
bool
text_is_utf8(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;
	size_t		i = 0;

	while (i < len)
	{
		int			size = utf8_sequence(p + i, len - i);

		if (size == 0)
			return false;
		i += (size_t) size;
	}
	return true;
}

/* The length of the UTF-8 sequence at p, 0 when there is no good one. */
static int
utf8_sequence(const unsigned char *p, size_t left)
{
	static const struct
	{
		unsigned char low,
					high,			/* first byte */
					second_low,
					second_high,
					size;
	}			kinds[] = {
		{0x01, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t		k;
	size_t		i;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
	{
		if (p[0] < kinds[k].low || p[0] > kinds[k].high)
			continue;
		if (kinds[k].size > left)
			return 0;
		if (kinds[k].size > 1 && (p[1] < kinds[k].second_low ||
								  p[1] > kinds[k].second_high))
			return 0;
		for (i = 2; i < kinds[k].size; i++)
		{
			if (p[i] < 0x80 || p[i] > 0xbf)
				return 0;
		}
		return kinds[k].size;
	}
	return 0;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * The decoded text; NULL for a broken escape, an encoded NUL or what is not
 * UTF-8 after decoding.
 */
const char *
text_percent_decode(Arena *arena, const char *text, size_t len,
					PlusMeans plus)
{
	char	   *out = arena_alloc(arena, len + 1);
	size_t		n = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == '%')
		{
			int			high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int			low = i + 2 < len ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char) (high * 16 + low);
			i += 2;
		}
		else if (c == '+' && plus == PLUS_IS_SPACE)
			c = ' ';
		out[n++] = c;
	}
	return text_is_utf8(out, n) ? out : NULL;
}

/* A whole number within [min, max]: an optional minus and digits only. */
bool
text_int(const char *text, int64_t min, int64_t max, int64_t *value)
{
	const char *p = text;
	bool		negative = *p == '-';
	int64_t		number = 0;

	if (negative)
		p++;
	if (*p == '\0' || strlen(p) > 18)
		return false;
	for (; *p != '\0'; p++)
	{
		if (*p < '0' || *p > '9')
			return false;
		number = number * 10 + (*p - '0');
	}
	*value = negative ? -number : number;
	return *value >= min && *value <= max;
}

/* Two digits within [min, max]. */
static bool
two_digits(const char *p, int min, int max, int *value)
{
	if (!isdigit((unsigned char) p[0]) || !isdigit((unsigned char) p[1]))
		return false;
	*value = (p[0] - '0') * 10 + (p[1] - '0');
	return *value >= min && *value <= max;
}

/* Behind a calendar date YYYY-MM-DD that exists; NULL when there is none. */
static const char *
date_part(const char *p)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			century;
	int			years;
	int			year;
	int			month;
	int			day;
	int			last;

	if (!two_digits(p, 0, 99, &century) || !two_digits(p + 2, 0, 99, &years))
		return NULL;
	year = century * 100 + years;
	if (year == 0 || p[4] != '-' || !two_digits(p + 5, 1, 12, &month) ||
		p[7] != '-' || !two_digits(p + 8, 1, 31, &day))
		return NULL;
	last = days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last = 29;
	return day <= last ? p + 10 : NULL;
}

/* Behind HH:MM:SS with an optional fraction; NULL when there is none. */
static const char *
time_part(const char *p)
{
	int			ignored;
	int			digits = 0;

	if (!two_digits(p, 0, 23, &ignored) || p[2] != ':' ||
		!two_digits(p + 3, 0, 59, &ignored) || p[5] != ':' ||
		!two_digits(p + 6, 0, 59, &ignored))
		return NULL;
	p += 8;
	if (*p != '.')
		return p;
	for (p++; isdigit((unsigned char) *p); p++)
		digits++;
	return digits >= 1 && digits <= 9 ? p : NULL;
}

/* Whether it is a calendar date that exists: 2026-03-15. */
bool
text_is_date(const char *text)
{
	const char *end = date_part(text);

	return end != NULL && *end == '\0';
}

/*
 * Whether it is an RFC 3339 timestamp with its offset, which must be one that
 * PostgreSQL knows (below 16 hours).
 */
bool
text_is_timestamp(const char *text)
{
	const char *p = date_part(text);
	int			ignored;

	if (p == NULL || (*p != 'T' && *p != 't'))
		return false;
	p = time_part(p + 1);
	if (p == NULL)
		return false;
	if (*p == 'Z' || *p == 'z')
		return p[1] == '\0';
	return (*p == '+' || *p == '-') &&
		two_digits(p + 1, 0, 15, &ignored) && p[3] == ':' &&
		two_digits(p + 4, 0, 59, &ignored) && p[6] == '\0';
}

/*
 * The version in an If-Match header: "3" or W/"3"; NULL for *, which matches
 * any.  False when it is neither.  Cuts the quote off in place of a copy: the
 * version points at digits that a quote ends.
 */
bool
text_etag_version(const char *text, const char **version)
{
	size_t		digits;

	*version = NULL;
	if (strcmp(text, "*") == 0)
		return true;
	if (strncmp(text, "W/", 2) == 0)
		text += 2;
	if (*text != '"')
		return false;
	text++;
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 9 || text[digits] != '"' ||
		text[digits + 1] != '\0')
		return false;
	*version = text;
	return true;
}

/*
 * Whether an If-None-Match header has the entity tag, which is quoted: in a
 * list of them, weak ones too, or by *.
 */
bool
text_has_etag(const char *list, const char *etag)
{
	size_t		len = strlen(etag);
	const char *found;

	if (strcmp(list, "*") == 0)
		return true;
	for (found = strstr(list, etag); found != NULL;
		 found = strstr(found + len, etag))
	{
		if (found == list || strchr(" ,/", found[-1]) != NULL)
			return true;
	}
	return false;
}

/* Whether it is 1 to max visible ASCII characters, no blank among them. */
bool
text_is_visible_ascii(const char *text, size_t max)
{
	size_t		len = strnlen(text, max + 1);
	size_t		i;

	if (len == 0 || len > max)
		return false;
	for (i = 0; i < len; i++)
	{
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return true;
}

/* Whether the text is one of the list, which commas separate. */
bool
text_is_listed(const char *list, const char *text)
{
	size_t		len = strlen(text);

	while (*list != '\0')
	{
		size_t		size;

		list += strspn(list, ", ");
		size = strcspn(list, ", ");
		if (size > 0 && size == len && strncmp(list, text, len) == 0)
			return true;
		list += size;
	}
	return false;
}

/* What the base64 (with padding) stands for, NUL-terminated; NULL: broken. */
char *
text_base64_decode(Arena *arena, const char *text, size_t *len)
{
	size_t		in = strlen(text);
	unsigned char *out;
	int			n;

	if (in == 0 || in % 4 != 0 || in > 8192)
		return NULL;
	out = arena_alloc(arena, in / 4 * 3 + 1);
	n = EVP_DecodeBlock(out, (const unsigned char *) text, (int) in);
	if (n < 0)
		return NULL;
	if (text[in - 1] == '=')
		n--;
	if (text[in - 2] == '=')
		n--;
	out[n] = '\0';
	*len = (size_t) n;
	return (char *) out;
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

/*
 * What the base64url (without padding) stands for, NUL-terminated; NULL:
 * broken, or not the one way to write it.
 */
char *
text_base64url_decode(Arena *arena, const char *text, size_t len,
					  size_t *size)
{
	char	   *out = arena_alloc(arena, len / 4 * 3 + 4);
	unsigned	bits = 0;
	int			count = 0;
	size_t		i;

	*size = 0;
	for (i = 0; i < len; i++)
	{
		int			digit = base64url_digit(text[i]);

		if (digit < 0)
			return NULL;
		bits = (bits << 6 | (unsigned) digit) & 0xffffff;
		count += 6;
		if (count >= 8)
		{
			count -= 8;
			out[(*size)++] = (char) (bits >> count & 0xff);
		}
	}
	return count < 6 && (bits & ((1u << count) - 1)) == 0 ? out : NULL;
}

/* Base64url without padding; out has room for len * 4 / 3 + 4 bytes. */
void
text_base64url(const unsigned char *bytes, size_t len, char *out)
{
	char	   *p;

	EVP_EncodeBlock((unsigned char *) out, bytes, (int) len);
	for (p = out; *p != '\0'; p++)
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

/* Lower-case hex SHA-256 of the parts, a line feed between them. */
void
text_sha256_hex(const char *const *parts, size_t count,
				char hex[SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[32];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t		i;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (i = 0; i < count; i++)
	{
		if (i > 0)
			EVP_DigestUpdate(context, "\n", 1);
		EVP_DigestUpdate(context, parts[i], strlen(parts[i]));
	}
	EVP_DigestFinal_ex(context, hash, NULL);
	EVP_MD_CTX_free(context);

	for (i = 0; i < sizeof(hash); i++)
	{
		hex[i * 2] = digits[hash[i] >> 4];
		hex[i * 2 + 1] = digits[hash[i] & 15];
	}
	hex[64] = '\0';
}
