/*
 * oauth.h
 *		Access tokens for client credentials, their end, and where they are to
 *		be had.
 */
#ifndef APPT_OAUTH_H
#define APPT_OAUTH_H

extern void oauth_init(void);

#endif							/* APPT_OAUTH_H */
