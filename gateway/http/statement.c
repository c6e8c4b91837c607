/*
 * statement.c
 *		Every statement that is sent to the database, under a number.
 */
#include "http/statement.h"

#include <stdio.h>
#include <stdlib.h>

static Statement statements[STATEMENTS_MAX];
static int	statement_count;

/*
 * Registers a statement, which each connection prepares at its first use;
 * before any loop starts.
 */
const Statement *
statement_register(const char *sql, int param_count)
{
	Statement  *statement;

	if (statement_count == STATEMENTS_MAX)
		abort();
	statement = &statements[statement_count];
	statement->index = statement_count++;
	statement->sql = sql;
	statement->param_count = param_count;
	snprintf(statement->name, sizeof(statement->name), "s%d",
			 statement->index);
	return statement;
}

/* A statement, by its number. */
const Statement *
statement_get(int index)
{
	return &statements[index];
}

/* How many statements there are. */
int
statement_total(void)
{
	return statement_count;
}
