/*
 * admin.h
 *		The clinic's own pages.
 */
#ifndef APPT_ADMIN_H
#define APPT_ADMIN_H

extern void admin_init(void);

#endif							/* APPT_ADMIN_H */
