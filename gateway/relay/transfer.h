/*
 * transfer.h
 *		One request and its answer.
 */
#ifndef APPT_RELAY_TRANSFER_H
#define APPT_RELAY_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "relay/guard.h"

#define HEADERS_MAX 32

/* What came of the attempt. */
typedef struct Outcome
{
	double		started_at;		/* seconds since 1970 */
	int			duration_ms;
	int			status;			/* HTTP or SMTP; 0: there was no answer */
	const char *error;			/* NULL: none; static text */
	int			retry_after_s;	/* 0: not asked for */
	bool		refused;		/* by the destination guard */
	Buf			answer;			/* UTF-8, at most ANSWER_KEPT_BYTES */
	bool		inside;			/* the answer is of the clinic's own network */
} Outcome;

/* What is asked, beside the headers; the strings stay the caller's. */
typedef struct TransferRequest
{
	const char *url;
	const char *method;
	const char *body;
	size_t		body_len;
	const char *username;		/* NULL: no authentication */
	const char *password;
} TransferRequest;

typedef struct Transfer
{
	struct Transfer *next_idle;
	CURL	   *easy;
	void	   *owner;			/* whose request it is */
	struct curl_slist headers[HEADERS_MAX];
	size_t		header_at[HEADERS_MAX];	/* where it begins in the text */
	int			header_count;
	Buf			header_text;	/* each with its NUL */
	int64_t		started_ms;
	size_t		header_bytes;
	size_t		body_bytes;
	int			status;			/* of the last status line; 0: none, or 1xx */
	int			retry_after_s;	/* 0: not asked for */
	bool		refused;		/* by the guard, an address at least */
	bool		opened;			/* a socket, to another address */
	bool		flooded;		/* the answer was cut off */
	GuardScheme scheme;
	Buf			answer;			/* its first bytes, raw */
} Transfer;

extern Transfer *transfer_take(Transfer **idle, void *owner);
extern void transfer_header(Transfer *transfer, const char *name,
							const char *value);
extern void transfer_prepare(Transfer *transfer,
							 const TransferRequest *request);
extern void *transfer_finish(Transfer *transfer, CURLcode code,
							 Outcome *outcome);
extern const char *transfer_failure(CURL *easy, CURLcode code);
extern double transfer_clock(void);

#endif							/* APPT_RELAY_TRANSFER_H */
