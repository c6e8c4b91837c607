/*
 * feed.c
 *		What has changed, and all who listen to that on a loop.
 *
 *		While there are streams, one query at a time asks for what is new
 *		since the last, however many streams there are.  Each is sent what
 *		concerns the branches, and the doctors, that its client may see,
 *		which the same answer says.
 *
 *		A new stream runs one query of its own, for what has changed since
 *		its position, once the feed has a position.  Changes that the feed
 *		reads from then on are queued for the stream, so that none is
 *		missed, though one may be sent twice.
 */
#include "http/feed.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/array.h"
#include "common/json.h"
#include "common/log.h"
#include "common/loop.h"
#include "http/handlers.h"
#include "http/lag.h"
#include "http/metrics.h"
#include "http/options.h"
#include "http/stream.h"

#define FEED_POLL_MS 400
#define FEED_WROTE_MS 50		/* the same when this loop has written */
#define FEED_FRESH_MS 5000		/* older, and no sign of life is given */
#define FEED_BEAT_MS 15000
#define FEED_JUDGE_MS 1000
#define FEED_EVENTS_MAX 500		/* at a time: all is read again sooner */
#define FEED_RETRY_MS 3000		/* of a listener that was cut */
#define FEED_DEPTH 6			/* of the answers' JSON */

struct Feed
{
	Service    *service;
	Stream	   *streams;
	char	   *position;		/* up to which all is told; NULL: unknown */
	int64_t		asked_ms;
	int64_t		fresh_ms;		/* when the last answer was asked for */
	bool		busy;
	bool		refused;		/* the last question was: it is in the log */
	Query		query;
	const char *params[2];
	Buf			clients;		/* those who listen, as an array literal */
};

static const char reset_text[] = "event: reset\ndata: {}\n\n";

static const Problem ending = {503, "unavailable", "",
	"The service is about to end; try again."
};

static const Statement *changes_statement;

static const Problem *feed_full(const Feed *feed, const char *client_id);
static void listen_ask(Stream *stream);
static void listen_all(Feed *feed);
static void listen_done(Query *query, QueryOutcome outcome, PGresult *result);
static void listen_begin(Stream *stream, const json_t *answer);
static void feed_ask(Feed *feed);
static void list_clients(const Feed *feed, Buf *out);
static void feed_told(Query *query, QueryOutcome outcome, PGresult *result);
static void feed_take(Feed *feed, const json_t *answer);
static void tell_all(Feed *feed, const json_t *answer, const char *position,
					 bool reset);
static void tell_reset(Stream *stream, const char *position);
static void tell(Stream *stream, const json_t *sight, const char *position);
static bool concerns(const json_t *change, const json_t *sight);
static bool has_id(const json_t *ids, const char *id);
static void add_event(Buf *out, const json_t *change, const char *position);
static void add_position(Buf *out, const char *position);
static void judge(Feed *feed, Stream *stream);
static void beat(Feed *feed, Stream *stream);
static json_t *read_answer(QueryOutcome outcome, const PGresult *result);

/* Registers the statement; before any loop. */
void
feed_init(void)
{
	changes_statement = statement_register(
		"SELECT body FROM appt_api.all_changes("
		"since => $1, clients => $2)", 2);
}

/* A loop's feed, to which nobody listens. */
Feed *
feed_open(Service *service)
{
	Feed	   *feed = must_alloc(sizeof(Feed));

	*feed = (Feed) {.service = service};
	return feed;
}

/* Ten times a second: asks when it is time, and looks after who listens. */
void
feed_tick(Feed *feed)
{
	int64_t		pause_ms = feed->service->wrote ? FEED_WROTE_MS : FEED_POLL_MS;
	Stream	   *stream;

	if (feed->streams == NULL && !feed->busy)
	{
		free(feed->position);
		feed->position = NULL;
		feed->service->wrote = false;
		return;
	}
	for (stream = feed->streams; stream != NULL; stream = stream->next)
	{
		if (stream->begun && stream->exchange->queued)
			judge(feed, stream);
	}
	if (!feed->busy && !feed->service->stopping &&
		loop_now_ms() - feed->asked_ms >= pause_ms)
		feed_ask(feed);
}

/* Ends all streams. */
void
feed_stop(Feed *feed)
{
	Stream	   *stream;

	for (stream = feed->streams; stream != NULL; stream = stream->next)
		stream_finish(stream, STREAM_STOP);
}

