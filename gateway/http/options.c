/*
 * options.c
 *		THE table of the gateway's options; --help prints it.
 */
#include "http/options.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

#define CORS_HEADERS_MAX 1024

Options		options;

#define TEXT(env, flag, field, fallback, help) \
	{env, flag, CONFIG_TEXT, &options.field, fallback, 0, 0, help}
#define SECRET(env, field, fallback, help) \
	{env, NULL, CONFIG_SECRET, &options.field, fallback, 0, 0, help}
#define INT(env, flag, field, fallback, min, max, help) \
	{env, flag, CONFIG_INT, &options.field, fallback, min, max, help}
#define BOOL(env, flag, field, fallback, help) \
	{env, flag, CONFIG_BOOL, &options.field, fallback, 0, 0, help}

static const ConfigOption option_table[] = {
	SECRET("APPT_DSN", dsn, "",
		   "libpq conninfo or URI of the database; several hosts are fine "
		   "(add target_session_attrs=read-write). Empty: libpq's own PG* "
		   "variables"),
	SECRET("APPT_READ_DSN", read_dsn, "",
		   "another one for what only reads: a standby, which may lag; who has "
		   "written reads what he wrote"),
	TEXT("APPT_LISTEN", "listen", listen, "127.0.0.1:8080",
		 "address and port: 127.0.0.1:8080, [::]:8443; port 0 takes a free "
		 "one and the log says which"),
	INT("APPT_LOOPS", "loops", loops, "1", 1, 64,
		"event loops, each a thread with connections of its own"),
	INT("APPT_READ_CONNECTIONS", "read-connections", read_connections, "2",
		1, 64, "database connections of a loop that share quick reads"),
	INT("APPT_WRITE_CONNECTIONS", "write-connections", write_connections,
		"8", 1, 256, "database connections of a loop for one write each; half "
		"of them serve lists, too"),
	INT("APPT_AUTH_CONNECTIONS", "auth-connections", auth_connections, "1",
		1, 16, "database connections of a loop for who asks for a token"),
	INT("APPT_STATEMENT_TIMEOUT_MS", "statement-timeout-ms",
		statement_timeout_ms, "4500", 100, 60000,
		"longest time of a statement: 504 after it"),
	INT("APPT_LOCK_TIMEOUT_MS", "lock-timeout-ms", lock_timeout_ms, "2000",
		100, 60000, "longest wait for a lock: 503 after it"),
	INT("APPT_QUEUE_TIMEOUT_MS", "queue-timeout-ms", queue_timeout_ms, "700",
		10, 10000, "longest wait for a free connection: 503 after it"),
	INT("APPT_REQUEST_TIMEOUT_MS", "request-timeout-ms", request_timeout_ms,
		"10000", 100, 600000,
		"a request must be here whole within this time: 408 after it"),
	INT("APPT_IDLE_TIMEOUT_MS", "idle-timeout-ms", idle_timeout_ms, "60000",
		100, 3600000, "an idle connection is closed after this time"),
	INT("APPT_CONNECTION_LIMIT", "connection-limit", connection_limit,
		"4000", 1, 1000000, "connections to the gateway, in each loop"),
	INT("APPT_ADDRESS_LIMIT", "address-limit", address_limit, "1000", 0,
		1000000,
		"connections of one address (of IPv6: a /64), in each loop; 0: no "
		"limit. Trusted proxies have none"),
	TEXT("APPT_TRUSTED_PROXIES", "trusted-proxies", trusted_proxies, "",
		 "addresses and ranges of proxies (10.0.0.0/8,::1), separated by "
		 "commas, whose X-Forwarded-For says where a request comes from"),
	INT("APPT_STREAM_LIMIT", "stream-limit", stream_limit, "1000", 0, 1000000,
		"event streams that are open at a time, in each loop: 503 beyond it"),
	INT("APPT_CLIENT_STREAM_LIMIT", "client-stream-limit",
		client_stream_limit, "100", 0, 1000000,
		"the same of one API client: 429 beyond it"),
	INT("APPT_RATE_LIMIT", "rate-limit", rate_limit, "60000", 0, 100000000,
		"requests a minute of one API client, unless its own "
		"requests_per_minute says otherwise; 0: no limit"),
	INT("APPT_STRANGER_LIMIT", "stranger-limit", stranger_limit, "6000", 0,
		100000000, "requests a minute of one address that come without a good "
		"access token or secret; 0: no limit"),
	INT("APPT_TOKEN_LIMIT", "token-limit", token_limit, "60", 0, 100000000,
		"access tokens a minute for one API client; 0: no limit"),
	INT("APPT_TOKEN_LIFETIME_S", "token-lifetime-s", token_lifetime_s,
		"3600", 1, 86400, "how long an access token is good, in seconds"),
	INT("APPT_PASSWORD_THREADS", "password-threads", password_threads, "2",
		1, 16, "passwords of staff that are hashed at a time, each with a core "
		"and 16 MiB"),
	TEXT("APPT_TOKEN_ISSUER", "token-issuer", issuer, "bioecko_appt",
		 "claim iss of the access tokens: best the URL of this service"),
	TEXT("APPT_TOKEN_AUDIENCE", "token-audience", audience,
		 "bioecko_appt", "claim aud of the access tokens"),
	TEXT("APPT_TLS_CERTIFICATE", "tls-certificate", tls_certificate, "",
		 "PEM file of the certificate and its chain: serves HTTPS"),
	TEXT("APPT_TLS_KEY", "tls-key", tls_key, "",
		 "PEM file of its private key; SIGHUP reads both files again"),
	TEXT("APPT_CORS_ORIGINS", "cors-origins", cors_origins, "",
		 "origins whose pages may call, separated by commas"),
	TEXT("APPT_CORS_HEADERS", "cors-headers", cors_headers,
		 "traceparent, tracestate, baggage, sentry-trace, b3, X-B3-TraceId, "
		 "X-B3-SpanId, X-B3-ParentSpanId, X-B3-Sampled, X-Requested-With",
		 "request headers that such pages may send beside those that calls "
		 "use, separated by commas; *: any"),
	SECRET("APPT_DOCS_CLIENT", docs_client, "",
		   "client_id:client_secret that the page at /docs gets a token with, "
		   "for every visitor: for a demo on this machine alone"),
	TEXT("APPT_METRICS_LISTEN", "metrics-listen", metrics_listen, "",
		 "address and port of /metrics alone, such as 127.0.0.1:8090; empty: "
		 "it is where the calls are, for everybody"),
	TEXT("APPT_LOG_LEVEL", "log-level", log_level, "info",
		 "debug, info, warning or error"),
	BOOL("APPT_REQUEST_LOG", "request-log", request_log, "on",
		 "one log line a request"),
	INT("APPT_SHUTDOWN_TIMEOUT_MS", "shutdown-timeout-ms",
		shutdown_timeout_ms, "15000", 0, 60000,
		"after SIGTERM, how long running requests may take"),
	BOOL("APPT_PRINT_ROUTES", "routes", print_routes, "off",
		 "print the route table and stop"),
	BOOL("APPT_NEW_SIGNING_KEY", "new-signing-key", new_signing_key, "off",
		 "add a signing key for access tokens, print its id and stop"),
	TEXT("APPT_NEW_ADMIN", "new-admin", new_admin, "",
		 "make an account of staff of that name with role admin, ask for its "
		 "password (or read a line of stdin) and stop"),
};

