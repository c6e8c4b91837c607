/*
 * oauth.h
 *		Access tokens for client credentials, their end, and where they are to
 *		be had.
 */
#ifndef APPT_OAUTH_H
#define APPT_OAUTH_H

struct Exchange;

extern void oauth_init(void);
extern void serve_token(struct Exchange *exchange);
extern void serve_revoke(struct Exchange *exchange);

/* discovery.c */
extern void serve_oauth_metadata(struct Exchange *exchange);

#endif							/* APPT_OAUTH_H */
