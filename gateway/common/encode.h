/*
 * encode.h
 *		Bytes as text: hex, base64, base64url.
 */
#ifndef APPT_ENCODE_H
#define APPT_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

extern void encode_hex(const unsigned char *bytes, size_t len, char *hex);
extern bool decode_hex(const char *hex, unsigned char *bytes, size_t len)
			__attribute__((warn_unused_result));
extern ssize_t decode_base64(const char *text, size_t len,
							 unsigned char *bytes)
			__attribute__((warn_unused_result));
extern void encode_base64url(const unsigned char *bytes, size_t len,
							 char *text);
extern ssize_t decode_base64url(const char *text, size_t len,
								unsigned char *bytes)
			__attribute__((warn_unused_result));

#endif							/* APPT_ENCODE_H */
