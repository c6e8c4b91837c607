/*
 * attempt.h
 *		A sign-in, or a change of one's own account, under way.
 */
#ifndef APPT_ATTEMPT_H
#define APPT_ATTEMPT_H

#include "http/exchange.h"
#include "http/signin.h"

typedef struct Attempt
{
	const char *account;		/* the budget's, in small letters */
	const char *budget;			/* of account and network, or browser */
	const char *sent;			/* by what the browser may be known */
	const char *browser;		/* whose attempts are its own; NULL: none */
	bool		elsewhere;		/* took from the account's budget, too */
	const char *code;
	const char *staff_id;		/* "": there is no such account */
	const char *hash;
	const char *totp_secret;	/* NULL: signs in without */
	char		token[SIGN_IN_TOKEN_SIZE];
	PasswordWork work;
	void		(*then) (Exchange *exchange, struct Attempt *attempt);
								/* once one's own password was right */
	const char *params[8];
} Attempt;

extern bool attempt_within(Exchange *exchange, Attempt *attempt);
extern bool attempt_within_account(Exchange *exchange,
								   const Attempt *attempt);
extern void attempt_right(const Attempt *attempt);
extern void attempt_wrong(Exchange *exchange, const Attempt *attempt);
extern void attempt_busy(Exchange *exchange);
extern const char *attempt_network(Exchange *exchange);

#endif							/* APPT_ATTEMPT_H */
