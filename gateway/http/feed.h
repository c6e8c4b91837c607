/*
 * feed.h
 *		What has changed, and all who listen to that on a loop.
 */
#ifndef APPT_FEED_H
#define APPT_FEED_H

/* A board's name among those who listen: this and its board_id. */
#define FEED_BOARD "board:"

struct Exchange;
struct Feed;
struct Service;

extern void feed_init(void);
extern struct Feed *feed_open(struct Service *service);
extern void feed_tick(struct Feed *feed);
extern void feed_stop(struct Feed *feed);
extern void feed_close(struct Feed *feed);
extern void feed_tell_board(struct Exchange *exchange);

#endif							/* APPT_FEED_H */
