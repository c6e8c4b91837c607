/*
 * scope.c
 *		The scopes of access tokens, by their names.
 */
#include "http/scope.h"

#include <string.h>

static const char *const names[SCOPE_COUNT] = SCOPE_NAMES;

/* The scope's name. */
const char *
scope_name(Scope scope)
{
	return names[scope];
}

/* The scope of that name; SCOPE_NONE when there is none. */
Scope
scope_from_name(const char *name, size_t len)
{
	int			i;

	for (i = 1; i < SCOPE_COUNT; i++)
	{
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return (Scope) i;
	}
	return SCOPE_NONE;
}

/* The bits, 1 << Scope, of a list's scopes; unknown ones are left out. */
unsigned
scope_bits(const char *list)
{
	unsigned	bits = 0;

	while (*list != '\0')
	{
		size_t		len;
		Scope		one;

		list += strspn(list, " ");
		len = strcspn(list, " ");
		one = scope_from_name(list, len);
		if (one != SCOPE_NONE)
			bits |= 1u << one;
		list += len;
	}
	return bits;
}
