/*
 * auth.h
 *		Who may call: whose a bearer token is, whether a secret is a client's.
 *
 *		Judged by what the loop knows, which is a second old; what is older
 *		than half a minute counts for nothing.
 */
#ifndef APPT_AUTH_H
#define APPT_AUTH_H

#include <stdbool.h>

#include "common/buf.h"
#include "http/authstate.h"
#include "http/caller.h"

typedef struct Auth Auth;

/* Whose a bearer token is, or why it is nobody's. */
typedef enum AuthOutcome
{
	AUTH_GOOD,
	AUTH_MISSING,				/* no bearer token was sent */
	AUTH_INVALID,				/* no key of ours signed it, or not for us */
	AUTH_EXPIRED,
	AUTH_REVOKED,
	AUTH_ENDED,					/* its client is disabled, changed or gone */
	AUTH_UNKNOWN,				/* what is known is nothing, or too old */
} AuthOutcome;

/* Whether a secret is a client's. */
typedef enum SecretOutcome
{
	SECRET_RIGHT,
	SECRET_WRONG,
	SECRET_NO_CLIENT,
	SECRET_DISABLED,
	SECRET_UNKNOWN,				/* as AUTH_UNKNOWN */
} SecretOutcome;

extern void auth_init(void);
extern Auth *auth_open(Pool *pool);
extern void auth_tick(Auth *auth, int64_t now_ms);
extern void auth_close(Auth *auth);

extern AuthOutcome auth_check(Auth *auth, const char *authorization,
							  Caller *caller);
extern AuthOutcome auth_check_token(Auth *auth, const char *token,
									Caller *caller);
extern SecretOutcome auth_check_secret(const Auth *auth,
									   const char *client_id,
									   const char *secret);
extern void auth_wait(Auth *auth, AuthWait *wait);
extern int	auth_rate(Auth *auth, const char *client_id);
extern char *auth_issue(Auth *auth, const char *client_id, const char *scope,
						int epoch);
extern void auth_revoked(Auth *auth, const Caller *owner);
extern void auth_jwks(const Auth *auth, Buf *out);
extern const char *auth_not_ready(const Auth *auth);

#endif							/* APPT_AUTH_H */
