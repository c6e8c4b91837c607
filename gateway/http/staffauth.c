/*
 * staffauth.c
 *		POST, GET and DELETE /auth/session, POST /auth/session/password and
 *		/auth/session/email; and what comes before all changes of one's own
 *		account: the password.
 *
 *		A sign-in to an account that does not exist takes as long, and is
 *		told the same, as one with a wrong password.  Of one by a browser
 *		that the person has not signed in with before (device.c) the
 *		database tells him.
 */
#include "http/staffauth.h"

#include <inttypes.h>
#include <string.h>

#include "http/attempt.h"
#include "http/device.h"
#include "http/handlers.h"
#include "http/metrics.h"
#include "http/otp.h"
#include "http/signin.h"
#include "http/staffcall.h"

static const Statement *credentials_statement;
static const Statement *sign_in_statement;
static const Statement *sign_out_statement;
static const Statement *own_statement;
static const Statement *password_statement;
static const Statement *email_statement;

static void credentials_done(Query *query, QueryOutcome outcome,
							 PGresult *result);
static void compare_done(PasswordWork *work, PasswordOutcome outcome);
static void judge_code(Exchange *exchange, Attempt *attempt);
static void sign_in(Exchange *exchange, Attempt *attempt);
static void sign_in_done(Query *query, QueryOutcome outcome,
						 PGresult *result);
static void signed_in_done(Query *query, QueryOutcome outcome,
						   PGresult *result);
static void sign_out_done(Query *query, QueryOutcome outcome,
						  PGresult *result);
static void answer_signed_out(Exchange *exchange);
static void own_done(Query *query, QueryOutcome outcome, PGresult *result);
static void old_done(PasswordWork *work, PasswordOutcome outcome);
static void hash_new(Exchange *exchange, Attempt *attempt);
static void new_done(PasswordWork *work, PasswordOutcome outcome);
static void set_email(Exchange *exchange, Attempt *attempt);
static void email_done(Query *query, QueryOutcome outcome, PGresult *result);
static void password_done(Query *query, QueryOutcome outcome,
						  PGresult *result);
static void compare(Exchange *exchange, const char *password,
					const char *hash,
					void (*done) (PasswordWork *, PasswordOutcome));
static DeviceOwner owner_of(const Attempt *attempt);
static void remember_browser(Exchange *exchange, const Attempt *attempt);
static const char *member_text(Exchange *exchange, const json_t *object,
							   const char *name);

/* Registers the statements; before any loop. */
void
staffauth_init(void)
{
	credentials_statement = statement_register(
		"SELECT body FROM appt_api.sign_in_credentials("
		"account => $1, address => $2)", 2);
	sign_in_statement = statement_register(
		"SELECT body FROM appt_api.sign_in(staff_id => $1, "
		"password_hash => $2, totp_step => $3, recovery_sha256 => $4, "
		"token_sha256 => $5, address => $6, user_agent => $7, "
		"known_browser => $8)", 8);
	sign_out_statement = statement_register(
		"SELECT body FROM appt_api.sign_out(token_sha256 => $1)", 1);
	own_statement = statement_register(
		"SELECT body FROM appt_api.own_credentials(token_sha256 => $1)", 1);
	password_statement = statement_register(
		"SELECT body FROM appt_api.set_own_password(token_sha256 => $1, "
		"old_hash => $2, new_hash => $3, new_token_sha256 => $4)", 4);
	email_statement = statement_register(
		"SELECT body FROM appt_api.set_own_email(token_sha256 => $1, "
		"old_hash => $2, email => $3)", 3);
}

/* ---- signing in ---------------------------------------------------------- */

/* POST /auth/session */
void
serve_sign_in(Exchange *exchange)
{
	const Problem *forgery = signin_forgery(&exchange->head, NULL);
	Attempt    *attempt = arena_alloc(&exchange->arena, sizeof(Attempt));

	exchange->work = attempt;
	*attempt = (Attempt) {0};
	if (forgery != NULL)
		exchange_refuse_caller(exchange, forgery);
	else if (staffcall_gather(exchange))
	{
		char	   *account = arena_strdup(&exchange->arena,
										   exchange->call.params[0]);
		char	   *p;

		for (p = account; *p != '\0'; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char) (*p + 32) : *p;
		attempt->account = account;
		attempt->code = exchange->call.params[2];
		attempt->sent = device_sent(&exchange->head, account);
		if (attempt->sent != NULL || attempt_within(exchange, attempt))
		{
			attempt->params[0] = account;
			attempt->params[1] = attempt_network(exchange);
			staffcall_ask(exchange, credentials_statement, attempt->params,
						  credentials_done);
		}
	}
	exchange_finish(exchange);
}

