/*
 * oauth_fuzz.c
 *		Fuzz target: POST /auth/token and /auth/revoke: the form, the client in
 *		it or in an Authorization header, the scope that is asked for.
 *
 *		Input: a line of which call (t or r) and the header's value, the form.
 */
#include <string.h>

#include "common/buf.h"
#include "fuzz/serving.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const names[] = {"body", NULL};
	static const char *const values[] = {
		"{\"client_id\":\"cl_1\",\"epoch\":1,"
		"\"scopes\":[\"appointments:read\",\"appointments:write\"]}"
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
	Buf			bytes = {0};
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;

	if (end == NULL)
		return 0;
	buf_text(&bytes, data[0] == 'r' ? "POST /api/v1/auth/revoke\n"
			 : "POST /api/v1/auth/token\n");
	buf_text(&bytes, "Content-Type: application/x-www-form-urlencoded\n");
	if (end > data + 1)
	{
		buf_text(&bytes, "Authorization: ");
		buf_add(&bytes, data + 1, (size_t) (end - data - 1));
		buf_char(&bytes, '\n');
	}
	buf_char(&bytes, '\n');
	buf_add(&bytes, end + 1, size - (size_t) (end + 1 - data));
	serving_run((const uint8_t *) bytes.data, bytes.len);
	buf_free(&bytes);
	return 0;
}
