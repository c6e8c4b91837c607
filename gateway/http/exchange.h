/*
 * exchange.h
 *		One request under way, from its first header to its answer.
 *
 *		An exchange belongs to the thread of its worker.  While the database
 *		works for it, its connection is suspended and "state" is
 *		EXCHANGE_WAITING.
 */
#ifndef APPT_EXCHANGE_H
#define APPT_EXCHANGE_H

#include "http/answer.h"
#include "http/auth.h"
#include "http/call.h"
#include "http/caller.h"
#include "http/connection.h"
#include "http/head.h"
#include "http/passwords.h"
#include "http/pool.h"
#include "http/wake.h"

#define STATUS_ABANDONED 499	/* as nginx has it in its log */

typedef enum ExchangeState
{
	EXCHANGE_NEW,				/* headers not looked at yet */
	EXCHANGE_RUNNING,			/* the body comes in, or it is answered */
	EXCHANGE_WAITING,			/* for the database, connection suspended */
} ExchangeState;

/* How long an answer is held back. */
typedef enum HoldKind
{
	HOLD_NONE,
	HOLD_REFUSAL,
	HOLD_ANSWER,				/* of /healthz: somebody may judge us by it */
	HOLD_KINDS,
} HoldKind;

/* Exchanges whose answers are held back, the first due first. */
typedef struct HeldAnswers
{
	struct Exchange *first;
	struct Exchange *last;
} HeldAnswers;

typedef struct Feed Feed;

/* What a worker's exchanges share. */
typedef struct Service
{
	Pool	   *pool;
	Auth	   *auth;
	Passwords	passwords;
	Wake		wake;
	HeldAnswers held[HOLD_KINDS];
	Feed	   *feed;			/* what has changed: who listens */
	bool		wrote;			/* since the feed has last asked what is new */
	int			running;		/* exchanges begun and not completed */
	bool		stopping;
} Service;

typedef struct Exchange
{
	Service    *service;
	Connection *connection;		/* that it came on */
	ExchangeState state;
	bool		suspended;		/* its connection is */
	Arena		arena;
	int64_t		started_us;
	int64_t		answered_us;	/* when libmicrohttpd got the answer */
	Head		head;
	Body		body;
	Call		call;
	Caller		caller;
	const char *sign_in;		/* token of its cookie, where that counts */
	PasswordWork password;		/* of a call that sets one */
	Query		query;
	void	   *work;			/* of a handler that asks the database itself */
	Answer		answer;
	bool		queued;			/* libmicrohttpd has the answer */
	bool		abandoned;		/* whoever asked has gone */
	HoldKind	hold;			/* its answer is to be held back */
	int64_t		held_until_ms;	/* and is, until then */
	struct Exchange *next;		/* in the list of spare or held ones */
} Exchange;

extern void exchange_begin(Exchange *exchange, Service *service,
						   Connection *connection, const char *target);
extern bool exchange_is_coming(const Exchange *exchange);
extern bool exchange_is_answered(const Exchange *exchange);
extern bool exchange_may_be_abandoned(const Exchange *exchange);
extern void exchange_abandon(Exchange *exchange);
extern void exchange_complete(Exchange *exchange);
extern void exchange_reset(Exchange *exchange);

/* For handlers. */
extern void exchange_refuse(Exchange *exchange, const Problem *problem);
extern void exchange_submit(Exchange *exchange);
extern void exchange_answer(Exchange *exchange, QueryOutcome outcome,
							PGresult *result);
extern void exchange_suspend(Exchange *exchange);
extern void exchange_resume(Exchange *exchange);
extern void exchange_finish(Exchange *exchange);
extern void exchange_stranger(Exchange *exchange);
extern void exchange_refuse_caller(Exchange *exchange, const Problem *problem);
extern void exchange_refuse_sign_in(Exchange *exchange);

#endif							/* APPT_EXCHANGE_H */
