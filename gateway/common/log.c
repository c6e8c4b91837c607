/*
 * log.c
 *		JSON lines on stderr.  A write is of whole lines and no longer than what
 *		a pipe takes at once, so those of several threads and processes do not
 *		mix.
 *
 *		Writing never waits for the reader: a journal that stalls would stop
 *		the event loops with it.  What stderr does not take is buffered, in
 *		order, and tried again with the next line or log_flush(); lines
 *		beyond PENDING_MAX are dropped, and their number is logged once
 *		there is room.
 */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

#define PENDING_MAX (1024 * 1024)
#define LAST_WAIT_MS 1000		/* for the reader, when the process ends */

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static const char *log_program = "bioecko";
static LogLevel log_lowest = LOG_LEVEL_INFO;

/* Guards what follows, and the order of lines. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int	log_fd = STDERR_FILENO;
static bool log_is_socket;
static Buf	pending;			/* what stderr did not take yet */
static long long lost;			/* lines, since the last one that was taken */

/* Lines of this thread that wait for log_flush(), if it gathers them. */
static _Thread_local bool log_gathers;
static _Thread_local Buf log_gathered;

static void log_stamp(Buf *line);
static void log_field(Buf *line, const LogField *field);
static void log_gather_line(const Buf *line, LogLevel level);
static void log_write(const Buf *lines);
static void pending_write(int wait_ms);
static size_t whole_lines(const char *from, size_t len);
static ssize_t write_some(const char *bytes, size_t len, int wait_ms);
static void lost_count(const Buf *lines);
static void lost_tell(void);
static void log_end(void);

/* Names the program and the lowest level that is written; before threads. */
void
log_init(const char *program, LogLevel lowest)
{
	struct stat is = {0};

	log_program = program;
	log_lowest = lowest;
	fstat(STDERR_FILENO, &is);
	log_is_socket = S_ISSOCK(is.st_mode);
	/*
	 * O_NONBLOCK belongs to the open file, which other processes share: we open
	 * one of our own.
	 */
	if (S_ISFIFO(is.st_mode) || S_ISCHR(is.st_mode))
		log_fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC |
					  O_NOCTTY);
	if (log_fd < 0)
		log_fd = STDERR_FILENO;
	atexit(log_end);
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
 * Turns the buffering of this thread's lines on or off.  A thread that buffers
 * calls log_flush() before it waits for anything.  Warnings and errors are
 * written at once.
 */
void
log_gather(bool gathers)
{
	log_gathers = gathers;
	log_flush();
	buf_free(&log_gathered);
}

/* Writes the thread's buffered lines, and what stderr did not take before. */
void
log_flush(void)
{
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

/* Hands the lines to stderr, behind those that it has not taken yet. */
static void
log_write(const Buf *lines)
{
	pthread_mutex_lock(&lock);
	pending_write(0);
	if (pending.len + lines->len <= PENDING_MAX)
	{
		buf_add(&pending, lines->data, lines->len);
		pending_write(0);
	}
	else
		lost_count(lines);
	pthread_mutex_unlock(&lock);
}

/* Writes what is pending, as far as it is taken.  The lock is held. */
static void
pending_write(int wait_ms)
{
	size_t		done = 0;

	while (done < pending.len)
	{
		const char *from = pending.data + done;
		ssize_t		taken = write_some(from, whole_lines(from,
														 pending.len - done),
									   wait_ms);

		if (taken < 0)
			break;
		done += (size_t) taken;
		if (done == pending.len && lost > 0)
			lost_tell();
	}
	if (done == 0)
		return;
	memmove(pending.data, pending.data + done, pending.len - done + 1);
	pending.len -= done;
}

/* How many bytes to write at once: lines as long as a pipe takes them whole. */
static size_t
whole_lines(const char *from, size_t len)
{
	const char *end;

	if (len <= PIPE_BUF)
		return len;
	end = memrchr(from, '\n', PIPE_BUF);
	return end != NULL ? (size_t) (end + 1 - from) : PIPE_BUF;
}

/* How many bytes stderr takes now, or within that time; -1: none. */
static ssize_t
write_some(const char *bytes, size_t len, int wait_ms)
{
	struct pollfd ready = {.fd = log_fd, .events = POLLOUT};
	ssize_t		taken;

	/* A pipe that can be written to has room for PIPE_BUF bytes. */
	if (poll(&ready, 1, wait_ms) <= 0)
		return -1;
	do
		taken = log_is_socket
			? send(log_fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL)
			: write(log_fd, bytes, len);
	while (taken < 0 && errno == EINTR);
	/* The reader is gone (EPIPE): the bytes count as written. */
	return taken < 0 && errno != EAGAIN ? (ssize_t) len : taken;
}

/* Notes how many lines are dropped. */
static void
lost_count(const Buf *lines)
{
	size_t		i;

	for (i = 0; i < lines->len; i++)
		lost += lines->data[i] == '\n';
}

/* Says behind what is pending how many lines were dropped.  Lock is held. */
static void
lost_tell(void)
{
	log_stamp(&pending);
	buf_printf(&pending, ",\"level\":\"warning\",\"program\":\"%s\","
			   "\"event\":\"log lines lost\",\"lines\":%lld}\n",
			   log_program, lost);
	lost = 0;
}

/* The process ends: the reader is given a moment for what is left. */
static void
log_end(void)
{
	log_flush();
	pthread_mutex_lock(&lock);
	pending_write(LAST_WAIT_MS);
	pthread_mutex_unlock(&lock);
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
