/*
 * docs.h
 *		The REST reference for people.
 */
#ifndef APPT_DOCS_H
#define APPT_DOCS_H

extern void docs_init(void);

#endif							/* APPT_DOCS_H */
