/*
 * suspend.c
 *		A machine that was suspended, in a preloaded library: CLOCK_BOOTTIME is
 *		ahead of CLOCK_MONOTONIC by as many seconds as the file $SUSPENDED_S
 *		holds at that moment.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int (*GetTime) (clockid_t, struct timespec *);

/* The real one, but for the time asleep. */
int
clock_gettime(clockid_t clock, struct timespec *now)
{
	static GetTime real;
	char		text[16] = "";
	int			failed;
	int			fd;

	if (real == NULL)
		real = (GetTime) dlsym(RTLD_NEXT, "clock_gettime");
	failed = real(clock, now);
	if (failed != 0 || clock != CLOCK_BOOTTIME)
		return failed;
	fd = open(getenv("SUSPENDED_S"), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		now->tv_sec += strtol(text, NULL, 10);
	close(fd);
	return 0;
}
