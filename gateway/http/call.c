/*
 * call.c
 *		What is asked, and which fields of it are bad.
 */
#include "http/call.h"

#include <stdarg.h>

#define FIELD_ERRORS_MAX 50

/* Notes a bad field; the message goes on after the field's name. */
void
call_field_error(Call *call, const char *field, const char *format,...)
{
	FieldError *error = arena_alloc(call->arena, sizeof(FieldError));
	FieldError **last = &call->fields;
	va_list		args;
	int			count = 0;

	va_start(args, format);
	*error = (FieldError) {
		.field = field,
		.message = arena_vprintf(call->arena, format, args),
	};
	va_end(args);
	for (; *last != NULL; last = &(*last)->next)
		count++;
	if (count < FIELD_ERRORS_MAX)
		*last = error;
}