/* What the account's password is compared with came, or that there is none. */
static void
credentials_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	Attempt    *attempt = exchange->work;
	json_t	   *found = staffcall_answer(exchange, query, outcome, result);

	if (!exchange_is_answered(exchange))
	{
		DeviceOwner owner;

		attempt->staff_id = member_text(exchange, found, "staff_id");
		attempt->hash = member_text(exchange, found, "password_hash");
		attempt->totp_secret = member_text(exchange, found, "totp_secret");
		owner = owner_of(attempt);
		attempt->browser = device_known(&exchange->arena, &owner,
										attempt->sent);
		attempt->elsewhere = attempt->browser == NULL && !json_is_true(
			json_object_get(found, "known_address"));
		if ((attempt->sent == NULL || attempt_within(exchange, attempt)) &&
			attempt_within_account(exchange, attempt))
			compare(exchange, exchange->call.params[1],
					attempt->hash != NULL ? attempt->hash : passwords_decoy(),
					compare_done);
	}
	json_decref(found);
	exchange_finish(exchange);
}

/* The password was compared. */
static void
compare_done(PasswordWork *work, PasswordOutcome outcome)
{
	Exchange   *exchange = work->context;
	Attempt    *attempt = exchange->work;

	if (outcome == PASSWORD_BUSY)
		attempt_busy(exchange);
	else if (outcome != PASSWORD_RIGHT || attempt->staff_id == NULL)
		attempt_wrong(exchange, attempt);
	else
		judge_code(exchange, attempt);
	exchange_finish(exchange);
}

/* The password is right: signs in, unless a code is missing or wrong. */
static void
judge_code(Exchange *exchange, Attempt *attempt)
{
	static const Problem missing = {401, "totp_required", "",
		"The account needs a one-time code, or a recovery code, too."
	};
	int64_t		step;

	if (attempt->totp_secret == NULL)
		sign_in(exchange, attempt);
	else if (attempt->code == NULL || attempt->code[0] == '\0')
	{
		attempt_right(attempt);
		metrics_auth_failure(FAILURE_NO_CODE);
		exchange_refuse_caller(exchange, &missing);
	}
	else if (!otp_is_code(attempt->code))
	{
		attempt->params[3] = otp_recovery_hash(&exchange->arena,
											   attempt->code);
		sign_in(exchange, attempt);
	}
	else if ((step = otp_step(attempt->totp_secret, attempt->code)) == 0)
		attempt_wrong(exchange, attempt);
	else
	{
		attempt->params[2] = arena_printf(&exchange->arena, "%" PRId64, step);
		sign_in(exchange, attempt);
	}
}

/* Has the database sign in; what was compared with is compared there again. */
static void
sign_in(Exchange *exchange, Attempt *attempt)
{
	if (!signin_new_token(attempt->token))
	{
		attempt_busy(exchange);
		return;
	}
	attempt->params[0] = attempt->staff_id;
	attempt->params[1] = attempt->hash;
	attempt->params[4] = signin_hash(&exchange->arena, attempt->token);
	attempt->params[5] = attempt_network(exchange);
	attempt->params[6] = exchange->head.user_agent;
	attempt->params[7] = attempt->browser != NULL ? "true" : "false";
	staffcall_ask(exchange, sign_in_statement, attempt->params, sign_in_done);
}

/* The database signed in, or refused: the code had been used before. */
static void
sign_in_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	Attempt    *attempt = exchange->work;
	json_t	   *sign_in = staffcall_answer(exchange, query, outcome, result);

	if (!exchange_is_answered(exchange) && sign_in == NULL)
		attempt_wrong(exchange, attempt);
	else if (sign_in != NULL)
	{
		attempt_right(attempt);
		staffcall_sign_in(exchange, sign_in, attempt->token);
		remember_browser(exchange, attempt);
	}
	json_decref(sign_in);
	exchange_finish(exchange);
}

