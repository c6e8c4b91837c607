/*
 * admin.h
 *		The clinic's own pages.
 */
#ifndef APPT_ADMIN_H
#define APPT_ADMIN_H

struct Exchange;

extern void admin_init(void);
extern void serve_admin(struct Exchange *exchange);
extern void serve_admin_script(struct Exchange *exchange);
extern void serve_admin_page(struct Exchange *exchange);
extern void serve_admin_style(struct Exchange *exchange);
extern void serve_board_page(struct Exchange *exchange);
extern void serve_board_script(struct Exchange *exchange);
extern void serve_board_style(struct Exchange *exchange);

#endif							/* APPT_ADMIN_H */
