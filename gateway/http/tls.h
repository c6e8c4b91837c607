/*
 * tls.h
 *		The certificate that HTTPS is served with.
 */
#ifndef APPT_TLS_H
#define APPT_TLS_H

#include <stdbool.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

/*
 * What is spoken (GnuTLS's priority string): TLS 1.3 and 1.2, forward secrecy,
 * authenticated ciphers.  Without one GnuTLS takes TLS 1.0, too.
 */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:" \
	"-RSA:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE"

/* A browser that has seen it asks for nothing but HTTPS for a year. */
#define TLS_HSTS "max-age=31536000"

extern bool tls_wanted(void);
extern bool tls_load(void) __attribute__((warn_unused_result));
extern int	tls_certificate(gnutls_session_t session,
							const struct gnutls_cert_retr_st *info,
							gnutls_pcert_st **certificates, unsigned *count,
							gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
							gnutls_privkey_t *key, unsigned *flags);

#endif							/* APPT_TLS_H */
