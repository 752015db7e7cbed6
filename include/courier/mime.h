/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A letter as a mail (RFC 5322, MIME). */
#ifndef DOCKET_COURIER_MIME_H
#define DOCKET_COURIER_MIME_H

#include <stdio.h>

#include "base/settings.h"
#include "courier/letter.h"

struct mime_sender {
	const char *address;
	struct text name;
};

/* courier.mail_from and courier.mail_name. False: told to `errors`, all. */
bool mime_sender(const struct settings *settings, FILE *errors,
    struct mime_sender *ret);

/*
 * The whole mail, lines of at most 76 characters that end in CRLF. Whatever
 * the letter's texts hold, the headers are Date, Message-ID, From, To, Subject,
 * MIME-Version, Content-Type, Content-Transfer-Encoding and Auto-Submitted
 * (RFC 3834), once each. Date and Message-ID are the letter's, so a second try
 * is the same mail. (An address that is longer than a line has one of its own.)
 * False: the letter's address or id cannot stand in a header.
 */
bool mime_mail(struct arena *mem, const struct mime_sender *from,
    const struct letter *letter, struct text *ret);

/* The same with line feeds alone, for programs. */
struct text mime_unix(struct arena *mem, struct text mail);

#endif
