/*
 * serving.c
 *		A request from bytes: "METHOD target", lines of headers, an empty line,
 *		the body.  Everything that the gateway does with it between
 *		libmicrohttpd and the database is done, and its answer is judged.
 */
#include "fuzz/serving.h"

#include <string.h>

#include "common/log.h"
#include "fuzz/fuzz.h"
#include "http/callback.h"
#include "http/oauth.h"
#include "http/options.h"
#include "http/page.h"
#include "http/peer.h"
#include "http/routetable.h"
#include "http/steps.h"

static void take_headers(char **rest, Head *head);
static char *take_line(char **rest);
static void answer_holds(const Exchange *exchange);
static void link_holds(const char *link);

/* What main.c sets up, and pages of two origins. */
void
serving_init(void)
{
	static char program[] = "fuzz";
	char	   *argv[] = {program, NULL};

	HOLDS(options_load(1, argv) == CONFIG_RUN);
	options.cors_origins = "https://a.example, https://b.example";
	options.stranger_limit = options.token_limit = 0;
	HOLDS(ip_ranges_parse("127.0.0.0/8, 10.0.0.0/8", &options.proxies));
	log_init("fuzz", LOG_LEVEL_ERROR);
	route_init(routes, route_count);
	oauth_init();
	callback_init();
	page_init();
}

/* Serves the request that the bytes are. */
void
serving_run(const uint8_t *data, size_t size)
{
	Exchange   *exchange = calloc(1, sizeof(Exchange));
	Head	   *head = &exchange->head;
	Service		service = {0};
	Connection	connection = {0};
	const Problem *problem;
	char	   *text;
	char	   *line;
	char	   *blank;

	HOLDS(exchange != NULL);
	HOLDS(ip_from_text("127.0.0.1", 9, &connection.address));
	text = arena_copy(&exchange->arena, (const char *) data, size);
	line = take_line(&text);
	blank = line + strcspn(line, " ");
	exchange_begin(exchange, &service, &connection,
				   *blank != '\0' ? blank + 1 : "/");
	problem = head_line_problem(head->target);
	*blank = '\0';
	head->method = line;
	exchange->state = EXCHANGE_RUNNING;
	take_headers(&text, head);
	if (problem == NULL)
		problem = head_problem(head, "HTTP/1.0");
	if (problem == NULL)
		steps_admit(exchange);
	if (problem == NULL && !exchange_is_answered(exchange))
	{
		size_t		len = size - (size_t) (text - line);

		head->from = peer_of_head(head, &connection.address);
		buf_add(&exchange->body.bytes, text, len);
		exchange->body.seen = len;
		steps_run(exchange);
		exchange_complete(exchange);
		answer_holds(exchange);
	}
	exchange_reset(exchange);
	buf_free(&exchange->body.bytes);
	free(exchange);
}

/* Takes in each header, one a line, to an empty one; the body is behind. */
static void
take_headers(char **rest, Head *head)
{
	char	   *line;

	for (line = take_line(rest); *line != '\0'; line = take_line(rest))
	{
		char	   *colon = line + strcspn(line, ":");
		char	   *value = colon + (*colon == ':');

		*colon = '\0';
		value += strspn(value, " \t");
		head_add(head, line, value);
	}
	head_name(head);
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
answer_holds(const Exchange *exchange)
{
	const Answer *answer = &exchange->answer;
	int			i;

	HOLDS(exchange_is_answered(exchange));
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
