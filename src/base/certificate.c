/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The third OpenSSL door: the certificate that nginx shows. */
#include "base/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static int64_t
seconds_of(const ASN1_TIME *when)
{
	struct tm tm;

	return ASN1_TIME_to_tm(when, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int
certificate_read(const char *file, const char *host, struct certificate *ret)
{
	FILE *f = fopen(file, "re");
	X509 *x;

	if (!f)
		return -errno;
	x = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ERR_clear_error();
	if (!x)
		return -EINVAL;
	*ret = (struct certificate){
		.from = seconds_of(X509_get0_notBefore(x)),
		.until = seconds_of(X509_get0_notAfter(x)),
		.covers = X509_check_host(x, host, strlen(host), 0, NULL) == 1,
		.own = X509_NAME_cmp(X509_get_subject_name(x),
		    X509_get_issuer_name(x)) == 0,
	};
	X509_free(x);
	return 0;
}
