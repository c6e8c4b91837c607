/*
 * newkey.h
 *		bioecko-gateway --new-signing-key
 */
#ifndef APPT_NEWKEY_H
#define APPT_NEWKEY_H

#include <stdbool.h>

extern bool newkey_add(void) __attribute__((warn_unused_result));

#endif							/* APPT_NEWKEY_H */
