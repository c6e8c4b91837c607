/*
 * statement.h
 *		Every statement that is sent to the database.
 */
#ifndef APPT_STATEMENT_H
#define APPT_STATEMENT_H

#define STATEMENTS_MAX 256

/* A statement that is prepared on a connection when first used there. */
typedef struct Statement
{
	int			index;
	char		name[8];
	const char *sql;
	int			param_count;
} Statement;

extern const Statement *statement_register(const char *sql, int param_count);
extern const Statement *statement_get(int index);
extern int	statement_total(void);

#endif							/* APPT_STATEMENT_H */
