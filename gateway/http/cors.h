/*
 * cors.h
 *		Which pages of other origins may call (the CORS protocol of Fetch).
 */
#ifndef APPT_CORS_H
#define APPT_CORS_H

#include "http/request.h"

extern void cors_headers(Request *request);

#endif							/* APPT_CORS_H */
