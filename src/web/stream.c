/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Replies of any length, a piece at a time. */
#include "web/stream.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "web/fcgi.h"

/* What call->out keeps from one piece to the next. */
#define PIECE_KEEP ((size_t)1024 * 1024)

static int
stream_piece(struct call *call, struct fcgi *fcgi, bool *ret_more)
{
	int r;

	if (clock_mono_ms() >= call->deadline_ms)
		return E_TIMEOUT;
	buf_reset(call->out, PIECE_KEEP);
	r = call->reply.stream(call, ret_more);
	if (r)
		return r;
	if (call->out->failed)
		return -ENOMEM;
	fcgi_patience(fcgi);
	if (!fcgi_write(fcgi, call->out->p, call->out->n))
		return -EPIPE;
	if (call->alive)
		call->alive(call->alive_arg);
	return 0;
}

void
stream_run(struct call *call, struct fcgi *fcgi)
{
	bool more = true;
	int r = 0;

	call->streaming = true;
	while (r == 0 && more)
		r = stream_piece(call, fcgi, &more);
	if (r == 0)
		return;
	fcgi_cut(fcgi);
	log_event(LOG_WARN, "reply_cut", "request=%.*s operation=%s why=\"%s\"",
	    TEXT_FMT(call->req->id), call->route->operation,
	    r < 0 ? strerror(-r) : error_row(r)->name);
}
