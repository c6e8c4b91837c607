/*
 * media.c
 *		Media types, as Content-Type and Accept have them, and codings.
 */
#include "http/media.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool media_names(const char *accept, const char *media_type);

/* Whether the value, parameters aside, is that media type. */
bool
media_is(const char *value, const char *media_type)
{
	size_t		len = strlen(media_type);

	return strncasecmp(value, media_type, len) == 0 &&
		(value[len] == '\0' || value[len] == ';' || value[len] == ' ' ||
		 value[len] == '\t');
}

/*
 * Whether an Accept header takes the media type: it is empty, or has a range
 * that fits.  Weights are not looked at: there is one form to choose from.
 */
bool
media_accepts(const char *accept, const char *media_type)
{
	size_t		major = strcspn(media_type, "/") + 1;
	bool		empty = true;
	const char *p = accept;

	for (;;)
	{
		size_t		name;

		p += strspn(p, " \t,");
		if (*p == '\0')
			return empty;
		empty = false;
		name = strcspn(p, ";, \t");
		if ((name == strlen(media_type) &&
			 strncasecmp(p, media_type, name) == 0) ||
			(name == major + 1 && strncasecmp(p, media_type, major) == 0 &&
			 p[major] == '*') ||
			(name == 3 && strncmp(p, "*/*", 3) == 0))
			return true;
		p += strcspn(p, ",");
	}
}

/*
 * Whether an Accept header asks for the media type rather than the other: it
 * names this one and not that, or takes this one alone.
 */
bool
media_prefers(const char *accept, const char *media_type, const char *other)
{
	if (media_names(accept, media_type))
		return !media_names(accept, other);
	return media_accepts(accept, media_type) && !media_accepts(accept, other);
}

/* Whether an Accept header has the media type itself, no range around it. */
static bool
media_names(const char *accept, const char *media_type)
{
	const char *p = accept;

	while (*(p += strspn(p, " \t,")) != '\0')
	{
		if (strcspn(p, ";, \t") == strlen(media_type) &&
			strncasecmp(p, media_type, strlen(media_type)) == 0)
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

/*
 * Whether an Accept-Encoding header names the content coding, and not with
 * weight 0, which refuses it.
 */
bool
media_takes_coding(const char *accept, const char *coding)
{
	size_t		len = strlen(coding);
	const char *p = accept;

	while (*(p += strspn(p, " \t,")) != '\0')
	{
		size_t		name = strcspn(p, ";, \t");
		const char *end = p + strcspn(p, ",");
		const char *weight = memchr(p, '=', (size_t) (end - p));

		if (name == len && strncasecmp(p, coding, len) == 0)
			return weight == NULL || strtod(weight + 1, NULL) > 0;
		p = end;
	}
	return false;
}
