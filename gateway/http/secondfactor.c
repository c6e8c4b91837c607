/*
 * secondfactor.c
 *		One's own one-time codes: POST /auth/session/totp shows a new key,
 *		POST /auth/session/totp/confirm has it count once a code of it came,
 *		POST /auth/session/recovery-codes makes new codes for a lost telephone.
 */
#include "http/secondfactor.h"

#include <inttypes.h>
#include <string.h>

#include "http/handlers.h"
#include "http/otp.h"
#include "http/signin.h"
#include "http/staffauth.h"
#include "http/staffcall.h"
#include "http/text.h"

static const Statement *begin_statement;
static const Statement *own_statement;
static const Statement *confirm_statement;
static const Statement *renew_statement;

static void begin_done(Query *query, QueryOutcome outcome, PGresult *result);
static void pending_done(Query *query, QueryOutcome outcome,
						 PGresult *result);
static void confirm(Exchange *exchange, const char *secret, int64_t step);
static void confirm_done(Query *query, QueryOutcome outcome,
						 PGresult *result);
static void renew(Exchange *exchange, Attempt *attempt);
static void renew_done(Query *query, QueryOutcome outcome, PGresult *result);
static void make_codes(Exchange *exchange, const char **hashes,
					   const Statement *statement, const char *const *params,
					   QueryDone done);
static void show_codes(Query *query, QueryOutcome outcome, PGresult *result,
					   const Problem *problem);

/* Registers the statements; before any loop. */
void
secondfactor_init(void)
{
	begin_statement = statement_register(
		"SELECT body FROM appt_api.begin_totp(token_sha256 => $1)", 1);
	own_statement = statement_register(
		"SELECT body FROM appt_api.own_credentials(token_sha256 => $1)", 1);
	confirm_statement = statement_register(
		"SELECT body FROM appt_api.confirm_totp(token_sha256 => $1, "
		"secret_sha256 => $2, totp_step => $3, recovery_sha256 => $4)", 4);
	renew_statement = statement_register(
		"SELECT body FROM appt_api.renew_recovery_codes(token_sha256 => $1, "
		"old_hash => $2, recovery_sha256 => $3)", 3);
}

/* POST /auth/session/totp */
void
serve_begin_totp(Exchange *exchange)
{
	const char **params = arena_alloc(&exchange->arena, sizeof(char *));

	if (staffcall_is_own(exchange) && staffcall_gather(exchange))
	{
		params[0] = signin_hash(&exchange->arena, exchange->sign_in);
		staffcall_ask(exchange, begin_statement, params, begin_done);
	}
	exchange_finish(exchange);
}

/* The key is made: shown this once. */
static void
begin_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	json_t	   *begun = staffcall_answer(exchange, query, outcome, result);
	const char *base32 = "";
	const char *url = NULL;

	if (begun != NULL)
		url = otp_url(&exchange->arena,
					  json_string_value(json_object_get(begun, "secret")),
					  json_string_value(json_object_get(begun, "account")),
					  &base32);
	if (!exchange_is_answered(exchange) && url == NULL)
		exchange_refuse_sign_in(exchange);
	else if (url != NULL)
	{
		const char *svg = otp_qr_svg(&exchange->arena, url);
		json_t	   *answer = json_object();

		json_object_set_new(answer, "secret", json_string(base32));
		json_object_set_new(answer, "otpauth_url", json_string(url));
		json_object_set_new(answer, "qr_svg",
							json_string(svg != NULL ? svg : ""));
		staffcall_json(exchange, answer);
		json_decref(answer);
	}
	json_decref(begun);
	exchange_finish(exchange);
}

/* POST /auth/session/totp/confirm */
void
serve_confirm_totp(Exchange *exchange)
{
	const char **params = arena_alloc(&exchange->arena, sizeof(char *));

	if (staffcall_is_own(exchange) && staffcall_gather(exchange))
	{
		params[0] = signin_hash(&exchange->arena, exchange->sign_in);
		staffcall_ask(exchange, own_statement, params, pending_done);
	}
	exchange_finish(exchange);
}

