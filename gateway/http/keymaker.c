/*
 * keymaker.c
 *		Makes an RSA key in a thread of its own.  The loop looks at "done" and
 *		at nothing else until that is true.
 */
#include "http/keymaker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/buf.h"

struct KeyMaker
{
	pthread_t	thread;
	atomic_bool done;
	char	   *pem;			/* NULL: it could not be made */
	char		kid[KEY_ID_MAX];
};

static void *keymaker_main(void *context);

/* Begins to make a key; NULL where there is no thread to be had. */
KeyMaker *
keymaker_start(void)
{
	KeyMaker   *maker = must_alloc(sizeof(KeyMaker));

	*maker = (KeyMaker) {0};
	if (pthread_create(&maker->thread, NULL, keymaker_main, maker) == 0)
		return maker;
	free(maker);
	return NULL;
}

/* Whether the key is made, or could not be. */
bool
keymaker_is_done(const KeyMaker *maker)
{
	return atomic_load(&maker->done);
}

/* The key's id, once it is done. */
const char *
keymaker_kid(const KeyMaker *maker)
{
	return maker->kid;
}

/*
 * The private key, once it is done, until keymaker_free; NULL: it could not be
 * made.
 */
const char *
keymaker_pem(const KeyMaker *maker)
{
	return maker->pem;
}

/* Waits for the thread and forgets the key. */
void
keymaker_free(KeyMaker *maker)
{
	if (maker == NULL)
		return;
	pthread_join(maker->thread, NULL);
	if (maker->pem != NULL)
		OPENSSL_cleanse(maker->pem, strlen(maker->pem));
	free(maker->pem);
	free(maker);
}

/* The thread. */
static void *
keymaker_main(void *context)
{
	KeyMaker   *maker = context;

	maker->pem = keys_generate(maker->kid);
	atomic_store(&maker->done, true);
	return NULL;
}
