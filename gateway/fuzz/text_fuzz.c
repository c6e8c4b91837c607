/*
 * text_fuzz.c
 *		Fuzz target: the small parsers of text.c, and what must hold of what
 *		they take.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/text.h"

#define HOLDS(condition) \
	do { if (!(condition)) abort(); } while (0)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const char *const fuzz_seeds[];

const char *const fuzz_seeds[] = {
	"2026-03-15T10:00:00+05:30", "2024-02-29T23:59:59.123456789Z",
	"2026-02-29", "0000-01-01", "\"3\"", "W/\"12\"", "*", "-12", "999999999",
	"a%20b%c3%a9", "%00", "%f0%9f%98%80", "eyJhbGciOiJSUzI1NiJ9", "YWJj",
	"YWI=", "", NULL,
};

static void check_base64url(Arena *arena, const char *text, size_t size);
static void check_numbers(const char *text);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	char	   *text = arena_copy(&arena, (const char *) data, size);
	const char *decoded;
	const char *version;
	size_t		len;

	decoded = text_percent_decode(&arena, text, size, PLUS_IS_SPACE);
	HOLDS(decoded == NULL || strlen(decoded) <= size);
	HOLDS(decoded == NULL || text_is_utf8(decoded, strlen(decoded)));
	if (text_is_timestamp(text))
		HOLDS(strlen(text) >= 20 && text[4] == '-' && text[13] == ':');
	if (text_is_date(text))
		HOLDS(strlen(text) == 10);
	if (text_etag_version(text, &version) && version != NULL)
		HOLDS(isdigit((unsigned char) version[0]));
	text_base64_decode(&arena, text, &len);
	check_base64url(&arena, text, size);
	check_numbers(text);
	arena_free(&arena);
	return 0;
}

/* There is one way to write what a base64url text stands for. */
static void
check_base64url(Arena *arena, const char *text, size_t size)
{
	size_t		len;
	char	   *bytes = text_base64url_decode(arena, text, size, &len);
	char	   *again;

	if (bytes == NULL)
		return;
	again = arena_alloc(arena, len * 4 / 3 + 8);
	text_base64url((const unsigned char *) bytes, len, again);
	HOLDS(strlen(again) == size && memcmp(again, text, size) == 0);
}

/* A number that is taken is what strtoll makes of it. */
static void
check_numbers(const char *text)
{
	int64_t		number;

	if (text_int(text, INT32_MIN, INT32_MAX, &number))
		HOLDS(number == strtoll(text, NULL, 10));
}
