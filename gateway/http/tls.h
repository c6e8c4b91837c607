/*
 * tls.h
 *		The certificate that HTTPS is served with.
 */
#ifndef APPT_TLS_H
#define APPT_TLS_H

#include <stdbool.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

extern bool tls_wanted(void);
extern bool tls_load(void) __attribute__((warn_unused_result));
extern int	tls_certificate(gnutls_session_t session,
							const struct gnutls_cert_retr_st *info,
							gnutls_pcert_st **certificates, unsigned *count,
							gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
							gnutls_privkey_t *key, unsigned *flags);

#endif							/* APPT_TLS_H */
