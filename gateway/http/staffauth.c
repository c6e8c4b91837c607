/*
 * staffauth.c
 *		POST, GET and DELETE /auth/session, and POST /auth/session/password.
 *
 *		A sign-in to an account that does not exist takes as long, and is
 *		told the same, as one with a wrong password.  Attempts are counted
 *		before they are judged, by account and network together, and right
 *		ones are given back: so nobody locks an account out from elsewhere,
 *		nor a clinic's one address for its other accounts.  All networks
 *		that an account was not used from share a further budget.  A
 *		browser that the person has signed in with before has one to itself
 *		(device.c).
 */
#include "http/staffauth.h"

#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "http/device.h"
#include "http/handlers.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/otp.h"
#include "http/peer.h"
#include "http/signin.h"
#include "http/staffcall.h"

#define ATTEMPTS_A_MINUTE 10	/* wrong, at an account from a network */
#define ATTEMPTS_ELSEWHERE 60	/* wrong, at an account from strange ones */

static const Statement *credentials_statement;
static const Statement *sign_in_statement;
static const Statement *sign_out_statement;
static const Statement *own_statement;
static const Statement *password_statement;

/* A sign-in, or a change of password, under way. */
typedef struct Attempt
{
	const char *account;		/* the budget's, in small letters */
	const char *budget;			/* of account and network, or browser */
	const char *sent;			/* by what the browser may be known */
	const char *browser;		/* whose attempts are its own; NULL: none */
	bool		elsewhere;		/* took from the account's budget, too */
	const char *code;
	const char *new_password;
	const char *staff_id;		/* "": there is no such account */
	const char *hash;
	const char *totp_secret;	/* NULL: signs in without */
	char		token[SIGN_IN_TOKEN_SIZE];
	PasswordWork work;
	const char *params[7];
} Attempt;

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
static void new_done(PasswordWork *work, PasswordOutcome outcome);
static void password_done(Query *query, QueryOutcome outcome,
						  PGresult *result);
static void compare(Exchange *exchange, const char *password,
					const char *hash,
					void (*done) (PasswordWork *, PasswordOutcome));
static DeviceOwner owner_of(const Attempt *attempt);
static void remember_browser(Exchange *exchange, const Attempt *attempt);
static bool attempt_within(Exchange *exchange, Attempt *attempt);
static bool attempt_within_account(Exchange *exchange,
								   const Attempt *attempt);
static void attempt_right(const Attempt *attempt);
static void refuse_many(Exchange *exchange, int retry_s);
static void refuse_attempt(Exchange *exchange, const Attempt *attempt);
static void refuse_busy(Exchange *exchange);
static const char *network_of(Exchange *exchange);
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
		"token_sha256 => $5, address => $6, user_agent => $7)", 7);
	sign_out_statement = statement_register(
		"SELECT body FROM appt_api.sign_out(token_sha256 => $1)", 1);
	own_statement = statement_register(
		"SELECT body FROM appt_api.own_credentials(token_sha256 => $1)", 1);
	password_statement = statement_register(
		"SELECT body FROM appt_api.set_own_password(token_sha256 => $1, "
		"old_hash => $2, new_hash => $3, new_token_sha256 => $4)", 4);
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
			attempt->params[1] = network_of(exchange);
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
		refuse_busy(exchange);
	else if (outcome != PASSWORD_RIGHT || attempt->staff_id == NULL)
		refuse_attempt(exchange, attempt);
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
		refuse_attempt(exchange, attempt);
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
		refuse_busy(exchange);
		return;
	}
	attempt->params[0] = attempt->staff_id;
	attempt->params[1] = attempt->hash;
	attempt->params[4] = signin_hash(&exchange->arena, attempt->token);
	attempt->params[5] = network_of(exchange);
	attempt->params[6] = exchange->head.user_agent;
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
		refuse_attempt(exchange, attempt);
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

/* ---- one's own password -------------------------------------------------- */

