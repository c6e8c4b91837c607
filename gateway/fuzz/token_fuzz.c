/*
 * token_fuzz.c
 *		Fuzz target: access tokens.  None that is made up here may be taken.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/options.h"
#include "http/token.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const char *const fuzz_seeds[];

const char *const fuzz_seeds[] = {
	"eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ.e30.AA",
	"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoiayJ9.e30.",
	"..", "a.b.c", "", NULL,
};

/* One key, with the id "k" that the seeds name. */
static const KeySet *
one_key(void)
{
	static KeySet keys;
	char		kid[KEY_ID_MAX];
	char	   *pem;
	json_t	   *rows;
	char	   *text;

	if (keys.count > 0)
		return &keys;
	options.issuer = options.audience = "x";
	pem = keys_generate(kid);
	rows = json_pack("[{s:s, s:s, s:i}]", "kid", "k", "private_pem", pem,
					 "age_s", 0);
	text = json_dumps(rows, 0);
	if (!keys_parse(text, 0, &keys) || keys.count != 1)
		abort();
	free(text);
	json_decref(rows);
	free(pem);
	return &keys;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	Token		token;

	if (token_verify(one_key(),
					 arena_copy(&arena, (const char *) data, size), &token))
		abort();
	arena_free(&arena);
	return 0;
}
