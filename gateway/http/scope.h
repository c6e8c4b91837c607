/*
 * scope.h
 *		What an API client may do: the scopes of access tokens.
 */
#ifndef APPT_SCOPE_H
#define APPT_SCOPE_H

#include <stddef.h>

#include "scopes.gen.h"

extern const char *scope_name(Scope scope);
extern Scope scope_from_name(const char *name, size_t len);
extern unsigned scope_bits(const char *list);

#endif							/* APPT_SCOPE_H */
