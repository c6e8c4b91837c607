/*
 * calendar.c
 *		A visit as an invitation to a calendar, or its cancellation: one
 *		VEVENT of iCalendar (RFC 5545) with a method (RFC 5546).
 *
 *		A text stands in its property and cannot leave it: what would end it
 *		is escaped, line ends become \n, other control characters blanks.
 *		Lines end with CRLF and are folded at 75 octets between characters.
 */
#include "relay/calendar.h"

#include <string.h>

#define LINE_MAX_OCTETS 75

static void property(Buf *out, const char *name, const char *value);
static void text_property(Buf *out, const char *name, const char *text);
static void person(Buf *out, const char *name, const char *person_name,
				   const char *address);
static void fold(Buf *out, const char *line, size_t len);

/* Adds the whole calendar object. */
void
calendar_write(Buf *out, const CalendarEntry *entry)
{
	bool		cancelled = strcmp(entry->method, "CANCEL") == 0;

	property(out, "BEGIN", "VCALENDAR");
	property(out, "VERSION", "2.0");
	property(out, "PRODID", "-//Bio Ecko//bioecko_appt//EN");
	property(out, "CALSCALE", "GREGORIAN");
	property(out, "METHOD", entry->method);
	property(out, "BEGIN", "VEVENT");
	text_property(out, "UID", entry->uid);
	property(out, "SEQUENCE", entry->sequence);
	property(out, "DTSTAMP", entry->stamp);
	property(out, "DTSTART", entry->start);
	property(out, "DTEND", entry->end);
	property(out, "STATUS", cancelled ? "CANCELLED" : "CONFIRMED");
	property(out, "TRANSP", "OPAQUE");
	text_property(out, "SUMMARY", entry->summary);
	text_property(out, "LOCATION", entry->location);
	text_property(out, "DESCRIPTION", entry->description);
	person(out, "ORGANIZER", entry->organizer_name, entry->organizer);
	person(out, "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE",
		   entry->attendee_name, entry->attendee);
	property(out, "END", "VEVENT");
	property(out, "END", "VCALENDAR");
}

/* A property whose value is ours. */
static void
property(Buf *out, const char *name, const char *value)
{
	Buf			line = {0};

	buf_printf(&line, "%s:%s", name, value);
	fold(out, line.data, line.len);
	buf_free(&line);
}

/* A property whose value is a text (RFC 5545, 3.3.11); none if it is empty. */
static void
text_property(Buf *out, const char *name, const char *text)
{
	Buf			line = {0};

	if (text == NULL || text[0] == '\0')
		return;
	buf_printf(&line, "%s:", name);
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c == '\n')
			buf_text(&line, "\\n");
		else if (c == '\\' || c == ';' || c == ',')
			buf_printf(&line, "\\%c", c);
		else
			buf_char(&line, c < ' ' || c == 0x7f ? ' ' : *text);
	}
	fold(out, line.data, line.len);
	buf_free(&line);
}

/*
 * Who invites, who is invited.  A name is a parameter in quotes, which has no
 * way to hold a quote or a line end.
 */
static void
person(Buf *out, const char *name, const char *person_name,
	   const char *address)
{
	Buf			line = {0};

	buf_text(&line, name);
	if (person_name != NULL && person_name[0] != '\0')
	{
		buf_text(&line, ";CN=\"");
		for (; *person_name != '\0'; person_name++)
		{
			unsigned char c = (unsigned char) *person_name;

			buf_char(&line, c == '"' ? '\''
					 : c < ' ' || c == 0x7f ? ' ' : *person_name);
		}
		buf_char(&line, '"');
	}
	buf_printf(&line, ":mailto:%s", address);
	fold(out, line.data, line.len);
	buf_free(&line);
}

/* Adds the line in pieces of at most 75 octets, never within a character. */
static void
fold(Buf *out, const char *line, size_t len)
{
	size_t		room = LINE_MAX_OCTETS;

	while (len > room)
	{
		size_t		cut = room;

		while (cut > 1 && ((unsigned char) line[cut] & 0xc0) == 0x80)
			cut--;
		buf_add(out, line, cut);
		buf_text(out, "\r\n ");
		line += cut;
		len -= cut;
		room = LINE_MAX_OCTETS - 1;
	}
	buf_add(out, line, len);
	buf_text(out, "\r\n");
}
