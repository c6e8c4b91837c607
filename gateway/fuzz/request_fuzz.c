/*
 * request_fuzz.c
 *		Fuzz target: whole requests to every route: headers, target, query,
 *		JSON body, arguments, and the answer that is made of a row with hostile
 *		contents of its own.
 */
#include "fuzz/serving.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const names[] = {
		"body", "version", "id", "total", "replayed", NULL
	};
	static const char *const values[] = {
		"{\"a\":1}", "3", "APT-2026-000123", "57", "t"
	};

	(void) argc;
	(void) argv;
	serving_init();
	fake_row = (FakeRow) {QUERY_OK, names, values};
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fake_row.outcome = size % 4 == 0 ? QUERY_LOST : QUERY_OK;
	serving_run(data, size);
	return 0;
}
