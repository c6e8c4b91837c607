/*
 * arena.c
 *		Memory that lives as long as one request.
 */
#include "http/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/* 0 under the sanitizers: each piece a block, so that they see its end. */
#ifndef ARENA_BLOCK_SIZE
#define ARENA_BLOCK_SIZE 4096
#endif

typedef struct ArenaBlock
{
	struct ArenaBlock *next;
	size_t		used;
	size_t		size;
	max_align_t bytes[];
} ArenaBlock;

/* Memory, aligned for anything and zeroed, that lives as long as the arena. */
void *
arena_alloc(Arena *arena, size_t size)
{
	ArenaBlock *block = arena->blocks;
	size_t		start = 0;

	if (block != NULL)
		start = (block->used + alignof(max_align_t) - 1) &
			~(alignof(max_align_t) - 1);
	if (block == NULL || start > block->size || block->size - start < size)
	{
		size_t		room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;

		block = must_alloc(sizeof(ArenaBlock) + room);
		*block = (ArenaBlock) {.next = arena->blocks, .size = room};
		arena->blocks = block;
		start = 0;
	}
	block->used = start + size;
	return memset((char *) block->bytes + start, 0, size);
}

/* A NUL-terminated copy of len bytes. */
char *
arena_copy(Arena *arena, const char *bytes, size_t len)
{
	char	   *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* A copy of a C string. */
char *
arena_strdup(Arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text));
}

/* Formatted text. */
char *
arena_printf(Arena *arena, const char *format,...)
{
	va_list		args;
	char	   *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

/* Formatted text of arguments that are in a list already. */
char *
arena_vprintf(Arena *arena, const char *format, va_list args)
{
	va_list		again;
	int			len;
	char	   *text;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		abort();
	text = arena_alloc(arena, (size_t) len + 1);
	vsnprintf(text, (size_t) len + 1, format, args);
	return text;
}

/* Gives everything back; the arena is empty and usable again. */
void
arena_free(Arena *arena)
{
	while (arena->blocks != NULL)
	{
		ArenaBlock *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
