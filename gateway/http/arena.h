/*
 * arena.h
 *		Memory that lives as long as one request and is given back at once.
 */
#ifndef APPT_ARENA_H
#define APPT_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct Arena
{
	struct ArenaBlock *blocks;	/* newest first */
} Arena;

extern void *arena_alloc(Arena *arena, size_t size);
extern char *arena_copy(Arena *arena, const char *bytes, size_t len);
extern char *arena_strdup(Arena *arena, const char *text);
extern char *arena_printf(Arena *arena, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern char *arena_vprintf(Arena *arena, const char *format, va_list args)
			__attribute__((format(printf, 2, 0)));
extern void arena_free(Arena *arena);

#endif							/* APPT_ARENA_H */
