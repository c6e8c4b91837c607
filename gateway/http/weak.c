/*
 * weak.c
 *		Passwords that are refused although they are long enough (NIST SP
 *		800-63B, 3.1.1.2: no rules of composition, but a list of those commonly
 *		used): words of the list, one after the other or with figures and
 *		signs around them, and a few characters over and over.
 */
#include "http/weak.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const words[] = {
	"password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "qwerty",
	"qwertyuiop", "asdfgh", "asdfghjkl", "zxcvbn", "zxcvbnm", "letmein",
	"welcome", "admin", "administrator", "login", "iloveyou", "monkey",
	"dragon", "football", "baseball", "princess", "sunshine", "superman",
	"batman", "trustno", "master", "shadow", "secret", "changeme", "default",
	"hello", "india", "mumbai", "delhi", "krishna", "ganesh", "bismillah",
	"clinic", "hospital", "doctor", "reception", "bioecko", "bio", "ecko",
	"test", "guest", "user", "root", "abc", "qaz", "wsx", "the", "my", "new",
};

static bool is_repetition(const char *password, size_t len);
static size_t word_length(const char *text);

/* Whether nothing is left of it but words, figures and signs, or a rhythm. */
bool
password_is_weak(const char *password)
{
	size_t		len = strlen(password);
	const char *p = password;
	size_t		bare = 0;

	if (is_repetition(password, len))
		return true;
	while (*p != '\0')
	{
		size_t		word = word_length(p);

		if (word > 0)
			p += word;
		else if (isalpha((unsigned char) *p) || (unsigned char) *p > 0x7f)
			return false;
		else
		{
			bare++;
			p++;
		}
	}
	return bare < 9 || bare == len;
}

/* Whether at most four characters come again and again. */
static bool
is_repetition(const char *password, size_t len)
{
	size_t		period;

	for (period = 1; period <= 4 && period < len; period++)
	{
		if (strncmp(password, password + period, len - period) == 0)
			return true;
	}
	return false;
}

/* How long the longest word at the text's beginning is; 0: there is none. */
static size_t
word_length(const char *text)
{
	size_t		longest = 0;
	size_t		i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		size_t		len = strlen(words[i]);

		if (len > longest && strncasecmp(text, words[i], len) == 0)
			longest = len;
	}
	return longest;
}
