/*
 * exchange.c
 *		A request from bytes: "METHOD target", lines of headers, an empty line,
 *		the body.  Everything that the gateway does with it between
 *		libmicrohttpd and the database is done, and its answer is judged.
 */
#include "fuzz/exchange.h"

#include <string.h>

#include "common/log.h"
#include "fuzz/fuzz.h"
#include "http/headers.h"
#include "http/worker.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/serve.h"

static char *take_line(char **rest);
static void answer_holds(const Request *request);
static void link_holds(const char *link);

/* What main.c sets up, and pages of two origins. */
void
exchange_init(void)
{
	static char program[] = "fuzz";
	char	   *argv[] = {program, NULL};

	HOLDS(options_load(1, argv) == CONFIG_RUN);
	options.cors_origins = "https://a.example, https://b.example";
	options.stranger_limit = options.token_limit = 0;
	HOLDS(ip_ranges_parse("127.0.0.0/8, 10.0.0.0/8", &options.proxies));
	log_init("fuzz", LOG_LEVEL_ERROR);
	routes_init();
	oauth_init();
}

/* Serves the request that the bytes are. */
void
exchange_run(const uint8_t *data, size_t size)
{
	Request    *request = calloc(1, sizeof(Request));
	Worker		worker = {0};
	Client		client = {0};
	char	   *text;
	char	   *line;
	char	   *blank;

	HOLDS(request != NULL);
	text = arena_copy(&request->arena, (const char *) data, size);
	request->worker = &worker;
	request->client = &client;
	HOLDS(ip_from_text("127.0.0.1", 9, &client.address));
	line = take_line(&text);
	blank = line + strcspn(line, " ");
	request->target = *blank != '\0' ? blank + 1 : "/";
	*blank = '\0';
	request->method = line;
	request->connection = (struct MHD_Connection *) &text;
	request->state = REQUEST_READING;
	if (headers_line_refusal(request->target) != NULL ||
		!headers_read(request, "HTTP/1.0"))
		request->state = REQUEST_ANSWERED;
	else
		request_admit(request);
	if (request->state == REQUEST_READING)
	{
		size_t		len = size - (size_t) (text - line);

		request->from = peer_of_request(request);
		buf_add(&request->body, text, len);
		request->body_seen = len;
		request_run(request);
		answer_holds(request);
	}
	request_reset(request);
	buf_free(&request->body);
	free(request);
}

/*
 * libmicrohttpd's part: each header, one a line, to an empty one.  The
 * "connection" is where the text goes on; the body begins behind.
 */
int
MHD_get_connection_values(struct MHD_Connection *connection,
						  enum MHD_ValueKind kind,
						  MHD_KeyValueIterator iterator, void *context)
{
	char	  **rest = (char **) connection;
	char	   *line;
	int			count = 0;

	for (line = take_line(rest); *line != '\0'; line = take_line(rest))
	{
		char	   *colon = line + strcspn(line, ":");
		char	   *value = colon + (*colon == ':');

		*colon = '\0';
		value += strspn(value, " \t");
		iterator(context, kind, line, value);
		count++;
	}
	return count;
}

/* Cuts the next line off. */
static char *
take_line(char **rest)
{
	char	   *line = *rest;

	*rest += strcspn(line, "\n");
	if (**rest == '\n')
		*(*rest)++ = '\0';
	return line;
}

/* There is an answer; JSON is well-formed; no header breaks out of its line. */
static void
answer_holds(const Request *request)
{
	const Answer *answer = &request->answer;
	int			i;

	HOLDS(request->state == REQUEST_ANSWERED);
	HOLDS(answer->status >= 200 && answer->status <= 599);
	if (answer->content_type != NULL &&
		strstr(answer->content_type, "json") != NULL)
	{
		json_t	   *json = json_loadb(answer->body, answer->len,
									  JSON_DECODE_ANY, NULL);

		HOLDS(json != NULL);
		json_decref(json);
	}
	for (i = 0; i < answer->header_count; i++)
	{
		HOLDS(strpbrk(answer->headers[i].value, "\r\n") == NULL);
		if (strcmp(answer->headers[i].name, "Link") == 0)
			link_holds(answer->headers[i].value);
	}
}

/* <target>; rel="name", and again: nothing in a target ends it early. */
static void
link_holds(const char *link)
{
	while (*link != '\0')
	{
		const char *end = strpbrk(link + 1, "<>\" ");

		HOLDS(*link == '<' && end != NULL);
		HOLDS(strncmp(end, ">; rel=\"", 8) == 0);
		end += 8;
		end += strspn(end, "abcdefghijklmnopqrstuvwxyz");
		HOLDS(*end == '"');
		link = end + 1;
		link += strspn(link, ", ");
	}
}
