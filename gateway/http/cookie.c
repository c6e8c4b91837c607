/*
 * cookie.c
 *		Reads a request's Cookie header: name=value pairs with "; " between.
 */
#include "http/cookie.h"

#include <string.h>

/*
 * The cookie's value; NULL where there is none of the name, or more than one:
 * another host of the domain may have set one of them.
 */
const char *
cookie_value(const Head *head, const char *name)
{
	const char *rest = head->cookie;
	const char *found = NULL;
	size_t		name_len = strlen(name);

	while (rest != NULL && *(rest += strspn(rest, "; \t")) != '\0')
	{
		size_t		len = strcspn(rest, ";");

		if (len > name_len && rest[name_len] == '=' &&
			strncmp(rest, name, name_len) == 0)
		{
			if (found != NULL)
				return NULL;
			found = arena_copy(head->arena, rest + name_len + 1,
							   len - name_len - 1);
		}
		rest += len;
	}
	return found;
}
