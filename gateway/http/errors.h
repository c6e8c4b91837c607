/*
 * errors.h
 *		From SQLSTATE to HTTP status and code, and the problem+json document
 *		(RFC 9457) that says it.
 */
#ifndef APPT_HTTP_ERRORS_H
#define APPT_HTTP_ERRORS_H

#include <stdbool.h>

#include "common/buf.h"
#include "http/arena.h"

/* What a refused request is told. */
typedef struct Problem
{
	int			status;
	const char *code;			/* machine-readable: slot_unavailable */
	const char *reason;			/* "" or which kind of it: taken */
	const char *detail;			/* a sentence, or NULL */
} Problem;

/* One bad member or parameter. */
typedef struct FieldError
{
	const char *field;
	const char *message;
	struct FieldError *next;
} FieldError;

/* What the database's error means for the caller. */
typedef struct ErrorClass
{
	int			status;
	const char *code;
	const char *reason;
	bool		public_text;	/* its message and detail may be shown */
} ErrorClass;

extern const Problem *problem_new(Arena *arena, int status, const char *code,
								  const char *format,...)
			__attribute__((format(printf, 4, 5)));
extern ErrorClass error_from_sqlstate(const char *sqlstate);
extern const char *error_title(int status);
extern void problem_json(Buf *out, const Problem *problem,
						 const FieldError *fields, const char *instance);

#endif							/* APPT_HTTP_ERRORS_H */
