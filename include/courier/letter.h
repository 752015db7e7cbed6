/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a recipient reads. */
#ifndef DOCKET_COURIER_LETTER_H
#define DOCKET_COURIER_LETTER_H

#include "base/arena.h"
#include "base/text.h"

struct letter {
	struct text id;		/* 36 characters, stable over retries */
	struct text channel;	/* sms, email */
	struct text to;
	struct text purpose;
	struct text code;
	struct text text;	/* letter_text */
	int64_t created_at;
	int64_t until_ms;	/* clock_mono_ms: of no use later; the lesser
				 * of courier.send_seconds and its expiry */
};

/*
 * "Your Docket code is 123456. It is valid for 2 minutes." In a text message
 * of a service with a public URL the last line is "@host #123456", which lets a phone fill the code in on
 * that site and no other (WICG: origin-bound one-time codes).
 */
struct text letter_text(struct arena *mem, struct text channel,
    struct text code, long ttl_seconds, const char *public_url);

#endif
