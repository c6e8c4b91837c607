/*
 * board.h
 *		What the televisions of waiting rooms ask for.
 */
#ifndef APPT_BOARD_H
#define APPT_BOARD_H

extern void board_init(void);

#endif							/* APPT_BOARD_H */
