/*
 * cookie.h
 *		Cookies of a request (RFC 6265).
 */
#ifndef APPT_COOKIE_H
#define APPT_COOKIE_H

#include "http/head.h"

extern const char *cookie_value(const Head *head, const char *name);

#endif							/* APPT_COOKIE_H */
