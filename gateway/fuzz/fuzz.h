/*
 * fuzz.h
 *		What every fuzz target shares: libFuzzer's entry point, and a condition
 *		that must hold of whatever a parser takes.
 */
#ifndef APPT_FUZZ_H
#define APPT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer reports an abort with the input that led to it. */
#define HOLDS(condition) \
	do { if (!(condition)) abort(); } while (0)

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif							/* APPT_FUZZ_H */
