/*
 * calendar.h
 *		A visit as an invitation to a calendar, or its cancellation.
 */
#ifndef APPT_RELAY_CALENDAR_H
#define APPT_RELAY_CALENDAR_H

#include "common/buf.h"

/* Times are as iCalendar writes them: 20260315T043000Z.  Texts are anything. */
typedef struct CalendarEntry
{
	const char *method;			/* REQUEST or CANCEL */
	const char *uid;
	const char *sequence;
	const char *start;
	const char *end;
	const char *stamp;
	const char *summary;
	const char *location;
	const char *description;
	const char *organizer;		/* addresses, of mime_is_address's form */
	const char *organizer_name;
	const char *attendee;
	const char *attendee_name;
} CalendarEntry;

extern void calendar_write(Buf *out, const CalendarEntry *entry);

#endif							/* APPT_RELAY_CALENDAR_H */
