/*
 * server.h
 *		libmicrohttpd, as a loop uses it.
 */
#ifndef APPT_SERVER_H
#define APPT_SERVER_H

#include <stdbool.h>

#include "http/loop.h"

extern bool server_start(Loop *loop) __attribute__((warn_unused_result));
extern int	server_epoll_fd(Loop *loop);
extern void server_quiesce(Loop *loop);
extern void server_stop(Loop *loop);

#endif							/* APPT_SERVER_H */
