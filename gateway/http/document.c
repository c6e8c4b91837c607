/*
 * document.c
 *		Answers that a client may store and revalidate: the entity tag is a
 *		hash of the contents, and If-None-Match with it is answered by 304
 *		(RFC 9110, 13.1.2).
 */
#include "http/document.h"

#include <string.h>

#include <openssl/evp.h>

#include "common/encode.h"
#include "http/media.h"
#include "http/text.h"

static void quote(char *etag, const unsigned char *hash, const char *suffix);
static bool wants_gzip(const Head *head, const Document *document);

/* Names the document after its contents. */
void
document_name(Document *document)
{
	unsigned char hash[32];

	EVP_Digest(document->body, document->len, hash, NULL, EVP_sha256(), NULL);
	quote(document->etag, hash, "\"");
	quote(document->gzip_etag, hash, "-gz\"");
}

/*
 * Answers with the document, compressed where the client accepts gzip; with 304
 * where its If-None-Match has the entity tag.
 */
void
document_answer(Answer *answer, const Head *head, const Document *document)
{
	bool		gzip = wants_gzip(head, document);
	const char *etag = gzip ? document->gzip_etag : document->etag;
	const char *held = head->if_none_match;

	if (held != NULL && text_has_etag(held, etag))
		answer_body(answer, 304, NULL, "", 0);
	else if (gzip)
	{
		answer_body(answer, 200, document->content_type, document->gzip,
					document->gzip_len);
		answer_header(answer, "Content-Encoding", "gzip");
	}
	else
		answer_body(answer, 200, document->content_type, document->body,
					document->len);
	answer->cache_control = "no-cache";
	answer_header(answer, "ETag", arena_strdup(answer->arena, etag));
	if (document->gzip != NULL)
		answer_header(answer, "Vary", "Accept-Encoding");
}

/* An entity tag of half the hash. */
static void
quote(char *etag, const unsigned char *hash, const char *suffix)
{
	etag[0] = '"';
	encode_hex(hash, DOCUMENT_HASH_SIZE, etag + 1);
	memcpy(etag + 1 + 2 * DOCUMENT_HASH_SIZE, suffix, strlen(suffix) + 1);
}

/* Whether it is there compressed, and wanted so (RFC 9110, 12.5.3). */
static bool
wants_gzip(const Head *head, const Document *document)
{
	return document->gzip != NULL && head->accept_encoding != NULL &&
		media_takes_coding(head->accept_encoding, "gzip");
}
