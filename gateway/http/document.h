/*
 * document.h
 *		Answers that a client may store and revalidate.
 */
#ifndef APPT_DOCUMENT_H
#define APPT_DOCUMENT_H

#include "http/answer.h"
#include "http/head.h"

#define DOCUMENT_HASH_SIZE 16	/* bytes of the hash in an entity tag */
#define DOCUMENT_ETAG_SIZE 38	/* 32 digits, "-gz", quotes, NUL */

typedef struct Document
{
	const char *content_type;
	const char *body;
	size_t		len;
	char		etag[DOCUMENT_ETAG_SIZE];
	const char *gzip;			/* the same, compressed; or NULL */
	size_t		gzip_len;
	char		gzip_etag[DOCUMENT_ETAG_SIZE];
} Document;

/* A file that is linked in as it is and compressed: docs_js and docs_js_gz. */
#define DOCUMENT_SYMBOLS(file) \
	extern const char _binary_ ## file ## _start[]; \
	extern const char _binary_ ## file ## _end[]; \
	extern const char _binary_ ## file ## _gz_start[]; \
	extern const char _binary_ ## file ## _gz_end[]

#define DOCUMENT_LINK(document, file) \
	((document)->body = _binary_ ## file ## _start, \
	 (document)->len = (size_t) (_binary_ ## file ## _end - \
								 _binary_ ## file ## _start), \
	 (document)->gzip = _binary_ ## file ## _gz_start, \
	 (document)->gzip_len = (size_t) (_binary_ ## file ## _gz_end - \
									  _binary_ ## file ## _gz_start), \
	 document_name(document))

extern void document_name(Document *document);
extern void document_answer(Answer *answer, const Head *head,
							const Document *document);

#endif							/* APPT_DOCUMENT_H */
