/*
 * answer.c
 *		What goes back: status, headers and body.
 */
#include "http/answer.h"

#include "common/log.h"
#include "http/tls.h"

/* Answers with this body, which lives as long as the request. */
void
answer_body(Answer *answer, int status, const char *content_type,
			const char *body, size_t len)
{
	answer->status = status;
	answer->content_type = content_type;
	answer->body = body;
	answer->len = len;
}

/* Answers with the problem and the bad fields. */
void
answer_problem(Answer *answer, const Problem *problem,
			   const FieldError *fields)
{
	Buf			body = {0};

	problem_json(&body, problem, fields, answer->id);
	answer_body(answer, problem->status, "application/problem+json",
				arena_copy(answer->arena, body.data, body.len), body.len);
	buf_free(&body);
}

/* Adds a header; name and value live as long as the request. */
void
answer_header(Answer *answer, const char *name, const char *value)
{
	if (answer->header_count == ANSWER_HEADERS)
	{
		LOG_ERROR("an answer has too many headers", log_text("name", name));
		return;
	}
	answer->headers[answer->header_count++] = (AnswerHeader) {name, value};
}

/* Says when it is worth to try again. */
void
answer_retry_after(Answer *answer, int seconds)
{
	answer_header(answer, "Retry-After",
				  arena_printf(answer->arena, "%d", seconds));
}

/* Adds the headers that every answer has; before it is sent. */
void
answer_complete(Answer *answer)
{
	answer_header(answer, "X-Request-Id", answer->id);
	answer_header(answer, "Cache-Control", answer->cache_control != NULL
				  ? answer->cache_control : "no-store");
	answer_header(answer, "X-Content-Type-Options", "nosniff");
	if (tls_wanted())
		answer_header(answer, "Strict-Transport-Security", TLS_HSTS);
}

/* Forgets what was to be answered: another answer takes its place. */
void
answer_drop(Answer *answer)
{
	PQclear(answer->result);
	*answer = (Answer) {.arena = answer->arena, .id = answer->id};
}
