/*
 * log.c
 *		JSON lines on stderr.  A write(2) is of whole lines and no longer than
 *		what a pipe takes at once, so those of several threads and processes do
 *		not mix.
 */
#include "common/log.h"

#include <limits.h>
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

/* Lines of this thread that wait for log_flush(), if it gathers them. */
static _Thread_local bool log_gathers;
static _Thread_local Buf log_gathered;

static void log_stamp(Buf *line);
static void log_field(Buf *line, const LogField *field);
static void log_gather_line(const Buf *line, LogLevel level);
static void log_write(const Buf *lines);

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

	if (log_gathers)
		log_gather_line(&line, level);
	else
		log_write(&line);
	buf_free(&line);
}

/*
 * Has this thread's lines wait for each other until it calls log_flush(), which
 * it does before it waits for anything; or ends that.  Warnings and errors are
 * written at once.
 */
void
log_gather(bool gathers)
{
	log_gathers = gathers;
	log_flush();
	buf_free(&log_gathered);
}

/* Writes the lines that wait. */
void
log_flush(void)
{
	if (log_gathered.len > 0)
		log_write(&log_gathered);
	buf_clear(&log_gathered);
}

static void
log_gather_line(const Buf *line, LogLevel level)
{
	if (log_gathered.len + line->len > PIPE_BUF)
		log_flush();
	buf_add(&log_gathered, line->data, line->len);
	if (level >= LOG_LEVEL_WARNING)
		log_flush();
}

static void
log_write(const Buf *lines)
{
	if (write(STDERR_FILENO, lines->data, lines->len) < 0)
	{
		/* Nowhere left to say so. */
	}
}

/* Opens the line's object with the time in UTC, to the millisecond. */
static void
log_stamp(Buf *line)
{
	static _Thread_local time_t second = -1;
	static _Thread_local char text[32];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second)
	{
		struct tm	utc;

		second = now.tv_sec;
		gmtime_r(&second, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	}
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
