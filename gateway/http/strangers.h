/*
 * strangers.h
 *		Requests without a good access token or secret: each address has a
 *		budget of them, and waits for its answers when that is spent.
 */
#ifndef APPT_STRANGERS_H
#define APPT_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

struct Worker;
struct Request;

/* How long an answer is held back. */
typedef enum HoldKind
{
	HOLD_NONE,
	HOLD_REFUSAL,
	HOLD_ANSWER,				/* of /healthz: somebody may judge us by it */
	HOLD_KINDS,
} HoldKind;

/* Requests whose answers are held back, the first due first. */
typedef struct HeldAnswers
{
	struct Request *first;
	struct Request *last;
} HeldAnswers;

extern bool strangers_take(struct Request *request, int *retry_s)
			__attribute__((warn_unused_result));
extern void strangers_hold(struct Request *request);
extern void strangers_turn(struct Worker *worker);
extern int64_t strangers_due_ms(const struct Worker *worker);

#endif							/* APPT_STRANGERS_H */
