/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What an HTTP answer means for the letter. */
#ifndef DOCKET_COURIER_VERDICT_H
#define DOCKET_COURIER_VERDICT_H

#include "courier/letter.h"
#include "courier/net.h"
#include "courier/way.h"

/* How a gateway answers. */
struct verdict_rules {
	const char *gateway;	/* whose rows of tbl/gateways.h hold */
	const char *success;	/* "200,201 /status=ok", see below */
	const char *reference;	/* pointer to the message's id, or empty */
	const char *code;	/* pointer to an error's code, or empty */
};

/* Words between blanks, all of which must hold: statuses between commas (200,
 * 2xx), at most once; /pointer=value of the JSON reply. */
bool verdict_success_valid(const char *success);

/*
 * Sent when `success` holds. Else by the code's row, or by the HTTP status:
 * 429 is later and no fault of the way; 400, 413 and 422 are later without
 * blaming the way, since one letter may be why; anything else is the way's
 * fault. No answer likewise. Nothing of the reply is told but the id and a
 * code of at most five digits: it may hold the letter.
 */
void verdict_gateway(const struct verdict_rules *rules, struct arena *mem,
    const struct letter *letter, const struct net_answer *answer,
    struct outcome *ret);

/* By the status alone, as Standard Webhooks has it: 2xx sent, 410 never. */
void verdict_hook(const struct net_answer *answer, struct outcome *ret);

#endif
