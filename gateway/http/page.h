/*
 * page.h
 *		The pages behind links in messages to patients.
 */
#ifndef APPT_PAGE_H
#define APPT_PAGE_H

struct Exchange;

extern void page_init(void);
extern void serve_page(struct Exchange *exchange);
extern void serve_page_act(struct Exchange *exchange);
extern void serve_page_style(struct Exchange *exchange);

#endif							/* APPT_PAGE_H */
