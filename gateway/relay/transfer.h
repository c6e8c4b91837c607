/*
 * transfer.h
 *		One request and its answer.
 */
#ifndef APPT_RELAY_TRANSFER_H
#define APPT_RELAY_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

#include "relay/delivery.h"
#include "relay/guard.h"

#define HEADERS_MAX 8

typedef struct Transfer
{
	struct Transfer *next_idle;
	CURL	   *easy;
	Delivery   *delivery;
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

extern Transfer *transfer_new(void);
extern void transfer_prepare(Transfer *transfer, Delivery *delivery);
extern Delivery *transfer_finish(Transfer *transfer, CURLcode code);

#endif							/* APPT_RELAY_TRANSFER_H */
