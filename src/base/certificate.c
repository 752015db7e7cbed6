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

/* The first of a PEM file. */
static int
x509_read(const char *file, X509 **ret)
{
	FILE *f = fopen(file, "re");

	if (!f)
		return -errno;
	*ret = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ERR_clear_error();
	return *ret ? 0 : -EINVAL;
}

/* Nobody is asked for a pass phrase: nginx would not be told it. */
static int
no_phrase(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int
key_read(const char *file, EVP_PKEY **ret)
{
	FILE *f = fopen(file, "re");

	if (!f)
		return -errno;
	*ret = PEM_read_PrivateKey(f, NULL, no_phrase, NULL);
	fclose(f);
	ERR_clear_error();
	return *ret ? 0 : -EINVAL;
}

int
certificate_fits(const char *file, const char *key)
{
	X509 *x = NULL;
	EVP_PKEY *private = NULL;
	int error = x509_read(file, &x);

	if (error == 0)
		error = key_read(key, &private);
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
	int error = x509_read(file, &x);

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
