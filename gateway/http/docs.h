/*
 * docs.h
 *		The REST reference for people.
 */
#ifndef APPT_DOCS_H
#define APPT_DOCS_H

struct Exchange;

extern void docs_init(void);
extern void serve_docs(struct Exchange *exchange);
extern void serve_docs_script(struct Exchange *exchange);
extern void serve_docs_style(struct Exchange *exchange);
extern void serve_docs_client(struct Exchange *exchange);

#endif							/* APPT_DOCS_H */
