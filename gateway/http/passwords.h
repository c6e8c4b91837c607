/*
 * passwords.h
 *		Passwords of staff: compared with a hash, or hashed, in threads.
 */
#ifndef APPT_PASSWORDS_H
#define APPT_PASSWORDS_H

#include <stdbool.h>
#include <stdint.h>

#define PASSWORD_HASH_SIZE 384	/* crypt(5): the longest, with its NUL */

typedef enum PasswordOutcome
{
	PASSWORD_RIGHT,				/* it fits the hash */
	PASSWORD_WRONG,
	PASSWORD_HASHED,			/* "made" is its hash */
	PASSWORD_BUSY,				/* too many others wait, or no thread */
} PasswordOutcome;

/* What is to be done; lives until "done" is called. */
typedef struct PasswordWork
{
	const char *password;
	const char *hash;			/* to compare with; NULL: one is made */
	char		made[PASSWORD_HASH_SIZE];
	void		(*done) (struct PasswordWork *work, PasswordOutcome outcome);
	void	   *context;

	/* Passwords' own. */
	int64_t		since_ms;
	struct PasswordWork *next;
} PasswordWork;

/* A loop's work that waits for its turn, the first come first. */
typedef struct Passwords
{
	PasswordWork *first;
	PasswordWork *last;
	int			count;
} Passwords;

extern bool passwords_init(void) __attribute__((warn_unused_result));
extern const char *passwords_decoy(void);
extern void passwords_submit(Passwords *passwords, PasswordWork *work);
extern void passwords_tick(Passwords *passwords);
extern bool password_hash(const char *password, char hash[PASSWORD_HASH_SIZE])
			__attribute__((warn_unused_result));

#endif							/* APPT_PASSWORDS_H */
