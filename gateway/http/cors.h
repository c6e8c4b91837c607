/*
 * cors.h
 *		Which pages of other origins may call (the CORS protocol of Fetch).
 */
#ifndef APPT_CORS_H
#define APPT_CORS_H

#include "http/answer.h"
#include "http/head.h"

extern void cors_headers(Answer *answer, const Head *head);

#endif							/* APPT_CORS_H */
