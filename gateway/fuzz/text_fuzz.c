/*
 * text_fuzz.c
 *		Fuzz target: the small parsers of text.c, and what must hold of what
 *		they take.
 */
#include <ctype.h>
#include <string.h>
#include <time.h>

#include "common/encode.h"
#include "common/utf8.h"
#include "fuzz/fuzz.h"
#include "http/text.h"

static void check_date(const char *text);
static void check_base64url(Arena *arena, const char *text, size_t size);
static void check_base64(Arena *arena, const char *text);
static void check_numbers(const char *text);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	char	   *text = arena_copy(&arena, (const char *) data, size);
	const char *decoded;
	const char *version;

	/* These are told a length: no NUL stands behind the bytes. */
	decoded = text_percent_decode(&arena, (const char *) data, size,
								  PLUS_IS_SPACE);
	HOLDS(decoded == NULL || strlen(decoded) <= size);
	HOLDS(decoded == NULL || utf8_is_valid(decoded, strlen(decoded)));
	if (text_is_timestamp(text))
		HOLDS(strlen(text) >= 20 && text[4] == '-' && text[13] == ':');
	check_date(text);
	if (text_etag_version(text, &version) && version != NULL)
		HOLDS(isdigit((unsigned char) version[0]));
	if (text_is_visible_ascii(text, 255))
		HOLDS(text[0] > ' ' && strlen(text) <= 255 &&
			  utf8_is_valid(text, strlen(text)));
	if (text[0] != '\0' && strpbrk(text, ", ") == NULL)
		HOLDS(text_is_listed(text, text));
	check_base64(&arena, text);
	check_base64url(&arena, (const char *) data, size);
	check_numbers(text);
	arena_free(&arena);
	return 0;
}

/* A date that is taken is one that the C library does not move. */
static void
check_date(const char *text)
{
	struct tm	given = {.tm_isdst = 0};
	struct tm	moved;

	if (!text_is_date(text))
		return;
	HOLDS(strlen(text) == 10);
	given.tm_year = (int) strtol(text, NULL, 10) - 1900;
	given.tm_mon = (int) strtol(text + 5, NULL, 10) - 1;
	given.tm_mday = (int) strtol(text + 8, NULL, 10);
	moved = given;
	timegm(&moved);
	HOLDS(moved.tm_year == given.tm_year && moved.tm_mon == given.tm_mon &&
		  moved.tm_mday == given.tm_mday);
}

/* There is one way to write what a base64url text stands for. */
static void
check_base64url(Arena *arena, const char *text, size_t size)
{
	unsigned char *bytes = arena_alloc(arena, size / 4 * 3 + 3);
	ssize_t		len = decode_base64url(text, size, bytes);
	char	   *again;

	if (len < 0)
		return;
	again = arena_alloc(arena, (size_t) len * 4 / 3 + 8);
	encode_base64url(bytes, (size_t) len, again);
	HOLDS(strlen(again) == size && memcmp(again, text, size) == 0);
}

/* It is shorter than what it is decoded from. */
static void
check_base64(Arena *arena, const char *text)
{
	size_t		size = strlen(text);
	unsigned char *bytes = arena_alloc(arena, size / 4 * 3 + 1);

	HOLDS(decode_base64(text, size, bytes) <= (ssize_t) (size / 4 * 3));
}

/* A number that is taken is what strtoll makes of it. */
static void
check_numbers(const char *text)
{
	int64_t		number;

	if (text_int(text, INT32_MIN, INT32_MAX, &number))
		HOLDS(number == strtoll(text, NULL, 10));
}
