/*
 * options.h
 *		The gateway's configuration, read once before any thread starts.
 */
#ifndef APPT_OPTIONS_H
#define APPT_OPTIONS_H

#include <stdbool.h>

#include "common/config.h"
#include "common/ip.h"

typedef struct Options
{
	const char *dsn;
	const char *read_dsn;		/* "": reads go where writes go */
	const char *listen;
	int			loops;
	int			read_connections;	/* a loop */
	int			write_connections;	/* a loop */
	int			auth_connections;	/* a loop */
	int			statement_timeout_ms;
	int			lock_timeout_ms;
	int			queue_timeout_ms;
	int			request_timeout_ms;
	int			idle_timeout_ms;
	int			connection_limit;
	int			address_limit;	/* connections of one address; 0: no limit */
	const char *trusted_proxies;
	IpRanges	proxies;		/* the same, read */
	int			stream_limit;	/* event streams of a loop */
	int			client_stream_limit;	/* of one client in a loop */
	int			rate_limit;		/* requests a minute and client; 0: none */
	int			stranger_limit; /* requests a minute, address; 0: none */
	int			token_limit;	/* tokens a minute and client; 0: none */
	int			token_lifetime_s;
	int			password_threads;
	const char *issuer;
	const char *audience;
	const char *tls_certificate;
	const char *tls_key;
	const char *cors_origins;
	const char *cors_headers;
	const char *docs_client;
	const char *metrics_listen; /* "": /metrics is among the calls */
	const char *log_level;
	bool		request_log;
	int			shutdown_timeout_ms;
	bool		print_routes;
	bool		new_signing_key;
	const char *new_admin;		/* account; "": none is to be made */
} Options;

extern Options options;

extern ConfigOutcome options_load(int argc, char **argv)
			__attribute__((warn_unused_result));

#endif							/* APPT_OPTIONS_H */
