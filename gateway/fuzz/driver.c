/*
 * driver.c
 *		Runs a fuzz target without libFuzzer: seeds, mutated for some seconds.
 *
 *		usage: <target> SECONDS [SEED]
 *
 *		The last input is kept in a global, so that a crash's core or report
 *		shows it; a failed run prints the seed that repeats it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

#define INPUT_MAX 512

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const char *const fuzz_seeds[];

uint8_t		fuzz_input[INPUT_MAX];
static uint64_t state;

static uint32_t next_random(void);
static size_t mutate(uint8_t *input, size_t size);
static void run(const uint8_t *input, size_t size);

int
main(int argc, char **argv)
{
	int			seconds = argc > 1 ? (int) strtol(argv[1], NULL, 10) : 5;
	uint64_t	seed = argc > 2 ? strtoull(argv[2], NULL, 10)
		: (uint64_t) time(NULL);
	int64_t		until_ms;
	size_t		seeds = 0;
	long		count = 0;

	/* The seeds as they are; what a target sets up takes no time off. */
	for (; fuzz_seeds[seeds] != NULL; seeds++)
		run((const uint8_t *) fuzz_seeds[seeds], strlen(fuzz_seeds[seeds]));
	until_ms = clock_ms() + seconds * 1000;
	state = seed * 2654435761u + 1;
	fprintf(stderr, "seed %llu\n", (unsigned long long) seed);
	while (clock_ms() < until_ms)
	{
		const char *from = fuzz_seeds[next_random() % seeds];
		size_t		size = strnlen(from, INPUT_MAX);
		uint32_t	changes = next_random() % 6;

		memcpy(fuzz_input, from, size);
		while (changes-- > 0)
			size = mutate(fuzz_input, size);
		run(fuzz_input, size);
		count++;
	}
	printf("%ld inputs\n", count);
	return 0;
}

/* The target sees a copy of just that size, so that one byte more is seen. */
static void
run(const uint8_t *input, size_t size)
{
	uint8_t    *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, input, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* One change: a byte replaced, put in, taken out, or a piece repeated. */
static size_t
mutate(uint8_t *input, size_t size)
{
	static const char telling[] = "\0%+-:.\"\\/=&{}[],;TZ 09aAzZ*?\x7f\x80\xff";
	size_t		at = size > 0 ? next_random() % size : 0;
	uint8_t		byte = next_random() % 2 == 0 ? (uint8_t) next_random()
		: (uint8_t) telling[next_random() % (sizeof(telling) - 1)];

	switch (next_random() % 4)
	{
		case 0:
			if (size > 0)
				input[at] = byte;
			return size;
		case 1:
			if (size == INPUT_MAX)
				return size;
			memmove(input + at + 1, input + at, size - at);
			input[at] = byte;
			return size + 1;
		case 2:
			if (size == 0)
				return size;
			memmove(input + at, input + at + 1, size - at - 1);
			return size - 1;
		default:
			if (size * 2 - at > INPUT_MAX)
				return size;
			memcpy(input + size, input + at, size - at);
			return size * 2 - at;
	}
}

/* xorshift64*: the same inputs for the same seed. */
static uint32_t
next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t) (state * 2685821657736338717u >> 32);
}
