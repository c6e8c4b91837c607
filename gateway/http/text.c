/*
 * text.c
 *		Small parsers of untrusted text: percent encoding, whole numbers, dates,
 *		RFC 3339 timestamps, entity tags, lists.
 */
#include "http/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "common/encode.h"
#include "common/utf8.h"

static int	hex_digit(char c);
static bool two_digits(const char *p, int min, int max, int *value);
static const char *date_part(const char *p);
static const char *time_part(const char *p);

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
	return utf8_is_valid(out, n) ? out : NULL;
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

/* Lower-case hex SHA-256 of the parts, a line feed between them. */
void
text_sha256_hex(const char *const *parts, size_t count,
				char hex[SHA256_HEX_SIZE])
{
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
	encode_hex(hash, sizeof(hash), hex);
}
