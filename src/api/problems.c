/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the `type` of a problem document leads to (RFC 9457 §3.1.1). */
#include "api/api.h"
#include "api/fields.h"
#include "base/error.h"
#include "web/call.h"

struct problem_out {
	struct text code, title, detail, oauth;
	int64_t status;
};

#define OUT struct problem_out
static const struct field reply_rows[] = {
	F(TEXT, OUT, code, "code", 0, 0, 0, "What clients decide by", "\"task_not_found\""),
	F(INT, OUT, status, "status", 0, 0, 0, "The HTTP status it comes with", "404"),
	F(TEXT, OUT, title, "title", 0, 0, 0, "", "\"Task not found\""),
	F(TEXT, OUT, detail, "detail", 0, 0, 0, "What the reply says unless it knows better", "\"Task not found.\""),
	F(TEXT, OUT, oauth, "error", 0, 0, 0, "Its name on the OAuth endpoints (RFC 6749 §5.2)", "\"invalid_request\""),
};
#undef OUT
const struct fields problem_reply =
    FIELDS("ProblemType", reply_rows, struct problem_out);

/* What nginx answers in front has a page as well. */
static const struct error_row nginx_rows[] = {
#define NGINX_ERROR(status, code, oauth, title, detail) \
	{ NULL, status, code, oauth, title, detail },
#include "tbl/nginx_errors.h"
#undef NGINX_ERROR
};
#define NGINX_ROWS (sizeof(nginx_rows) / sizeof(nginx_rows[0]))

static const struct error_row *
row_of(struct text code)
{
	for (int error = 1; error < E__MAX; error++)
		if (text_is(code, error_row(error)->code))
			return error_row(error);
	for (size_t i = 0; i < NGINX_ROWS; i++)
		if (text_is(code, nginx_rows[i].code))
			return &nginx_rows[i];
	return NULL;
}

int
api_problem(struct call *call)
{
	struct problem_out *out = arena_alloc(call->mem, sizeof(*out));
	const struct error_row *row = row_of(call->params[0]);

	if (!row)
		return E_NOT_FOUND;
	*out = (struct problem_out){
		text_of(row->code), text_of(row->title),
		text_of(row->detail), text_of(row->oauth), row->status
	};
	call->reply.object = out;
	return 0;
}
