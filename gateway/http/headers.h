/*
 * headers.h
 *		A request's headers: what is refused before anything else is done.
 */
#ifndef APPT_HEADERS_H
#define APPT_HEADERS_H

#include "http/request.h"

extern bool headers_read(Request *request, const char *version)
			__attribute__((warn_unused_result));
extern const Problem *headers_line_refusal(const char *target);
extern size_t headers_room(const Request *request);
extern void headers_name_request(Request *request);
extern bool header_accepts(const char *accept, const char *media_type);
extern bool header_is_media_type(const char *value, const char *media_type);

#endif							/* APPT_HEADERS_H */
