/*
 * otp.h
 *		One-time codes (RFC 6238), and the codes that stand for them where a
 *		telephone is lost.
 */
#ifndef APPT_OTP_H
#define APPT_OTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/arena.h"

#define OTP_SECRET_SIZE 20		/* bytes */

extern bool otp_init(void) __attribute__((warn_unused_result));
extern bool otp_is_code(const char *text);
extern int64_t otp_step(const char *secret_hex, const char *code);
extern const char *otp_url(Arena *arena, const char *secret_hex,
						   const char *account, const char **base32);
extern const char *otp_qr_svg(Arena *arena, const char *text);
extern const char *otp_recovery_codes(Arena *arena, json_t *codes);
extern const char *otp_recovery_hash(Arena *arena, const char *code);

#endif							/* APPT_OTP_H */
