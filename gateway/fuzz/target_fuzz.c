/*
 * target_fuzz.c
 *		Fuzz target: a request's target and query, its Accept header and the
 *		depth of its body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/body.h"
#include "http/headers.h"
#include "http/target.h"

#define HOLDS(condition) \
	do { if (!(condition)) abort(); } while (0)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const char *const fuzz_seeds[];

const char *const fuzz_seeds[] = {
	"/api/v1/appointments/APT-2026-000123?reason=a%20b&x=1",
	"/api/v1/appointments/slots?doctor_id=DOC-001&date=2026-03-15",
	"http://host/api/v1/queue?", "/..%2f", "/a//b", "*",
	"application/json;q=0.5, text/*;q=0, */*", "{\"a\":[{\"b\":\"\\\"]\"}]}",
	"grant_type=client_credentials&client_id=a&client_secret=b", "", NULL,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Request    *request = calloc(1, sizeof(Request));
	QueryParams params;
	char	   *text;
	int			i;

	if (request == NULL)
		abort();
	text = arena_copy(&request->arena, (const char *) data, size);
	request->target = text;
	if (target_split(request))
	{
		for (i = 0; i < request->segment_count && i < REQUEST_PATH_SEGMENTS;
			 i++)
		{
			HOLDS(strcmp(request->segments[i], "..") != 0);
			HOLDS(strpbrk(request->segments[i], "/\\") == NULL);
		}
	}
	if (target_params(&request->arena, text, &params))
		HOLDS(params.count <= QUERY_PARAMS_MAX);
	header_accepts(text, "application/json");
	header_is_media_type(text, "application/json");
	body_is_too_deep((const char *) data, size);
	arena_free(&request->arena);
	free(request);
	return 0;
}
