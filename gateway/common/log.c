/*
 * log.c
 *		JSON lines on stderr.  A line is one write(2), so lines of several
 *		threads and processes do not mix.
 */
#include "common/log.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static const char *log_program = "bioecko";
static LogLevel log_lowest = LOG_LEVEL_INFO;

static void log_stamp(Buf *line);
static void log_field(Buf *line, const LogField *field);

/* Names the program and the lowest level that is written; before threads. */
void
log_init(const char *program, LogLevel lowest)
{
	log_program = program;
	log_lowest = lowest;
}

/* The level of that name, or -1. */
int
log_level_from_name(const char *name)
{
	size_t		i;

	for (i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
	{
		if (strcmp(name, level_names[i]) == 0)
			return (int) i;
	}
	return -1;
}

/* Writes one line; use the LOG_ macros. */
void
log_line(LogLevel level, const char *event,
		 const LogField *fields, size_t count)
{
	Buf			line = {0};
	size_t		i;

	if (level < log_lowest)
		return;

	log_stamp(&line);
	buf_printf(&line, ",\"level\":\"%s\",\"program\":\"%s\",\"event\":",
			   level_names[level], log_program);
	buf_json_string(&line, event);
	for (i = 0; i < count; i++)
		log_field(&line, &fields[i]);
	buf_text(&line, "}\n");

	if (write(STDERR_FILENO, line.data, line.len) < 0)
	{
		/* Nowhere left to say so. */
	}
	buf_free(&line);
}

/* Opens the line's object with the time in UTC, to the millisecond. */
static void
log_stamp(Buf *line)
{
	struct timespec now;
	struct tm	utc;
	char		text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buf_printf(line, "{\"time\":\"%s.%03dZ\"", text,
			   (int) (now.tv_nsec / 1000000));
}

/* Adds one member. */
static void
log_field(Buf *line, const LogField *field)
{
	if (field->name == NULL)
		return;
	buf_char(line, ',');
	buf_json_string(line, field->name);
	buf_char(line, ':');
	if (field->text != NULL)
		buf_json_string(line, field->text);
	else
		buf_printf(line, "%lld", field->number);
}
