/*
 * log.h
 *		JSON lines on stderr, one an event.
 *
 *		LOG_INFO("listening", log_text("address", addr), log_int("port", 80));
 *
 * Never give it a person's name, phone, note, a token, a secret or the value
 * of a query parameter: ids, codes, counts and times only.
 */
#ifndef APPT_LOG_H
#define APPT_LOG_H

#include <stdbool.h>
#include <stddef.h>

typedef enum LogLevel
{
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
} LogLevel;

typedef struct LogField
{
	const char *name;			/* NULL: skipped */
	const char *text;			/* NULL: number counts */
	long long	number;
} LogField;

static inline LogField
log_text(const char *name, const char *text)
{
	return (LogField) {.name = name, .text = text != NULL ? text : ""};
}

static inline LogField
log_int(const char *name, long long number)
{
	return (LogField) {.name = name, .number = number};
}

#define LOG_AT(level, event, ...) \
	log_line((level), (event), \
			 (const LogField[]) {{0}, ##__VA_ARGS__}, \
			 sizeof((const LogField[]) {{0}, ##__VA_ARGS__}) \
			 / sizeof(LogField))
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, ##__VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, ##__VA_ARGS__)
#define LOG_WARNING(event, ...) LOG_AT(LOG_LEVEL_WARNING, event, ##__VA_ARGS__)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, ##__VA_ARGS__)

extern void log_init(const char *program, LogLevel lowest);
extern int	log_level_from_name(const char *name);
extern void log_line(LogLevel level, const char *event,
					 const LogField *fields, size_t count);
extern void log_gather(bool gathers);
extern void log_flush(void);

#endif							/* APPT_LOG_H */
