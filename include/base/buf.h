/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A growing byte buffer with the append-only JSON writer's primitives. */
#ifndef DOCKET_BASE_BUF_H
#define DOCKET_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/uuid.h"

/*
 * Zero-initialised is empty. An append that finds no memory sets `failed` and
 * every later append does nothing: check once, at the end. The bytes are
 * malloc'ed and reused over requests; buf_reset keeps at most `keep` of them.
 */
struct buf {
	char *p;
	size_t n;
	size_t cap;
	bool failed;
};

void buf_done(struct buf *b);
/* The same for secrets: cleansed before. */
void buf_wipe(struct buf *b);
void buf_reset(struct buf *b, size_t keep);

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_text(struct buf *b, struct text t);
void buf_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes, escaped as RFC 8259 §7; null for TEXT_NONE.
 * The text must be valid UTF-8 (bytes of 0x80 and above pass unchanged). */
void buf_json(struct buf *b, struct text t);
/* before "name": for a member whose name needs no escapes; before = { or , */
void buf_name(struct buf *b, char before, const char *name);
/* base64 with padding (RFC 4648 §4), one line. */
void buf_base64(struct buf *b, const void *bytes, size_t n);
/* 36 characters, no quotes. */
void buf_uuid(struct buf *b, const struct uuid *id);
/* RFC 3339, UTC, milliseconds, no quotes: 2026-01-31T09:30:00.000Z.
 * us: microseconds since the Unix epoch. */
void buf_time(struct buf *b, int64_t us);

static inline struct text
buf_view(const struct buf *b)
{
	return (struct text){ b->p ? b->p : "", b->n };
}

#endif
