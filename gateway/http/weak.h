/*
 * weak.h
 *		Passwords that are refused as everybody tries them first.
 */
#ifndef APPT_WEAK_H
#define APPT_WEAK_H

#include <stdbool.h>

extern bool password_is_weak(const char *password);

#endif							/* APPT_WEAK_H */
