/*
 * newadmin.h
 *		bioecko-gateway --new-admin=ACCOUNT
 */
#ifndef APPT_NEWADMIN_H
#define APPT_NEWADMIN_H

#include <stdbool.h>

extern bool newadmin_add(void) __attribute__((warn_unused_result));

#endif							/* APPT_NEWADMIN_H */
