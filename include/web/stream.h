/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Replies of any length, a piece at a time. */
#ifndef DOCKET_WEB_STREAM_H
#define DOCKET_WEB_STREAM_H

#include "web/call.h"

struct fcgi;

/* The first piece into call->out, for reply_send to send behind the header;
 * sets call->reply.more. 0, or what is wrong, which still has an answer of its
 * own. */
int stream_begin(struct call *call);
/*
 * That and the header have been written: send what call->reply.stream prints,
 * until it has no more. No more memory is held than one piece takes. A fault,
 * a peer that does not read on, or the call's deadline cut the reply off before
 * its end, which nginx passes on (no last chunk, RST_STREAM).
 */
void stream_run(struct call *call, struct fcgi *fcgi);

#endif
