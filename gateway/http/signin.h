/*
 * signin.h
 *		Sign-ins of staff: the cookie, and what guards the calls that come with
 *		it against pages of other sites.
 */
#ifndef APPT_SIGNIN_H
#define APPT_SIGNIN_H

#include <jansson.h>

#include "http/caller.h"
#include "http/head.h"
#include "http/statement.h"

#define SIGN_IN_TOKEN_SIZE 44	/* 256 bits in base64url, its NUL included */

extern void signin_init(void);
extern const Statement *signin_statement(void);
extern const char *signin_token(const Head *head);
extern bool signin_new_token(char token[SIGN_IN_TOKEN_SIZE])
			__attribute__((warn_unused_result));
extern const char *signin_hash(Arena *arena, const char *token);
extern const char *signin_csrf_token(Arena *arena, const char *token);
extern const Problem *signin_forgery(const Head *head, const char *token);
extern bool signin_is_secure(void);
extern const char *signin_cookie(Arena *arena, const char *token);
extern bool signin_caller(const json_t *sign_in, Caller *caller);

#endif							/* APPT_SIGNIN_H */
