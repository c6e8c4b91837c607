/*
 * docs.h
 *		The REST reference for people.
 */
#ifndef APPT_DOCS_H
#define APPT_DOCS_H

struct Request;

extern void docs_init(void);
extern void serve_docs(struct Request *request);
extern void serve_docs_script(struct Request *request);
extern void serve_docs_style(struct Request *request);

#endif							/* APPT_DOCS_H */
