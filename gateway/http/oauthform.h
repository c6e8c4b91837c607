/*
 * oauthform.h
 *		What a request for a token, or to revoke one, carries.
 */
#ifndef APPT_OAUTHFORM_H
#define APPT_OAUTHFORM_H

#include "http/auth.h"
#include "http/exchange.h"

typedef struct OauthForm
{
	const char *grant_type;
	const char *client_id;
	const char *client_secret;
	const char *scope;			/* NULL: all that the client has */
	const char *token;
	bool		basic;			/* the client came by HTTP Basic */
	void		(*proceed) (Exchange *exchange, struct OauthForm *form);
	bool		waited;			/* for news of the client */
	AuthWait	wait;
	Caller		owner;			/* of the token */
	const char *params[3];
} OauthForm;

extern OauthForm *oauth_form(Exchange *exchange);
extern void oauth_error(Exchange *exchange, int status, const char *error,
						const char *description);

#endif							/* APPT_OAUTHFORM_H */
