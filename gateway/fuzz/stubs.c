/*
 * stubs.c
 *		What the fuzz targets link and never call: main.c, serve.c and docs.c
 *		are not among their sources.
 */
#include <stdlib.h>

#include "http/docs.h"
#include "http/serve.h"

#define STUB(name) \
	void name(struct Request *request) { (void) request; abort(); }

STUB(serve_openapi)
STUB(serve_jwks)
STUB(serve_healthz)
STUB(serve_readyz)
STUB(serve_metrics)
STUB(serve_docs)
STUB(serve_docs_script)
STUB(serve_docs_style)
