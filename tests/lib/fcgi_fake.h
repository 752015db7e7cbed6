/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* web/fcgi.h without a socket: parameters and body from a test, output kept.
 * Defines the functions, so that the linker never asks for libfcgi's door. */
#ifndef DOCKET_TESTS_FCGI_FAKE_H
#define DOCKET_TESTS_FCGI_FAKE_H

#include <string.h>

#include "web/fcgi.h"

struct fcgi {
	const char *const *params;	/* "NAME=value", NULL at the end */
	const char *body;
	size_t body_n, body_at;
	size_t step;			/* bytes a read gives at most; 0 = all */
	bool broken;			/* reads fail at the end */
	bool cut;			/* fcgi_cut was called */
	char out[65536];
	size_t out_n;
};

const char *
fcgi_param_next(const struct fcgi *fcgi, size_t *i)
{
	return fcgi->params[*i] ? fcgi->params[(*i)++] : NULL;
}

const char *
fcgi_param(const struct fcgi *fcgi, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; fcgi->params[i]; i++)
		if (strncmp(fcgi->params[i], name, n) == 0 &&
		    fcgi->params[i][n] == '=')
			return fcgi->params[i] + n + 1;
	return NULL;
}

ssize_t
fcgi_read(struct fcgi *fcgi, void *out, size_t n)
{
	const size_t left = fcgi->body_n - fcgi->body_at;

	if (left == 0)
		return fcgi->broken ? -1 : 0;
	n = n < left ? n : left;
	n = fcgi->step && n > fcgi->step ? fcgi->step : n;
	memcpy(out, fcgi->body + fcgi->body_at, n);
	fcgi->body_at += n;
	return (ssize_t)n;
}

bool
fcgi_write(struct fcgi *fcgi, const void *bytes, size_t n)
{
	if (n > sizeof(fcgi->out) - 1 - fcgi->out_n)
		return false;
	memcpy(fcgi->out + fcgi->out_n, bytes, n);
	fcgi->out_n += n;
	fcgi->out[fcgi->out_n] = '\0';
	return true;
}

void
fcgi_patience(struct fcgi *fcgi)
{
	(void)fcgi;
}

void
fcgi_cut(struct fcgi *fcgi)
{
	fcgi->cut = true;
}

#endif
