/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The append-only writer behind every reply. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BUF_FIRST 512

/* What follows the backslash; 'u' = \u00XX, 0 = the byte as it is. */
static const char json_escape[256] = {
	[0x00 ... 0x07] = 'u', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
	[0x0b] = 'u', ['\f'] = 'f', ['\r'] = 'r', [0x0e ... 0x1f] = 'u',
	['"'] = '"', ['\\'] = '\\',
};

static const char hex[] = "0123456789abcdef";

/* Two digits at a time halve the divisions of buf_int. */
static const char digits[] =
    "00010203040506070809101112131415161718192021222324252627282930313233"
    "34353637383940414243444546474849505152535455565758596061626364656667"
    "6869707172737475767778798081828384858687888990919293949596979899";

void
buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void
buf_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_done(b);
}

/* One huge reply must not make a worker huge for good: over `keep` it goes. */
void
buf_reset(struct buf *b, size_t keep)
{
	b->n = 0;
	b->failed = false;
	if (b->cap > keep)
		buf_done(b);
}

/* Doubling, so that n appends cost n. Fails once and for all until a reset. */
static bool
buf_grow(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST, need;
	char *p;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->n, n, &need) || need > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	while (cap < need)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

/* The place of the next n bytes, or NULL. The caller moves b->n. */
static inline char *
buf_room(struct buf *b, size_t n)
{
	if (__builtin_expect(b->failed || n > b->cap - b->n || !b->p, 0) &&
	    !buf_grow(b, n))
		return NULL;
	return b->p + b->n;
}

void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	char *p = buf_room(b, n);

	if (!p || n == 0)
		return;
	memcpy(p, bytes, n);
	b->n += n;
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	char *p = buf_room(b, 1);

	if (!p)
		return;
	*p = c;
	b->n++;
}

void
buf_text(struct buf *b, struct text t)
{
	buf_put(b, t.s, t.n);
}

/* Backwards into a scratch of 20 characters, the longest int64_t. */
void
buf_int(struct buf *b, int64_t v)
{
	char out[20], *p = out + sizeof(out);
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	while (u >= 100) {
		p -= 2;
		memcpy(p, digits + u % 100 * 2, 2);
		u /= 100;
	}
	if (u >= 10) {
		p -= 2;
		memcpy(p, digits + u * 2, 2);
	} else {
		*--p = (char)('0' + u);
	}
	if (v < 0)
		*--p = '-';
	buf_put(b, p, (size_t)(out + sizeof(out) - p));
}

/* Measured first; for the few places where speed does not count. */
void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	p = buf_room(b, (size_t)n + 1);
	if (!p)
		return;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

/* One byte that needs escaping, at p; how many bytes that took. */
static size_t
json_put_escape(char *p, uint8_t c)
{
	p[0] = '\\';
	p[1] = json_escape[c];
	if (p[1] != 'u')
		return 2;
	memcpy(p + 2, "00", 2);
	p[4] = hex[c >> 4];
	p[5] = hex[c & 15];
	return 6;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
/* Has w a zero byte, or one below n (n <= 0x80)? Exact as a yes or no. */
#define HAS_ZERO(w) (((w) - EACH(1)) & ~(w) & EACH(0x80))
#define HAS_LESS(w, n) (((w) - EACH(n)) & ~(w) & EACH(0x80))

/* The first byte from i on that needs an escape, or n. Eight at a time: most
 * text has none, and this is the busiest loop of a reply. */
static size_t
json_plain(struct text t, size_t i)
{
	uint64_t w;

	for (; t.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, t.s + i, sizeof(w));
		if (HAS_LESS(w, 0x20) | HAS_ZERO(w ^ EACH('"')) |
		    HAS_ZERO(w ^ EACH('\\')))
			break;
	}
	while (i < t.n && !json_escape[(uint8_t)t.s[i]])
		i++;
	return i;
}

/* Runs without an escape are copied whole; each escape ends one. */
void
buf_json(struct buf *b, struct text t)
{
	size_t i = 0, run;
	char *p;

	if (!t.s) {
		buf_put(b, "null", 4);
		return;
	}
	buf_putc(b, '"');
	while ((run = json_plain(t, i)) < t.n) {
		/* The run, its escape; the rest is asked for next time. */
		p = buf_room(b, run - i + 6);
		if (!p)
			return;
		memcpy(p, t.s + i, run - i);
		b->n += run - i;
		b->n += json_put_escape(b->p + b->n, (uint8_t)t.s[run]);
		i = run + 1;
	}
	p = buf_room(b, t.n - i + 1);
	if (!p)
		return;
	memcpy(p, t.s + i, t.n - i);
	p[t.n - i] = '"';
	b->n += t.n - i + 1;
}

/* One reservation for the four parts: names are half of a reply's pieces. */
void
buf_name(struct buf *b, char before, const char *name)
{
	size_t n = strlen(name);
	char *p = buf_room(b, n + 4);

	if (!p)
		return;
	*p++ = before;
	*p++ = '"';
	memcpy(p, name, n);
	memcpy(p + n, "\":", 2);
	b->n += n + 4;
}

void
buf_base64(struct buf *b, const void *bytes, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;

	for (; n > 0; p += 3, n -= n < 3 ? n : 3) {
		unsigned v = (unsigned)p[0] << 16 |
		    (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0u);

		buf_putc(b, alphabet[v >> 18]);
		buf_putc(b, alphabet[v >> 12 & 63]);
		buf_putc(b, n > 1 ? alphabet[v >> 6 & 63] : '=');
		buf_putc(b, n > 2 ? alphabet[v & 63] : '=');
	}
}

void
buf_uuid(struct buf *b, const struct uuid *id)
{
	char *p = buf_room(b, UUID_CHARS);

	if (!p)
		return;
	uuid_format(id, p);
	b->n += UUID_CHARS;
}

/* In place: no scratch, no second copy. */
void
buf_time(struct buf *b, int64_t us)
{
	char *p = buf_room(b, TIME_CHARS);

	if (!p)
		return;
	time_format(us, p);
	b->n += TIME_CHARS;
}
