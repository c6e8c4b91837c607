/*
 * mail_fuzz.c
 *		Fuzz target: texts in a mail and in its invitation.  Whatever a name, a
 *		subject or a body is, the mail has its own headers and parts and no
 *		other, and the calendar its own lines.
 */
#include <string.h>

#include "common/utf8.h"
#include "fuzz/fuzz.h"
#include "relay/calendar.h"
#include "relay/mime.h"

#define FIELDS 6
#define HEADERS 9
#define CALENDAR_LINE 75

static const char *next_field(Buf *field, const uint8_t **data, size_t *size);
static void check_mail(const char *mail, size_t len);
static void check_header(const char *line, size_t len, int number);
static void check_calendar(const char *calendar, size_t len);
static int	count_of(const char *text, const char *part);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Buf			field[FIELDS] = {{0}};
	const char *text[FIELDS];
	Buf			calendar = {0};
	Buf			mail = {0};
	int			i;

	for (i = 0; i < FIELDS; i++)
		text[i] = next_field(&field[i], &data, &size);
	calendar_write(&calendar, &(CalendarEntry) {
		.method = "REQUEST", .uid = text[0], .sequence = "3",
		.start = "20260315T043000Z", .end = "20260315T044500Z",
		.stamp = "20260314T063000Z", .summary = text[1], .location = text[2],
		.description = text[3], .organizer = "a@b.example",
		.organizer_name = text[4], .attendee = "c@d.example",
		.attendee_name = text[5],
	});
	check_calendar(calendar.data, calendar.len);
	mime_write(&mail, &(Mail) {
		.sender = "a@b.example", .recipient = "c@d.example",
		.sender_name = text[4], .recipient_name = text[5],
		.subject = text[1], .message_id = "<1@b.example>", .language = "en",
		.text = text[3], .method = "REQUEST", .calendar = calendar.data,
	});
	check_mail(mail.data, mail.len);
	buf_free(&calendar);
	buf_free(&mail);
	for (i = 0; i < FIELDS; i++)
		buf_free(&field[i]);
	return 0;
}

/* The input up to the next NUL, as UTF-8. */
static const char *
next_field(Buf *field, const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	size_t		len = end != NULL ? (size_t) (end - *data) : *size;

	utf8_clean(field, (const char *) *data, len);
	*size -= end != NULL ? len + 1 : len;
	*data += end != NULL ? len + 1 : len;
	return buf_get(field);
}

/* Nine headers, all ASCII, lines with CRLF, and the parts that there are. */
static void
check_mail(const char *mail, size_t len)
{
	int			headers = 0;
	const char *line = mail;

	HOLDS(strlen(mail) == len);
	while (strncmp(line, "\r\n", 2) != 0)
	{
		const char *end = strstr(line, "\r\n");

		HOLDS(end != NULL && end - line <= 998);
		if (*line != ' ')
			headers++;
		check_header(line, (size_t) (end - line), headers);
		line = end + 2;
	}
	HOLDS(headers == HEADERS);
	for (; *line != '\0'; line++)
	{
		HOLDS((unsigned char) *line < 0x80);
		HOLDS(*line != '\r' || line[1] == '\n');
		HOLDS(*line != '\n' || line[-1] == '\r');
	}
	HOLDS(count_of(mail, "\r\n--=_") == 7);
	HOLDS(count_of(mail, "--=_mixed_of_bioecko_appt\r\nContent-Type:") == 2);
	HOLDS(count_of(mail, "--=_alternative_of_bioecko_appt\r\n"
				   "Content-Type:") == 3);
}

/* A header that is there, or the next line of one. */
static void
check_header(const char *line, size_t len, int number)
{
	static const char *const names[HEADERS + 1] = {
		"", "From:", "To:", "Subject:", "Date:", "Message-ID:",
		"Auto-Submitted:", "Content-Language:", "MIME-Version:",
		"Content-Type:"
	};
	size_t		i;

	HOLDS(number >= 1 && number <= HEADERS);
	HOLDS(line[0] == ' ' ||
		  strncmp(line, names[number], strlen(names[number])) == 0);
	for (i = 0; i < len; i++)
		HOLDS(line[i] >= ' ' && line[i] <= '~');
}

/* Short lines, and each property once. */
static void
check_calendar(const char *calendar, size_t len)
{
	const char *line = calendar;

	HOLDS(strlen(calendar) == len);
	while (*line != '\0')
	{
		const char *end = strstr(line, "\r\n");
		const char *p;

		HOLDS(end != NULL && end - line <= CALENDAR_LINE);
		for (p = line; p < end; p++)
			HOLDS((unsigned char) *p >= ' ' && *p != 0x7f);
		/* A line begins with a character, not within one. */
		HOLDS(((unsigned char) line[line[0] == ' '] & 0xc0) != 0x80);
		line = end + 2;
	}
	HOLDS(strncmp(calendar, "BEGIN:VCALENDAR\r\n", 17) == 0);
	HOLDS(count_of(calendar, "\r\nBEGIN:") == 1);
	HOLDS(count_of(calendar, "\r\nEND:") == 2);
	HOLDS(count_of(calendar, "\r\nATTENDEE;") == 1);
	HOLDS(count_of(calendar, "\r\nMETHOD:") == 1);
	HOLDS(count_of(calendar, "\r\nDTSTART:") == 1);
}

/* How often it is there. */
static int
count_of(const char *text, const char *part)
{
	int			count = 0;

	while ((text = strstr(text, part)) != NULL)
	{
		count++;
		text += strlen(part);
	}
	return count;
}
