/*
 * target.c
 *		A request's target, taken apart: the path into decoded segments, the
 *		query (or a form) into decoded names and values.
 *
 *		A path that tries to be clever is refused, not normalised: an encoded
 *		slash, backslash or NUL, an empty or a dot segment.
 */
#include "http/target.h"

#include <string.h>
#include <strings.h>

#include "http/text.h"

static const char *target_path(const char *target);
static bool segment_is_plain(const char *segment);

/*
 * Fills segments and query.  False for a path that is refused; more
 * segments than any route has are counted and not stored.
 */
bool
target_split(Head *head)
{
	const char *path = target_path(head->target);
	size_t		len = strcspn(path, "?");
	const char *end = path + len;

	head->query = *end == '?' ? end + 1 : "";
	head->segment_count = 0;
	if (path[0] != '/')
		return false;
	if (len == 1)
		return true;
	while (path < end)
	{
		const char *segment;
		size_t		size;

		path++;
		size = strcspn(path, "/?");
		segment = text_percent_decode(head->arena, path, size,
									  PLUS_IS_PLUS);
		if (segment == NULL || !segment_is_plain(segment))
			return false;
		if (head->segment_count < HEAD_SEGMENTS)
			head->segments[head->segment_count] = segment;
		head->segment_count++;
		path += size;
	}
	return true;
}

/*
 * Where a path that ends in one slash too many would be without it, as seen
 * from there; NULL: it does not, or cannot be written in a header.
 */
const char *
target_before_slash(Head *head)
{
	const char *path = target_path(head->target);
	size_t		len = strcspn(path, "?");
	size_t		start;
	const char *p;

	if (len < 3 || path[0] != '/' || path[len - 1] != '/')
		return NULL;
	for (p = path; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p > '~' ||
			(p < path + len && p[0] == '/' && p[1] == '/'))
			return NULL;
	}
	len--;
	for (start = len; path[start - 1] != '/'; start--)
		;
	return arena_printf(head->arena, "../%.*s%s", (int) (len - start),
						path + start, path + len + 1);
}

/* Behind scheme and authority of an absolute target (RFC 9112, 3.2.2). */
static const char *
target_path(const char *target)
{
	const char *path;

	if (strncasecmp(target, "http://", 7) == 0)
		target += 7;
	else if (strncasecmp(target, "https://", 8) == 0)
		target += 8;
	else
		return target;
	path = target + strcspn(target, "/?");
	return *path != '\0' ? path : "/";
}

/* Whether nobody could take the segment for more than one, or another. */
static bool
segment_is_plain(const char *segment)
{
	const char *p;

	if (segment[0] == '\0' || strcmp(segment, ".") == 0 ||
		strcmp(segment, "..") == 0)
		return false;
	for (p = segment; *p != '\0'; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
			return false;
	}
	return true;
}

/*
 * Takes a query or a form apart.  False for a broken escape or too many
 * parameters.  A parameter without "=" has the value "".
 */
bool
target_params(Arena *arena, const char *text, QueryParams *params)
{
	params->count = 0;
	while (*text != '\0')
	{
		size_t		len = strcspn(text, "&");
		const char *equals = memchr(text, '=', len);
		size_t		name_len = equals != NULL ? (size_t) (equals - text) : len;
		QueryParam *param;

		if (len > 0)
		{
			if (params->count == HEAD_PARAMS_MAX)
				return false;
			param = &params->items[params->count++];
			param->name = text_percent_decode(arena, text, name_len,
											  PLUS_IS_SPACE);
			param->value = equals == NULL ? ""
				: text_percent_decode(arena, equals + 1, len - name_len - 1,
									  PLUS_IS_SPACE);
			if (param->name == NULL || param->value == NULL)
				return false;
		}
		text += len;
		if (*text == '&')
			text++;
	}
	return true;
}
