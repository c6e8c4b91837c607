/*
 * main.c
 *		bioecko-gateway: opens the listening sockets, starts the loops, waits
 *		for signals, ends the loops.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/address.h"
#include "common/buf.h"
#include "common/errand.h"
#include "common/log.h"
#include "common/pg.h"
#include "common/signals.h"
#include "http/auth.h"
#include "http/board.h"
#include "http/callback.h"
#include "http/feed.h"
#include "http/file.h"
#include "http/lag.h"
#include "http/newadmin.h"
#include "http/newkey.h"
#include "http/oauth.h"
#include "http/options.h"
#include "http/otp.h"
#include "http/page.h"
#include "http/passwords.h"
#include "http/routetable.h"
#include "http/secondfactor.h"
#include "http/serve.h"
#include "http/signin.h"
#include "http/staffauth.h"
#include "http/tls.h"
#include "http/worker.h"

#define LISTEN_BACKLOG 1024

static int	listen_on(Address *address);
static bool listen_port(int fd, Address *address);
static bool raise_descriptors(void);
static int	serve(void);
static void wait_for_stop(int signals);

int
main(int argc, char **argv)
{
	switch (options_load(argc, argv))
	{
		case CONFIG_DONE:
			return 0;
		case CONFIG_BAD:
			return 2;
		case CONFIG_RUN:
			break;
	}
	route_init(routes, route_count);
	if (options.print_routes)
	{
		route_print();
		return 0;
	}
	if (!pg_dsn_is_good("APPT_DSN", options.dsn) ||
		!pg_dsn_is_good("APPT_READ_DSN", options.read_dsn))
		return 2;
	if (options.new_signing_key)
		return newkey_add() ? 0 : 1;
	if (options.new_admin[0] != '\0')
		return newadmin_add() ? 0 : 1;
	if (!passwords_init() || !otp_init())
	{
		fprintf(stderr, "libcrypt has no yescrypt, or liboath does not "
				"start\n");
		return 1;
	}
	log_init("bioecko-gateway",
			 (LogLevel) log_level_from_name(options.log_level));
	auth_init();
	oauth_init();
	callback_init();
	signin_init();
	staffauth_init();
	secondfactor_init();
	lag_init();
	wake_init();
	feed_init();
	board_init();
	page_init();
	file_init();
	return serve();
}

/* Runs the loops until a signal ends them. */
static int
serve(void)
{
	static Worker *workers; /* on failure they may run to the very end */
	int			signals = signals_open();
	Address		address;
	char		where[300];
	int			i;

	if (signals < 0 || !raise_descriptors() ||
		(tls_wanted() && !tls_load()) || !serve_monitor())
		return 1;
	if (!address_parse(options.listen, &address))
	{
		fprintf(stderr, "APPT_LISTEN: \"%s\" is not an address and a port, "
				"such as 127.0.0.1:8080\n", options.listen);
		return 2;
	}
	workers = must_alloc((size_t) options.loops * sizeof(Worker));
	for (i = 0; i < options.loops; i++)
	{
		int			fd = listen_on(&address);

		if (fd < 0 || !worker_start(&workers[i], i, fd))
			return 1;
	}
	snprintf(where, sizeof(where), "%s:%s", address.host, address.port);
	LOG_INFO("listening", log_text("address", where),
			 log_int("loops", options.loops));
	wait_for_stop(signals);
	LOG_INFO("stopping");
	for (i = 0; i < options.loops; i++)
		worker_ask_stop(&workers[i]);
	for (i = 0; i < options.loops; i++)
		pthread_join(workers[i].thread, NULL);
	free(workers);
	LOG_INFO("stopped");
	if (errands_running())
		_exit(0);
	return 0;
}

/*
 * A listening socket of that address; -1 with the reason in the log.  A port
 * of 0 becomes the one that was free.  Loops share the port by SO_REUSEPORT,
 * so a check is made first that nobody else has it.
 */
static int
listen_on(Address *address)
{
	static bool first = true;
	struct addrinfo *found = address_find(address);
	int			one = 1;
	int			failed;
	int			fd;

	if (found == NULL)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (options.loops > 1 && !first)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	failed = bind(fd, found->ai_addr, found->ai_addrlen);
	if (failed == 0 && options.loops > 1 && first)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (failed != 0 || listen(fd, LISTEN_BACKLOG) != 0 ||
		!listen_port(fd, address))
	{
		LOG_ERROR("cannot listen", log_text("address", address->host),
				  log_text("port", address->port),
				  log_text("why", strerror(errno)));
		close(fd);
		fd = -1;
	}
	first = false;
	freeaddrinfo(found);
	return fd;
}

/* Learns the port that the socket has. */
static bool
listen_port(int fd, Address *address)
{
	struct sockaddr_storage name;
	socklen_t	len = sizeof(name);
	char		host[256];

	if (getsockname(fd, (struct sockaddr *) &name, &len) != 0)
		return false;
	return getnameinfo((struct sockaddr *) &name, len, host, sizeof(host),
					   address->port, sizeof(address->port),
					   NI_NUMERICHOST | NI_NUMERICSERV) == 0;
}

/* As many descriptors as the system lets us have. */
static bool
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* Returns when SIGTERM or SIGINT came; SIGHUP reads the certificate again. */
static void
wait_for_stop(int signals)
{
	struct pollfd poll_fd = {.fd = signals, .events = POLLIN};

	for (;;)
	{
		int			signal_no;

		poll(&poll_fd, 1, -1);
		while ((signal_no = signals_next(signals)) != 0)
		{
			if (signal_no == SIGTERM || signal_no == SIGINT)
				return;
			if (tls_wanted() && !tls_load())
				LOG_WARNING("the TLS certificate stays as it was");
		}
	}
}
