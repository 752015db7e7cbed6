/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signs what the hook posts. */
#include "courier/webhook.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"

#define SECRET_LEAST 24
#define SECRET_CHARS 88		/* base64 of 64 bytes */

static bool
cut_front(struct text *t, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (t->n < n || memcmp(t->s, prefix, n) != 0)
		return false;
	t->s += n;
	t->n -= n;
	return true;
}

/* base64 (RFC 4648 §4) by way of its sibling for URLs. */
static bool
base64_decode(struct text t, struct secret *ret)
{
	char url[SECRET_CHARS];
	bool good = t.n <= sizeof(url);
	const int most = t.n > 0 && t.n % 4 == 0 ? 2 : 0;

	for (int i = 0; i < most && t.s[t.n - 1] == '='; i++)
		t.n--;
	for (size_t i = 0; good && i < t.n; i++) {
		good = t.s[i] != '-' && t.s[i] != '_';
		url[i] = t.s[i] == '+' ? '-' : t.s[i] == '/' ? '_' : t.s[i];
	}
	good = good && base64url_decode((struct text){ url, t.n }, ret->b,
	    sizeof(ret->b), &ret->n);
	explicit_bzero(url, sizeof(url));
	return good;
}

const char *
webhook_secret(struct text word, struct secret *ret)
{
	struct secret secret = { .n = 0 };
	const char *why = NULL;

	cut_front(&word, "v1,");
	if (!cut_front(&word, "whsec_"))
		why = "does not begin with whsec_";
	else if (!base64_decode(word, &secret))
		why = "not base64 of at most 64 bytes";
	else if (secret.n < SECRET_LEAST)
		why = "shorter than 24 bytes";
	if (!why)
		*ret = secret;
	secret_done(&secret);
	return why;
}

int
webhook_sign(struct arena *mem, const struct secret *secrets, size_t n,
    struct text id, int64_t timestamp, struct text body, struct text *ret)
{
	struct buf in = { 0 }, out = { 0 };
	uint8_t mac[CRYPTO_HASH];
	int r = 0;

	buf_printf(&in, "%.*s.%" PRId64 ".", TEXT_FMT(id), timestamp);
	buf_text(&in, body);
	for (size_t i = 0; i < n && r == 0 && !in.failed; i++) {
		r = crypto_hmac(&secrets[i], in.p, in.n, mac);
		buf_puts(&out, i > 0 ? " v1," : "v1,");
		buf_base64(&out, mac, sizeof(mac));
	}
	if (in.failed || out.failed)
		r = -ENOMEM;
	if (r == 0)
		*ret = arena_text(mem, buf_view(&out));
	buf_wipe(&in);
	buf_done(&out);
	return r;
}
