/*
 * board.h
 *		What the televisions of waiting rooms ask for.
 */
#ifndef APPT_BOARD_H
#define APPT_BOARD_H

struct Exchange;

extern void board_init(void);
extern void serve_board(struct Exchange *exchange);

#endif							/* APPT_BOARD_H */
