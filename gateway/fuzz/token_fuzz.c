/*
 * token_fuzz.c
 *		Fuzz target: access tokens.  None that is made up here may be taken.
 */
#include "fuzz/fuzz.h"
#include "http/options.h"
#include "http/arena.h"
#include "http/token.h"

static KeySet keys;

/* One key, with the id "k" that the corpus names. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char		kid[KEY_ID_MAX];
	char	   *pem = keys_generate(kid);
	json_t	   *rows = json_pack("[{s:s, s:s, s:i}]", "kid", "k",
								 "private_pem", pem, "age_s", 0);

	(void) argc;
	(void) argv;
	options.issuer = options.audience = "x";
	keys_take(rows, 0, &keys);
	HOLDS(keys.count == 1);
	json_decref(rows);
	free(pem);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	char	   *text = arena_copy(&arena, (const char *) data, size);
	Token		token;

	HOLDS(!token_verify(&keys, text, &token));
	scope_bits(text);
	arena_free(&arena);
	return 0;
}
