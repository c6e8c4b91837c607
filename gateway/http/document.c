/*
 * document.c
 *		Answers that a client may keep and ask for again: the entity tag is a
 *		hash of what is in them, and whoever has that still is told so (304;
 *		RFC 9110, 13.1.2).
 */
#include "http/document.h"

#include <string.h>

#include <openssl/evp.h>

#include "common/encode.h"
#include "http/text.h"

/* Names the document after its contents. */
void
document_name(Document *document)
{
	unsigned char hash[32];

	EVP_Digest(document->body, document->len, hash, NULL, EVP_sha256(), NULL);
	document->etag[0] = '"';
	encode_hex(hash, DOCUMENT_ETAG_SIZE / 2 - 1, document->etag + 1);
	document->etag[DOCUMENT_ETAG_SIZE - 2] = '"';
	document->etag[DOCUMENT_ETAG_SIZE - 1] = '\0';
}

/* Answers with the document, or that it is the one that the client has. */
void
document_answer(Answer *answer, const Head *head, const Document *document)
{
	const char *held = head->if_none_match;

	if (held != NULL && text_has_etag(held, document->etag))
		answer_body(answer, 304, NULL, "", 0);
	else
		answer_body(answer, 200, document->content_type, document->body,
					document->len);
	answer->cache_control = "no-cache";
	answer_header(answer, "ETag", arena_strdup(answer->arena, document->etag));
}