/* ---- who is signed in ---------------------------------------------------- */

/* GET /auth/session; the call does not count as use of the sign-in. */
void
serve_signed_in(Exchange *exchange)
{
	const char **params = arena_alloc(&exchange->arena, 2 * sizeof(char *));

	exchange->sign_in = signin_token(&exchange->head);
	if (exchange->sign_in == NULL)
		exchange_refuse_sign_in(exchange);
	else
	{
		params[0] = signin_hash(&exchange->arena, exchange->sign_in);
		params[1] = "false";
		staffcall_ask(exchange, signin_statement(), params, signed_in_done);
	}
	exchange_finish(exchange);
}

/* The database told. */
static void
signed_in_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	json_t	   *sign_in = staffcall_answer(exchange, query, outcome, result);

	if (!exchange_is_answered(exchange) && sign_in == NULL)
		exchange_refuse_sign_in(exchange);
	else if (sign_in != NULL)
		staffcall_sign_in(exchange, sign_in, NULL);
	json_decref(sign_in);
	exchange_finish(exchange);
}

/* DELETE /auth/session; without a sign-in it is a 204, too. */
void
serve_sign_out(Exchange *exchange)
{
	const char **params = arena_alloc(&exchange->arena, sizeof(char *));
	const char *token = signin_token(&exchange->head);
	const Problem *forgery = signin_forgery(&exchange->head, token);

	if (forgery != NULL)
		exchange_refuse_caller(exchange, forgery);
	else if (token == NULL)
		answer_signed_out(exchange);
	else
	{
		params[0] = signin_hash(&exchange->arena, token);
		staffcall_ask(exchange, sign_out_statement, params, sign_out_done);
	}
	exchange_finish(exchange);
}

/* It is done. */
static void
sign_out_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;

	json_decref(staffcall_answer(exchange, query, outcome, result));
	if (!exchange_is_answered(exchange))
		answer_signed_out(exchange);
	exchange_finish(exchange);
}

/* 204, and the cookie is taken away. */
static void
answer_signed_out(Exchange *exchange)
{
	answer_body(&exchange->answer, 204, NULL, "", 0);
	answer_header(&exchange->answer, "Set-Cookie",
				  signin_cookie(&exchange->arena, NULL));
}

/* ---- one's own password and address -------------------------------------- */

/* POST /auth/session/password */
void
serve_own_password(Exchange *exchange)
{
	staffauth_own(exchange, hash_new);
}

/*
 * POST /auth/session/email; with the password, so that nobody who finds a desk
 * signed in has what is told of it go elsewhere.
 */
void
serve_own_email(Exchange *exchange)
{
	staffauth_own(exchange, set_email);
}

/*
 * Serves a call whose first parameter is one's own password: goes on with
 * then() once it was right.  The attempt's first parameter is the cookie's
 * hash by then, and its hash the password's.
 */
void
staffauth_own(Exchange *exchange, void (*then) (Exchange *, Attempt *))
{
	Attempt    *attempt = arena_alloc(&exchange->arena, sizeof(Attempt));

	exchange->work = attempt;
	*attempt = (Attempt) {.then = then};
	if (staffcall_is_own(exchange) && staffcall_gather(exchange))
	{
		attempt->params[0] = signin_hash(&exchange->arena,
										 exchange->sign_in);
		staffcall_ask(exchange, own_statement, attempt->params, own_done);
	}
	exchange_finish(exchange);
}

/* What the old password is compared with came. */
static void
own_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	Attempt    *attempt = exchange->work;
	json_t	   *own = staffcall_answer(exchange, query, outcome, result);

	attempt->staff_id = member_text(exchange, own, "staff_id");
	attempt->account = member_text(exchange, own, "account");
	attempt->hash = member_text(exchange, own, "password_hash");
	json_decref(own);
	if (!exchange_is_answered(exchange) && attempt->hash == NULL)
		exchange_refuse_sign_in(exchange);
	else if (!exchange_is_answered(exchange))
	{
		/* The browser that is signed in is known by that. */
		attempt->browser = attempt->params[0];
		if (attempt_within(exchange, attempt))
			compare(exchange, exchange->call.params[0], attempt->hash,
					old_done);
	}
	exchange_finish(exchange);
}

