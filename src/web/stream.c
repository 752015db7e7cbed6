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

int
stream_begin(struct call *call)
{
	int r;

	if (clock_mono_ms() >= call->deadline_ms)
		return E_TIMEOUT;
	buf_reset(call->out, PIECE_KEEP);
	r = call->reply.stream(call, &call->reply.more);
	if (r == 0 && call->out->failed)
		r = -ENOMEM;
	return r;
}

static int
stream_piece(struct call *call, struct fcgi *fcgi)
{
	const int r = stream_begin(call);

	if (r)
		return r;
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
	int r = 0;

	call->streaming = true;
	while (r == 0 && call->reply.more)
		r = stream_piece(call, fcgi);
	if (r == 0)
		return;
	fcgi_cut(fcgi);
	log_event(LOG_WARN, "reply_cut", "request=%.*s operation=%s why=\"%s\"",
	    TEXT_FMT(call->req->id), call->route->operation,
	    r < 0 ? strerror(-r) : error_row(r)->name);
}