/* Forgets everything; nobody listens. */
void
feed_close(Feed *feed)
{
	free(feed->position);
	buf_free(&feed->clients);
	free(feed);
}

/*
 * The exchange's call, whose query is ready, is to be answered by a stream, if
 * there is room for one.
 */
void
feed_listen(Exchange *exchange)
{
	Feed	   *feed = exchange->service->feed;
	const Problem *full = feed_full(feed, exchange->caller.client_id);

	if (full != NULL)
	{
		exchange_refuse(exchange, full);
		answer_retry_after(&exchange->answer, FEED_BEAT_MS / 1000);
		return;
	}
	exchange->work = stream_new(exchange, &feed->streams);
	exchange->query.done = listen_done;
	if (feed->position != NULL)
		listen_ask(exchange->work);
	else
	{
		exchange_suspend(exchange);
		if (!feed->busy)
			feed_ask(feed);
	}
}

/*
 * Answers a board, whose caller is FEED_BOARD and its id, with a stream of the
 * changes from now on.  Nothing is resumed: the page reads all when its stream
 * begins.
 */
void
feed_tell_board(Exchange *exchange)
{
	static const char first[] = "retry: 3000\n\n";
	Feed	   *feed = exchange->service->feed;
	const Problem *full = feed_full(feed, exchange->caller.client_id);
	Stream	   *stream;

	if (full != NULL || exchange->service->stopping)
	{
		exchange_refuse(exchange, full != NULL ? full : &ending);
		answer_retry_after(&exchange->answer, FEED_BEAT_MS / 1000);
		return;
	}
	stream = stream_new(exchange, &feed->streams);
	stream->asked = true;
	stream->board = true;
	stream_begin(stream);
	buf_text(&stream->out, first);
	stream->judge_ms = loop_now_ms() + FEED_JUDGE_MS;
	stream->beat_ms = loop_now_ms() + FEED_BEAT_MS;
}

/*
 * Asks what is behind the newcomer's position: not before the feed has one, so
 * that its answer is from later.
 */
static void
listen_ask(Stream *stream)
{
	stream->asked = true;
	exchange_submit(stream->exchange);
}

/* The feed has its first position, or cannot have it: newcomers go on. */
static void
listen_all(Feed *feed)
{
	Stream	   *stream = feed->streams;

	while (stream != NULL)
	{
		Stream	   *next = stream->next;

		if (!stream->asked && feed->position != NULL)
			listen_ask(stream);
		else if (!stream->asked)
			listen_done(&stream->exchange->query, QUERY_BUSY, NULL);
		stream = next;
	}
}

/* Why there is no room for another of the client's; NULL: there is. */
static const Problem *
feed_full(const Feed *feed, const char *client_id)
{
	static const Problem too_many = {503, "unavailable", "",
		"As many listen as can; ask for the changes in JSON, or try again."
	};
	static const Problem too_many_of_one = {429, "rate_limited", "",
		"The client has as many event streams as it may."
	};
	int			all = 0;
	int			own = 0;
	const Stream *stream;

	for (stream = feed->streams; stream != NULL; stream = stream->next)
	{
		all++;
		own += strcmp(stream->exchange->caller.client_id, client_id) == 0;
	}
	if (own >= options.client_stream_limit)
		return &too_many_of_one;
	return all >= options.stream_limit ? &too_many : NULL;
}

/* What is behind a newcomer's position is here, or it is refused. */
static void
listen_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	Stream	   *stream = exchange->work;
	json_t	   *answer = exchange->abandoned ? NULL
		: read_answer(outcome, result);

	exchange->work = NULL;
	if (answer != NULL && !exchange->service->stopping)
	{
		stream_begin(stream);
		listen_begin(stream, answer);
		PQclear(result);
		exchange_resume(exchange);
	}
	else
	{
		stream_free(stream);
		if (outcome == QUERY_OK)
		{
			PQclear(result);
			result = NULL;
			outcome = QUERY_BUSY;
		}
		exchange_answer(exchange, outcome, result);
	}
	json_decref(answer);
}

/*
 * Begins the body: the changes since the stream's position, or that all is to
 * be read again, and the position that this reaches.
 */
