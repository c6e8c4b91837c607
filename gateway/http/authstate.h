/*
 * authstate.h
 *		What a loop knows of keys, API clients and revoked tokens, and how it
 *		stays informed: it asks the database every second.
 */
#ifndef APPT_AUTHSTATE_H
#define APPT_AUTHSTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/clients.h"
#include "http/keymaker.h"
#include "http/keys.h"
#include "http/pool.h"
#include "http/revoked.h"

/* Who waits for the next reading; lives until "done" is called. */
typedef struct AuthWait
{
	void		(*done) (struct AuthWait *wait);
	void	   *context;
	int64_t		since_ms;
	struct AuthWait *next;
} AuthWait;

typedef struct AuthState
{
	Pool	   *pool;
	KeySet		keys;			/* none: nobody's token is good */
	unsigned	keys_version;	/* rises when they are others */
	ClientStates clients;
	RevokedSet	revoked;
	char		extension[32];	/* its version in the database */
	bool		standby;		/* the server only follows another */
	bool		known;			/* all of it was read, once at least */
	int64_t		fresh_ms;		/* since when it was that of the database */

	/* The reading that is under way. */
	bool		busy;
	bool		refused;		/* the last question was: not at once again */
	bool		wanted;			/* somebody waits for the next */
	int64_t		asked_ms;
	int64_t		asked_unix;
	Query		query;
	const char *params[3];
	bool		keys_differ;
	char		clients_read[64];	/* the database's word for what was read */
	char		clients_now[64];
	char		clients_after[CLIENT_ID_SIZE];
	int64_t		revoked_read;	/* the number up to which all were read */
	int64_t		revoked_now;
	char		revoked_after[24];
	AuthWait   *waiting;		/* the one that waits for longest first */

	/* The first signing key, where there is none. */
	KeyMaker   *maker;
	Query		add_query;
	bool		add_busy;
	const char *add_params[3];
} AuthState;

extern void authstate_init(void);
extern void authstate_tick(AuthState *state, int64_t now_ms);
extern void authstate_wait(AuthState *state, AuthWait *wait);
extern bool authstate_is_stale(const AuthState *state);
extern const char *authstate_not_ready(const AuthState *state);
extern void authstate_free(AuthState *state);

#endif							/* APPT_AUTHSTATE_H */
