/*
 * tls.c
 *		The certificate that HTTPS is served with: read at the start and again
 *		on SIGHUP, handed out at each handshake.
 *
 *		A mutex guards which one is current.  One that is replaced is kept until
 *		no handshake can be under way any more that began with it: a connection
 *		whose first request is not there within the request's time is ended.
 */
#include "http/tls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "http/options.h"

#define TLS_CHAIN_MAX 10
#define TLS_KEEP_MS 60000		/* beyond the time of a request */

typedef struct Certificate
{
	struct Certificate *next;	/* that was replaced before */
	int64_t		replaced_ms;
	gnutls_pcert_st chain[TLS_CHAIN_MAX];
	unsigned	count;
	gnutls_privkey_t key;
} Certificate;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Certificate *current;
static Certificate *replaced;	/* the latest first */

static const char *certificate_read(Certificate *certificate);
static bool key_fits(const Certificate *certificate);
static int	key_read(gnutls_privkey_t key);
static void certificate_replace(Certificate *certificate);
static void certificate_free(Certificate *certificate);

/* Whether HTTPS is served. */
bool
tls_wanted(void)
{
	return options.tls_certificate[0] != '\0' || options.tls_key[0] != '\0';
}

/* Reads the files; on failure says why in the log and keeps what there is. */
bool
tls_load(void)
{
	Certificate *certificate = must_alloc(sizeof(Certificate));
	const char *why = certificate_read(certificate);

	if (why != NULL)
	{
		LOG_ERROR("cannot read the TLS certificate or key",
				  log_text("certificate", options.tls_certificate),
				  log_text("key", options.tls_key), log_text("why", why));
		certificate_free(certificate);
		return false;
	}
	certificate_replace(certificate);
	LOG_INFO("TLS certificate loaded",
			 log_int("certificates", certificate->count));
	return true;
}

/* Called by GnuTLS at each handshake. */
int
tls_certificate(gnutls_session_t session,
				const struct gnutls_cert_retr_st *info,
				gnutls_pcert_st **certificates, unsigned *count,
				gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
				gnutls_privkey_t *key, unsigned *flags)
{
	(void) session;
	(void) info;
	pthread_mutex_lock(&lock);
	*certificates = current->chain;
	*count = current->count;
	*key = current->key;
	pthread_mutex_unlock(&lock);
	*ocsp = NULL;
	*ocsp_count = 0;
	*flags = 0;
	return 0;
}

/* Reads chain and key, which must fit; NULL, or why not. */
static const char *
certificate_read(Certificate *certificate)
{
	gnutls_datum_t file;
	unsigned	count = TLS_CHAIN_MAX;
	int			failed;

	*certificate = (Certificate) {0};
	failed = gnutls_load_file(options.tls_certificate, &file);
	if (failed != 0)
		return gnutls_strerror(failed);
	failed = gnutls_pcert_list_import_x509_raw(
		certificate->chain, &count, &file, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(file.data);
	if (failed != 0)
		return gnutls_strerror(failed);
	certificate->count = count;
	failed = gnutls_privkey_init(&certificate->key);
	if (failed == 0)
		failed = key_read(certificate->key);
	if (failed != 0)
		return gnutls_strerror(failed);
	return key_fits(certificate) ? NULL : "the key is another certificate's";
}

/* Whether the key is the first certificate's. */
static bool
key_fits(const Certificate *certificate)
{
	unsigned char of_chain[32];
	unsigned char of_key[32];
	size_t		chain_size = sizeof(of_chain);
	size_t		key_size = sizeof(of_key);
	gnutls_pubkey_t public;
	bool		fits;

	if (gnutls_pubkey_init(&public) != 0)
		return false;
	fits = gnutls_pubkey_import_privkey(public, certificate->key, 0, 0) == 0 &&
		gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key,
								 &key_size) == 0 &&
		gnutls_pubkey_get_key_id(certificate->chain[0].pubkey,
								 GNUTLS_KEYID_USE_SHA256, of_chain,
								 &chain_size) == 0 &&
		memcmp(of_chain, of_key, sizeof(of_key)) == 0;
	gnutls_pubkey_deinit(public);
	return fits;
}

/* Reads the private key; a GnuTLS error code. */
static int
key_read(gnutls_privkey_t key)
{
	gnutls_datum_t file;
	int			failed = gnutls_load_file(options.tls_key, &file);

	if (failed != 0)
		return failed;
	failed = gnutls_privkey_import_x509_raw(key, &file, GNUTLS_X509_FMT_PEM,
											NULL, 0);
	gnutls_memset(file.data, 0, file.size);
	gnutls_free(file.data);
	return failed;
}

/* Makes it the one that is handed out, and frees those of long ago. */
static void
certificate_replace(Certificate *certificate)
{
	int64_t		now_ms = clock_ms();
	Certificate **old = &replaced;

	pthread_mutex_lock(&lock);
	if (current != NULL)
	{
		current->next = replaced;
		current->replaced_ms = now_ms;
		replaced = current;
	}
	current = certificate;
	while (*old != NULL && now_ms - (*old)->replaced_ms <=
		   options.request_timeout_ms + TLS_KEEP_MS)
		old = &(*old)->next;
	while (*old != NULL)
	{
		Certificate *gone = *old;

		*old = gone->next;
		certificate_free(gone);
	}
	pthread_mutex_unlock(&lock);
}

/* Gives a certificate back that no handshake uses any more. */
static void
certificate_free(Certificate *certificate)
{
	unsigned	i;

	for (i = 0; i < certificate->count; i++)
		gnutls_pcert_deinit(&certificate->chain[i]);
	gnutls_privkey_deinit(certificate->key);
	free(certificate);
}