static void
listen_begin(Stream *stream, const json_t *answer)
{
	const char *position = json_string_value(
		json_object_get(answer, "position"));
	const json_t *changes = json_object_get(answer, "changes");
	size_t		count = json_array_size(changes);
	bool		resumes = stream->exchange->call.params[0] != NULL;
	Buf			out = {0};
	size_t		i;

	buf_printf(&out, "retry: %d\n\n", FEED_RETRY_MS);
	if (stream->reset || count > FEED_EVENTS_MAX ||
		(resumes && json_is_true(json_object_get(answer, "reset"))))
	{
		buf_text(&out, reset_text);
		count = 0;
	}
	for (i = 0; i < count; i++)
		add_event(&out, json_array_get(changes, i), NULL);
	add_position(&out, position);
	lag_knows(stream->exchange->caller.client_id);
	buf_add(&stream->out, out.data, out.len);
	buf_free(&out);
	metrics_events(count);
	stream->judge_ms = loop_now_ms() + FEED_JUDGE_MS;
	stream->beat_ms = loop_now_ms() + FEED_BEAT_MS;
}

/* Asks what is new, and what the clients of the streams may see. */
static void
feed_ask(Feed *feed)
{
	buf_clear(&feed->clients);
	list_clients(feed, &feed->clients);
	feed->params[0] = feed->position;
	feed->params[1] = buf_get(&feed->clients);
	feed->busy = true;
	feed->asked_ms = loop_now_ms();
	feed->service->wrote = false;
	feed->query = (Query) {
		.statement = changes_statement,
		.params = feed->params,
		.lane = LANE_CONTROL,
		.done = feed_told,
		.context = feed,
	};
	pool_submit(feed->service->pool, &feed->query);
}

/* The clients who listen, each once or more, as a text[]. */
static void
list_clients(const Feed *feed, Buf *out)
{
	const Stream *stream;
	const char *last = "";

	for (stream = feed->streams; stream != NULL; stream = stream->next)
	{
		const char *client_id = stream->exchange->caller.client_id;

		if (strcmp(client_id, last) == 0)
			continue;
		array_text(out, client_id);
		last = client_id;
	}
	array_end(out);
}

/* What is new is here. */
static void
feed_told(Query *query, QueryOutcome outcome, PGresult *result)
{
	Feed	   *feed = query->context;
	json_t	   *answer = read_answer(outcome, result);

	feed->busy = false;
	if (outcome == QUERY_ERROR && !feed->refused)
		LOG_ERROR("the database does not tell what has changed",
				  log_text("why", PQresultErrorField(
							   result, PG_DIAG_MESSAGE_PRIMARY)));
	feed->refused = outcome == QUERY_ERROR;
	if (answer != NULL)
	{
		feed->fresh_ms = feed->asked_ms;
		feed_take(feed, answer);
	}
	json_decref(answer);
	PQclear(result);
	listen_all(feed);
}

/* Tells it to those whom it concerns. */
static void
feed_take(Feed *feed, const json_t *answer)
{
	const char *position = json_string_value(
		json_object_get(answer, "position"));
	bool		known = feed->position != NULL;

	if (position == NULL)
		return;
	tell_all(feed, answer, position,
			 known && json_is_true(json_object_get(answer, "reset")));
	free(feed->position);
	feed->position = must_strdup(position);
}

/*
 * Sends the changes to each stream.  They are queued for one that waits for its
 * own first answer, or whose client the query did not cover.  A board's stream
 * that began before there was a position is told to read all again; that of a
 * revoked board, which sees no branch, ends.
 */
static void
tell_all(Feed *feed, const json_t *answer, const char *position, bool reset)
{
	json_t	   *changes = json_object_get(answer, "changes");
	const json_t *clients = json_object_get(answer, "clients");
	Stream	   *stream;

	for (stream = feed->streams; stream != NULL; stream = stream->next)
	{
		const json_t *sight = json_object_get(
			clients, stream->exchange->caller.client_id);

		if (reset || (stream->begun && feed->position == NULL))
			tell_reset(stream, position);
		else
			json_array_extend(stream->missed, changes);
		if (stream->board && sight != NULL &&
			json_array_size(json_object_get(sight, "branch_ids")) == 0)
			stream_finish(stream, STREAM_TOKEN);
		else if (stream->begun && sight != NULL)
			tell(stream, sight, position);
	}
}

/* Tells the stream to read all again, now or with its first answer. */
static void
tell_reset(Stream *stream, const char *position)
{
	Buf			out = {0};

	json_array_clear(stream->missed);
	stream->reset = !stream->begun;
	if (stream->reset)
		return;
	buf_text(&out, reset_text);
	add_position(&out, position);
	lag_knows(stream->exchange->caller.client_id);
	stream_add(stream, &out);
	buf_free(&out);
}

