/*
 * error.c
 *		Turns rows of the error table into SQLSTATEs, and checks arguments.
 */
#include "appt.h"

#include "mb/pg_wchar.h"

static const char *const sqlstates[APPT_ERROR_COUNT] = {
#define APPT_ERROR_STATE(name, sqlstate, http, code, reason) sqlstate,
	APPT_ERROR_TABLE(APPT_ERROR_STATE)
#undef APPT_ERROR_STATE
};

/* The SQLSTATE of an error, in the form that errcode() takes. */
int
appt_sqlstate(ApptError error)
{
	const char *s = sqlstates[error];

	return MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
}

/* For use inside ereport(): names the argument that is at fault. */
int
appt_errfield(const char *field)
{
	return err_generic_string(PG_DIAG_COLUMN_NAME, field);
}

/* Refuses a call whose argument "field" is missing. */
void
appt_require(bool present, const char *field)
{
	if (!present)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("%s is required", field),
				 appt_errfield(field)));
}

/*
 * Refuses a text that is longer than free text may be.  NULL passes: whether a
 * text is needed is not this function's to say.
 */
void
appt_check_text(const char *value, const char *field)
{
	if (value != NULL && pg_mbstrlen(value) > APPT_MAX_TEXT_LENGTH)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("%s is longer than %d characters",
						field, APPT_MAX_TEXT_LENGTH),
				 appt_errfield(field)));
}