/* The old password was compared. */
static void
old_done(PasswordWork *work, PasswordOutcome outcome)
{
	Exchange   *exchange = work->context;
	Attempt    *attempt = exchange->work;

	if (outcome == PASSWORD_BUSY)
		attempt_busy(exchange);
	else if (outcome == PASSWORD_WRONG)
		attempt_wrong(exchange, attempt);
	else
	{
		attempt_right(attempt);
		attempt->then(exchange, attempt);
	}
	exchange_finish(exchange);
}

static void
hash_new(Exchange *exchange, Attempt *attempt)
{
	(void) attempt;
	compare(exchange, exchange->call.params[1], NULL, new_done);
}

static void
set_email(Exchange *exchange, Attempt *attempt)
{
	attempt->params[1] = attempt->hash;
	attempt->params[2] = exchange->call.params[1];
	staffcall_ask(exchange, email_statement, attempt->params, email_done);
}

/* It is set; the sign-in stays as it is. */
static void
email_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	json_t	   *sign_in = staffcall_answer(exchange, query, outcome, result);

	if (!exchange_is_answered(exchange) && sign_in == NULL)
		exchange_refuse_sign_in(exchange);
	else if (sign_in != NULL)
		staffcall_sign_in(exchange, sign_in, NULL);
	json_decref(sign_in);
	exchange_finish(exchange);
}

/* The new one is hashed. */
static void
new_done(PasswordWork *work, PasswordOutcome outcome)
{
	Exchange   *exchange = work->context;
	Attempt    *attempt = exchange->work;

	if (outcome == PASSWORD_BUSY || !signin_new_token(attempt->token))
		attempt_busy(exchange);
	else
	{
		attempt->params[1] = attempt->hash;
		attempt->params[2] = work->made;
		attempt->params[3] = signin_hash(&exchange->arena, attempt->token);
		staffcall_ask(exchange, password_statement, attempt->params,
					  password_done);
	}
	exchange_finish(exchange);
}

/*
 * The new password counts: this browser gets a new cookie, and all other
 * sign-ins have ended.
 */
static void
password_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	Attempt    *attempt = exchange->work;
	json_t	   *sign_in = staffcall_answer(exchange, query, outcome, result);

	if (!exchange_is_answered(exchange) && sign_in == NULL)
		exchange_refuse_sign_in(exchange);
	else if (sign_in != NULL)
	{
		staffcall_sign_in(exchange, sign_in, attempt->token);
		attempt->browser = NULL;
		attempt->hash = attempt->params[2];
		remember_browser(exchange, attempt);
	}
	json_decref(sign_in);
	exchange_finish(exchange);
}

/* ---- steps of both ------------------------------------------------------- */

/* Compares a password with a hash, or makes one, in a thread. */
static void
compare(Exchange *exchange, const char *password, const char *hash,
		void (*done) (PasswordWork *, PasswordOutcome))
{
	Attempt    *attempt = exchange->work;

	attempt->work = (PasswordWork) {
		.password = password, .hash = hash, .done = done, .context = exchange
	};
	exchange_suspend(exchange);
	passwords_submit(&exchange->service->passwords, &attempt->work);
}

/* Whose browser it is that signs in. */
static DeviceOwner
owner_of(const Attempt *attempt)
{
	return (DeviceOwner) {
		.account = attempt->account,
		.staff_id = attempt->staff_id,
		.password_hash = attempt->hash
	};
}

/* Has the browser known from now on by what it has signed in with. */
static void
remember_browser(Exchange *exchange, const Attempt *attempt)
{
	DeviceOwner owner = owner_of(attempt);
	const char *cookie = device_cookie(&exchange->arena, &owner,
									   attempt->browser);

	if (cookie != NULL)
		answer_header(&exchange->answer, "Set-Cookie", cookie);
}

/* A member that is text, copied; NULL without. */
static const char *
member_text(Exchange *exchange, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? arena_strdup(&exchange->arena, text) : NULL;
}
