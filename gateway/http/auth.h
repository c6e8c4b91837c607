/*
 * auth.h
 *		Who may call: what a loop knows of keys, clients and revoked tokens.
 *
 *		The database is asked every second, so that a disabled client, a
 *		rotated secret or a revoked token ends within some.
 */
#ifndef APPT_AUTH_H
#define APPT_AUTH_H

#include <stdbool.h>

#include "common/buf.h"
#include "http/loop.h"
#include "http/request.h"

typedef struct Auth Auth;

typedef enum AuthOutcome
{
	AUTH_GOOD,
	AUTH_MISSING,				/* no bearer token was sent */
	AUTH_BAD,					/* it is not good, or not any more */
	AUTH_UNKNOWN,				/* the keys are not known yet */
} AuthOutcome;

extern void auth_init(void);
extern Auth *auth_open(Loop *loop);
extern void auth_tick(Auth *auth, int64_t now_ms);
extern void auth_close(Auth *auth);

extern AuthOutcome auth_check(Auth *auth, const char *authorization,
							  Caller *caller);
extern AuthOutcome auth_check_token(Auth *auth, const char *token,
									Caller *caller);
extern int	auth_rate(Auth *auth, const char *client_id);
extern char *auth_issue(Auth *auth, const char *client_id, const char *scope,
						int epoch);
extern void auth_revoked(Auth *auth, const char *jti);
extern void auth_jwks(const Auth *auth, Buf *out);
extern const char *auth_not_ready(const Auth *auth);
extern void auth_wake_relay(Auth *auth);

#endif							/* APPT_AUTH_H */
