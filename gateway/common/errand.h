/*
 * errand.h
 *		Something that blocks, done in a thread for an event loop.
 */
#ifndef APPT_ERRAND_H
#define APPT_ERRAND_H

#include <stdbool.h>

/*
 * What is to be done; "run" in the thread, "drop" when neither thread nor loop
 * needs the context any more.
 */
typedef struct ErrandTask
{
	void		(*run) (void *context);
	void		(*drop) (void *context);
	void	   *context;
} ErrandTask;

typedef struct Errand Errand;

extern Errand *errand_start(const ErrandTask *task);
extern int	errand_fd(const Errand *errand);
extern void errand_let_go(Errand *errand);
extern bool errands_running(void);

#endif							/* APPT_ERRAND_H */
