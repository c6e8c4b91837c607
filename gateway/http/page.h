/*
 * page.h
 *		The pages behind links in messages to patients.
 */
#ifndef APPT_PAGE_H
#define APPT_PAGE_H

extern void page_init(void);

#endif							/* APPT_PAGE_H */