/* Tells the stream what of all that is new its client may see. */
static void
tell(Stream *stream, const json_t *sight, const char *position)
{
	const json_t *last = NULL;
	size_t		count = 0;
	Buf			out = {0};
	size_t		i;

	for (i = 0; i < json_array_size(stream->missed); i++)
	{
		const json_t *change = json_array_get(stream->missed, i);

		if (!concerns(change, sight))
			continue;
		if (last != NULL)
			add_event(&out, last, NULL);
		last = change;
		count++;
	}
	if (count > FEED_EVENTS_MAX)
		tell_reset(stream, position);
	else if (last != NULL)
	{
		add_event(&out, last, position);
		lag_knows(stream->exchange->caller.client_id);
		stream_add(stream, &out);
		metrics_events(count);
	}
	json_array_clear(stream->missed);
	buf_free(&out);
}

/* Whether the change concerns who sees these branches and these doctors. */
static bool
concerns(const json_t *change, const json_t *sight)
{
	const json_t *branches = json_object_get(sight, "branch_ids");
	const json_t *doctors = json_object_get(sight, "doctor_ids");
	const char *doctor = json_string_value(json_object_get(
		json_object_get(change, "data"), "doctor_id"));
	const json_t *ids = json_object_get(change, "branch_ids");
	size_t		i;

	if (json_is_array(doctors) && doctor != NULL && !has_id(doctors, doctor))
		return false;
	if (has_id(branches, "*"))
		return true;
	if (!json_is_array(ids))
		return json_array_size(branches) > 0;
	for (i = 0; i < json_array_size(ids); i++)
	{
		if (has_id(branches, json_string_value(json_array_get(ids, i))))
			return true;
	}
	return false;
}

/* Whether the id is one of them. */
static bool
has_id(const json_t *ids, const char *id)
{
	size_t		i;

	for (i = 0; i < json_array_size(ids); i++)
	{
		if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
			return true;
	}
	return false;
}

/*
 * One event.  The last of those that came together has the position: who is
 * cut before it asks for all of them again.
 */
static void
add_event(Buf *out, const json_t *change, const char *position)
{
	const char *event = json_string_value(json_object_get(change, "event"));
	char	   *data = json_dumps(json_object_get(change, "data"),
								  JSON_COMPACT);

	buf_printf(out, "event: %s\n", event);
	if (position != NULL)
		buf_printf(out, "id: %s\n", position);
	buf_printf(out, "data: %s\n\n", data);
	free(data);
}

/* A position without an event: a listener keeps it, and is told of nothing. */
static void
add_position(Buf *out, const char *position)
{
	buf_printf(out, "id: %s\n\n", position);
}

/* Ends the stream where its listener has gone, or may not listen any more. */
static void
judge(Feed *feed, Stream *stream)
{
	Exchange   *exchange = stream->exchange;
	struct pollfd other = {
		.fd = exchange->connection->fd, .events = POLLRDHUP
	};

	if (loop_now_ms() >= stream->judge_ms)
	{
		stream->judge_ms = loop_now_ms() + FEED_JUDGE_MS;
		if (poll(&other, 1, 0) > 0)
			stream_finish(stream, STREAM_GONE);
		else if (!stream->board && !vigil_permits(&stream->vigil, exchange))
			stream_finish(stream, STREAM_TOKEN);
	}
	if (loop_now_ms() >= stream->beat_ms)
		beat(feed, stream);
}

/*
 * Sends a comment line as a sign of life, with the position that is reached;
 * none while the database does not answer.
 */
static void
beat(Feed *feed, Stream *stream)
{
	Buf			out = {0};

	if (feed->position == NULL ||
		loop_now_ms() - feed->fresh_ms > FEED_FRESH_MS)
		return;
	stream->beat_ms = loop_now_ms() + FEED_BEAT_MS;
	buf_text(&out, ": \n");
	if (json_array_size(stream->missed) == 0)
		buf_printf(&out, "id: %s\n", feed->position);
	buf_char(&out, '\n');
	stream_add(stream, &out);
	buf_free(&out);
}

/* The answer, parsed; NULL: there is none. */
static json_t *
read_answer(QueryOutcome outcome, const PGresult *result)
{
	if (outcome != QUERY_OK || PQntuples(result) != 1 ||
		PQgetisnull(result, 0, 0))
		return NULL;
	return json_read(PQgetvalue(result, 0, 0),
					 (size_t) PQgetlength(result, 0, 0), FEED_DEPTH, NULL);
}
