/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What handlers say about their reply. */
#include "web/call.h"

#include <assert.h>

#include "base/error.h"

void
call_header(struct call *call, const char *name, struct text value)
{
	struct reply *reply = &call->reply;

	assert(reply->n_headers < REPLY_HEADERS_MAX);
	reply->headers[reply->n_headers++] = (struct header){ name, value };
}

int
call_refuse(struct call *call, int error, const char *detail)
{
	call->reply.detail = detail;
	return error;
}

int
call_refuse_later(struct call *call, int error, long seconds)
{
	call->reply.retry_after = seconds > 0 ? seconds : 1;
	return error;
}

int
call_fault(struct call *call, const char *pointer, const char *code,
    const char *detail)
{
	struct faults *faults = &call->faults;

	if (faults->n < FAULTS_MAX)
		faults->v[faults->n++] = (struct fault){
			text_of(pointer), code, detail
		};
	return E_INVALID;
}
