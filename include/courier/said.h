/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a server or a program said about a letter, as we may repeat it. */
#ifndef DOCKET_COURIER_SAID_H
#define DOCKET_COURIER_SAID_H

#include "courier/letter.h"

/* The first line that is not empty, with the letter's code and address (and
 * its local part, unless that is too short to mean anything) as "***". For
 * outcome_set, which takes care of what cannot be printed. */
struct text said_line(struct arena *mem, struct text said,
    const struct letter *letter);

/* Of an SMTP server's replies the last line with that status: what comes behind
 * a refusal is the answer to QUIT. Empty: there is none. */
struct text said_last(struct text replies, long status);

#endif