static const ConfigProgram program = {
	.name = "bioecko-gateway",
	.purpose = "the HTTP interface of bioecko_appt",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

static bool options_check(void);
static bool listens_on_loopback(void);
static bool headers_are_good(const char *list);
static bool origins_are_good(const char *list);
static bool origin_is_good(const char *origin, size_t len);

/* Fills "options"; what is wrong is said on stderr. */
ConfigOutcome
options_load(int argc, char **argv)
{
	ConfigOutcome outcome = config_load(&program, argc, argv);

	if (outcome == CONFIG_RUN && !options_check())
		return CONFIG_BAD;
	return outcome;
}

/* What the table cannot say: what would be taken and then fit nothing. */
static bool
options_check(void)
{
	if (log_level_from_name(options.log_level) < 0)
		fprintf(stderr, "APPT_LOG_LEVEL: \"%s\" is not debug, info, warning "
				"or error\n", options.log_level);
	else if (!ip_ranges_parse(options.trusted_proxies, &options.proxies))
		fprintf(stderr, "APPT_TRUSTED_PROXIES: \"%s\" is not an address or a "
				"range such as 10.0.0.0/8, or one too many\n",
				options.proxies.bad);
	else if (options.docs_client[0] != '\0' && !listens_on_loopback())
		fprintf(stderr, "APPT_DOCS_CLIENT: anybody could have the client: "
				"APPT_LISTEN \"%s\" is not this machine's own\n",
				options.listen);
	else if (!headers_are_good(options.cors_headers))
		fprintf(stderr, "APPT_CORS_HEADERS: \"%s\" is not a list of names of "
				"headers, nor *\n", options.cors_headers);
	else
		return origins_are_good(options.cors_origins);
	return false;
}

/* Whether only programs of this machine can connect. */
static bool
listens_on_loopback(void)
{
	return strncmp(options.listen, "127.", 4) == 0 ||
		strncmp(options.listen, "[::1]", 5) == 0 ||
		strncmp(options.listen, "localhost:", 10) == 0;
}

/* Whether it is names of headers, commas between them, that fit in a line. */
static bool
headers_are_good(const char *list)
{
	return strlen(list) <= CORS_HEADERS_MAX &&
		list[strspn(list, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*, ")] == '\0';
}

/* Whether browsers would send each of the origins; names the first bad one. */
static bool
origins_are_good(const char *list)
{
	while (*(list += strspn(list, ", ")) != '\0')
	{
		size_t		len = strcspn(list, ", ");

		if (!origin_is_good(list, len))
		{
			fprintf(stderr, "APPT_CORS_ORIGINS: \"%.*s\" is not an origin "
					"such as https://desk.example:8443, nor *\n", (int) len,
					list);
			return false;
		}
		list += len;
	}
	return true;
}

/* Whether it is a scheme and a host, perhaps a port, in lower case; or *. */
static bool
origin_is_good(const char *origin, size_t len)
{
	size_t		scheme = strncmp(origin, "https://", 8) == 0 ? 8
		: strncmp(origin, "http://", 7) == 0 ? 7 : 0;

	if (len == 1 && origin[0] == '*')
		return true;
	return scheme > 0 && len > scheme &&
		strspn(origin + scheme, "abcdefghijklmnopqrstuvwxyz0123456789"
			   "-._:[]") >= len - scheme;
}