/* The key that is to be confirmed came: judges the code by it. */
static void
pending_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	static const Problem not_begun = {409, "invalid_transition", "",
		"There is no key to be confirmed."
	};
	Exchange   *exchange = query->context;
	json_t	   *own = staffcall_answer(exchange, query, outcome, result);
	const char *secret = json_string_value(
		json_object_get(own, "totp_pending"));
	int64_t		step = secret != NULL
		? otp_step(secret, exchange->call.params[0]) : 0;

	if (!exchange_is_answered(exchange) && own == NULL)
		exchange_refuse_sign_in(exchange);
	else if (own != NULL && secret == NULL)
		exchange_refuse(exchange, &not_begun);
	else if (own != NULL && step == 0)
		staffcall_wrong(exchange);
	else if (own != NULL)
		confirm(exchange, secret, step);
	json_decref(own);
	exchange_finish(exchange);
}

/* The code is right: the key counts, and recovery codes are made. */
static void
confirm(Exchange *exchange, const char *secret, int64_t step)
{
	const char **params = arena_alloc(&exchange->arena, 4 * sizeof(char *));
	char		hex[SHA256_HEX_SIZE];

	text_sha256_hex(&secret, 1, hex);
	params[0] = signin_hash(&exchange->arena, exchange->sign_in);
	params[1] = arena_strdup(&exchange->arena, hex);
	params[2] = arena_printf(&exchange->arena, "%" PRId64, step);
	make_codes(exchange, &params[3], confirm_statement, params, confirm_done);
}

/* Whether the key has counted since, or was another. */
static void
confirm_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	static const Problem changed = {409, "invalid_transition", "",
		"The key is another by now."
	};

	show_codes(query, outcome, result, &changed);
}

/*
 * POST /auth/session/recovery-codes; with the password, so that nobody who
 * finds a desk signed in makes a way in to the account of his own.
 */
void
serve_renew_recovery_codes(Exchange *exchange)
{
	staffauth_own(exchange, renew);
}

/* The password was right. */
static void
renew(Exchange *exchange, Attempt *attempt)
{
	attempt->params[1] = attempt->hash;
	make_codes(exchange, &attempt->params[2], renew_statement,
			   attempt->params, renew_done);
}

/* The codes of before have ended. */
static void
renew_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	show_codes(query, outcome, result, NULL);
}

/*
 * Makes recovery codes, and has the database keep by what it knows them,
 * which becomes the parameter at hashes.
 */
static void
make_codes(Exchange *exchange, const char **hashes,
		   const Statement *statement, const char *const *params,
		   QueryDone done)
{
	static const Problem no_randomness = {503, "unavailable", "",
		"The server could not make recovery codes; try again."
	};
	json_t	   *codes = json_array();

	*hashes = otp_recovery_codes(&exchange->arena, codes);
	if (*hashes == NULL)
	{
		exchange_refuse(exchange, &no_randomness);
		answer_retry_after(&exchange->answer, 1);
		json_decref(codes);
		return;
	}
	exchange->work = codes;
	staffcall_ask(exchange, statement, params, done);
}

/*
 * The recovery codes, shown this once; if the database did not take them, the
 * problem, or without one that nobody is signed in so any more.
 */
static void
show_codes(Query *query, QueryOutcome outcome, PGresult *result,
		   const Problem *problem)
{
	Exchange   *exchange = query->context;
	json_t	   *codes = exchange->work;
	json_t	   *done = staffcall_answer(exchange, query, outcome, result);

	exchange->work = NULL;
	if (exchange_is_answered(exchange))
		;
	else if (done == NULL && problem != NULL)
		exchange_refuse(exchange, problem);
	else if (done == NULL)
		exchange_refuse_sign_in(exchange);
	else
	{
		json_t	   *answer = json_object();

		json_object_set(answer, "recovery_codes", codes);
		staffcall_json(exchange, answer);
		json_decref(answer);
	}
	json_decref(codes);
	json_decref(done);
	exchange_finish(exchange);
}
