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

/* Nobody is asked for a pass phrase: nginx would not be told it. */
static int
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type */
no_phrase(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The first certificate of a PEM file, or its first private key. */
static int
pem_read(const char *file, X509 **ret_x509, EVP_PKEY **ret_key)
{
	FILE *f = fopen(file, "re");
	bool found;

	if (!f)
		return -errno;
	if (ret_x509)
		found = PEM_read_X509(f, ret_x509, no_phrase, NULL);
	else
		found = PEM_read_PrivateKey(f, ret_key, no_phrase, NULL);
	fclose(f);
	ERR_clear_error();
	return found ? 0 : -EINVAL;
}

int
certificate_fits(const char *file, const char *key)
{
	X509 *x = NULL;
	EVP_PKEY *private = NULL;
	int error = pem_read(file, &x, NULL);

	if (error == 0)
		error = pem_read(key, NULL, &private);
	if (error == 0 && X509_check_private_key(x, private) != 1)
		error = -EKEYREJECTED;
	ERR_clear_error();
	EVP_PKEY_free(private);
	X509_free(x);
	return error;
}

int
certificate_read(const char *file, const char *host, struct certificate *ret)
{
	X509 *x = NULL;
	int error = pem_read(file, &x, NULL);

	if (error)
		return error;
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
