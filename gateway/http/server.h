/*
 * server.h
 *		libmicrohttpd, as a worker uses it.
 */
#ifndef APPT_SERVER_H
#define APPT_SERVER_H

#include "http/connections.h"
#include "http/exchange.h"

/* What libmicrohttpd has of a worker. */
typedef struct Server
{
	struct MHD_Daemon *daemon;
	Service    *service;
	Connections connections;
	Exchange   *spare;			/* finished ones, to be used again */
	int			spare_count;
} Server;

extern bool server_start(Server *server, Service *service,
						 int listen_fd) __attribute__((warn_unused_result));
extern int64_t server_due_ms(Server *server);
extern void server_run(Server *server);
extern void server_tick(Server *server);
extern int	server_epoll_fd(Server *server);
extern void server_quiesce(Server *server);
extern void server_stop(Server *server);

#endif							/* APPT_SERVER_H */
