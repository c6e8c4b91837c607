/*
 * signals.c
 *		SIGTERM, SIGINT and SIGHUP through signalfd; SIGPIPE ignored.
 *
 *		To be called before any thread is started: the mask is inherited.
 */
#include "common/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/*
 * Blocks the three signals and answers a non-blocking descriptor that becomes
 * readable when one arrives; -1 with errno when that fails.
 */
int
signals_open(void)
{
	sigset_t	set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The next signal that arrived, or 0 when there is none left. */
int
signals_next(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t) sizeof(info))
		return 0;
	return (int) info.ssi_signo;
}
