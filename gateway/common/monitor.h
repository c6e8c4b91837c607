/*
 * monitor.h
 *		A small listener that shows how a program is, on an address of its own.
 */
#ifndef APPT_MONITOR_H
#define APPT_MONITOR_H

#include <stdbool.h>

#include "common/buf.h"

/*
 * Fills in the page of a path, in the listener's thread; answers the HTTP
 * status.
 */
typedef int (*MonitorPage) (const char *path, Buf *text);

extern bool monitor_listen(const char *where, MonitorPage page)
			__attribute__((warn_unused_result));

#endif							/* APPT_MONITOR_H */
