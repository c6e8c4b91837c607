/*
 * serve.h
 *		Calls that the gateway answers itself.
 */
#ifndef APPT_SERVE_H
#define APPT_SERVE_H

#include <stdbool.h>

struct Exchange;

extern void serve_init(void);
extern bool serve_monitor(void) __attribute__((warn_unused_result));
extern void serve_openapi(struct Exchange *exchange);
extern void serve_jwks(struct Exchange *exchange);
extern void serve_healthz(struct Exchange *exchange);
extern void serve_readyz(struct Exchange *exchange);
extern void serve_metrics(struct Exchange *exchange);

#endif							/* APPT_SERVE_H */
