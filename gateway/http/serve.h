/*
 * serve.h
 *		Calls that the gateway answers itself.
 */
#ifndef APPT_SERVE_H
#define APPT_SERVE_H

struct Request;

extern void serve_init(void);
extern void oauth_init(void);
extern void serve_token(struct Request *request);
extern void serve_revoke(struct Request *request);
extern void serve_openapi(struct Request *request);
extern void serve_oauth_metadata(struct Request *request);
extern void serve_jwks(struct Request *request);
extern void serve_healthz(struct Request *request);
extern void serve_readyz(struct Request *request);
extern void serve_metrics(struct Request *request);

#endif							/* APPT_SERVE_H */
