/*
 * server.h
 *		libmicrohttpd, as a loop uses it.
 */
#ifndef APPT_SERVER_H
#define APPT_SERVER_H

#include <stdbool.h>

#include "http/worker.h"

extern bool server_start(Worker *worker) __attribute__((warn_unused_result));
extern int	server_epoll_fd(Worker *worker);
extern void server_quiesce(Worker *worker);
extern void server_stop(Worker *worker);

#endif							/* APPT_SERVER_H */
