/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a recipient reads. */
#ifndef DOCKET_COURIER_LETTER_H
#define DOCKET_COURIER_LETTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "core/gsm7.h"

/* The texts are UTF-8 without control characters but line feeds in `text`. */
struct letter {
	struct text id;		/* 36 characters, stable over retries */
	struct text channel;	/* sms, email */
	struct text to;
	struct text purpose;
	struct text code;
	struct text subject;	/* of a mail; absent in a text message */
	struct text text;
	struct text language;	/* of the text: a tag such as fa */
	struct sms_size size;	/* of a text message; zero for a mail */
	int64_t created_at;
	int64_t until_ms;	/* clock_mono_ms: of no use later; the lesser
				 * of courier.send_seconds and its expiry */
};

/*
 * The host name of an https URL, or empty: no URL, or an address literal,
 * which a code cannot be bound to.
 */
struct text letter_host(const char *public_url);

/*
 * The text with "@host #code" as its last line, which lets a phone fill the
 * code in on that site and no other (WICG: origin-bound one-time codes).
 * Without a host the text as it is.
 */
struct text letter_bound(struct arena *mem, struct text text, struct text host,
    struct text code);

/* One object with id, channel, to, purpose, code, subject, text, language,
 * created_at, and a line feed. */
void letter_json(struct buf *out, const struct letter *letter);

#endif
