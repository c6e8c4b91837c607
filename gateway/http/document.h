/*
 * document.h
 *		Answers that a client may keep and ask for again.
 */
#ifndef APPT_DOCUMENT_H
#define APPT_DOCUMENT_H

#include "http/answer.h"
#include "http/head.h"

#define DOCUMENT_ETAG_SIZE 35	/* 32 digits, quotes, NUL */

typedef struct Document
{
	const char *content_type;
	const char *body;
	size_t		len;
	char		etag[DOCUMENT_ETAG_SIZE];
} Document;

extern void document_name(Document *document);
extern void document_answer(Answer *answer, const Head *head,
							const Document *document);

#endif							/* APPT_DOCUMENT_H */