/* POST /auth/session/password */
void
serve_own_password(Exchange *exchange)
{
	Attempt    *attempt = arena_alloc(&exchange->arena, sizeof(Attempt));

	exchange->work = attempt;
	*attempt = (Attempt) {0};
	if (staffcall_is_own(exchange) && staffcall_gather(exchange))
	{
		attempt->new_password = exchange->call.params[1];
		attempt->params[0] = signin_hash(&exchange->arena, exchange->sign_in);
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
		refuse_busy(exchange);
	else if (outcome == PASSWORD_WRONG)
		refuse_attempt(exchange, attempt);
	else
	{
		attempt_right(attempt);
		compare(exchange, attempt->new_password, NULL, new_done);
	}
	exchange_finish(exchange);
}

/* The new one is hashed. */
static void
new_done(PasswordWork *work, PasswordOutcome outcome)
{
	Exchange   *exchange = work->context;
	Attempt    *attempt = exchange->work;

	if (outcome == PASSWORD_BUSY || !signin_new_token(attempt->token))
		refuse_busy(exchange);
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

/* ---- attempts ------------------------------------------------------------ */

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

/* Whether one more attempt may be made from there; else answers. */
static bool
attempt_within(Exchange *exchange, Attempt *attempt)
{
	RateState	state;

	attempt->budget = attempt->browser != NULL
		? arena_printf(&exchange->arena, "%s by %s", attempt->account,
					   attempt->browser)
		: arena_printf(&exchange->arena, "%s %s", attempt->account,
					   network_of(exchange));
	state = limits_take(LIMIT_ATTEMPTS, attempt->budget, ATTEMPTS_A_MINUTE);
	if (!state.allowed)
		refuse_many(exchange, state.retry_s);
	return state.allowed;
}

/* The same by the account's budget, where the network is strange to it. */
static bool
attempt_within_account(Exchange *exchange, const Attempt *attempt)
{
	RateState	state;

	if (!attempt->elsewhere)
		return true;
	state = limits_take(LIMIT_ACCOUNTS, attempt->account, ATTEMPTS_ELSEWHERE);
	if (!state.allowed)
		refuse_many(exchange, state.retry_s);
	return state.allowed;
}

/* Gives a right attempt back to the budgets that it was counted in. */
static void
attempt_right(const Attempt *attempt)
{
	limits_give(LIMIT_ATTEMPTS, attempt->budget, ATTEMPTS_A_MINUTE);
	if (attempt->elsewhere)
		limits_give(LIMIT_ACCOUNTS, attempt->account, ATTEMPTS_ELSEWHERE);
}

/* 429 */
static void
refuse_many(Exchange *exchange, int retry_s)
{
	static const Problem many = {429, "rate_limited", "",
		"Too many attempts to sign in; wait a while."
	};

	metrics_auth_failure(FAILURE_THROTTLED);
	exchange_refuse(exchange, &many);
	answer_retry_after(&exchange->answer, retry_s);
}

/*
 * 401, and a line in the log, which does not say what was typed: it may be a
 * password in the wrong place.
 */
static void
refuse_attempt(Exchange *exchange, const Attempt *attempt)
{
	char		address[IP_TEXT_SIZE];

	ip_text(&exchange->head.from, address);
	LOG_WARNING("wrong password", log_text("id", exchange->head.id),
				log_text("staff_id", attempt->staff_id),
				log_text("address", address));
	staffcall_wrong(exchange);
}

/* 503 */
static void
refuse_busy(Exchange *exchange)
{
	static const Problem busy = {503, "unavailable", "",
		"Too many sign in at this moment; try again."
	};

	exchange_refuse(exchange, &busy);
	answer_retry_after(&exchange->answer, 1);
}

/* The sender's network, as text. */
static const char *
network_of(Exchange *exchange)
{
	IpAddress	network = peer_network(&exchange->head.from);
	char	   *text = arena_alloc(&exchange->arena, IP_TEXT_SIZE);

	ip_text(&network, text);
	return text;
}

/* A member that is text, copied; NULL without. */
static const char *
member_text(Exchange *exchange, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? arena_strdup(&exchange->arena, text) : NULL;
}
