/*
 * serve.h
 *		Calls that the gateway answers itself.
 */
#ifndef APPT_SERVE_H
#define APPT_SERVE_H

#include <stdbool.h>

extern bool serve_monitor(void) __attribute__((warn_unused_result));

#endif							/* APPT_SERVE_H */
