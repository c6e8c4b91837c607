/*
 * dbop.c
 *		What was sent down a connection and has not been answered, in order: a
 *		ring that grows.
 */
#include <stdlib.h>

#include "common/buf.h"
#include "http/dbconn.h"

/* Notes that something was sent. */
void
db_op_push(DbConn *conn, DbOp op)
{
	if (conn->op_count == conn->op_size)
	{
		unsigned	size = conn->op_size > 0 ? conn->op_size * 2 : 16;
		DbOp	   *ops = must_alloc(size * sizeof(DbOp));
		unsigned	i;

		for (i = 0; i < conn->op_count; i++)
			ops[i] = conn->ops[(conn->op_first + i) & (conn->op_size - 1)];
		free(conn->ops);
		conn->ops = ops;
		conn->op_first = 0;
		conn->op_size = size;
	}
	op.sent_ms = loop_now_ms();
	conn->ops[(conn->op_first + conn->op_count) & (conn->op_size - 1)] = op;
	conn->op_count++;
}

/* Takes the first op away. */
DbOp
db_op_pop(DbConn *conn)
{
	DbOp		op = conn->ops[conn->op_first];

	conn->op_first = (conn->op_first + 1) & (conn->op_size - 1);
	conn->op_count--;
	return op;
}
