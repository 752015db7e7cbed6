/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The bodies of answers that are no success: RFC 9457 and RFC 6749. */
#include "web/problem.h"

#include <errno.h>

enum error
problem_error(const struct call *call, int result)
{
	if (result == -ENOMEM)
		return E_MEMORY;
	if (result < 0 || result >= E__MAX || result == E_SEAL ||
	    result == E_NONE)
		return E_INTERNAL;
	if (result == E_USER_DELETED && call->route &&
	    call->route->flags & ROUTE_TASKS)
		return E_USER;
	return (enum error)result;
}

/* What went wrong on our side is told in the row's words alone. */
const char *
problem_detail(const struct call *call, enum error error)
{
	const struct error_row *row = error_row((int)error);

	return call->reply.detail && row->status != 500 ?
	    call->reply.detail : row->detail;
}

struct text
problem_description(struct arena *mem, const char *words)
{
	struct text t = arena_text(mem, text_of(words));
	char *s = arena_copy(mem, t.s, t.n);

	for (size_t i = 0; i < t.n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e || s[i] == '"' || s[i] == '\\')
			s[i] = '?';
	return (struct text){ s, t.n };
}

static void
member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\":", name);
	buf_json(out, text_of(value));
	buf_putc(out, ',');
}

/* The path as a URI reference: it was decoded, so it is escaped again. */
static void
instance_print(struct buf *out, struct text path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&()*+,;=:@";

	if (!path.s) {
		buf_puts(out, "null");
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < path.n; i++) {
		const unsigned char c = (unsigned char)path.s[i];

		if (c && strchr(plain, c))
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
	buf_putc(out, '"');
}

static void
errors_print(struct buf *out, const struct faults *faults)
{
	buf_puts(out, "\"errors\":[");
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *fault = &faults->v[i];

		buf_puts(out, i ? ",{\"pointer\":" : "{\"pointer\":");
		buf_json(out, fault->pointer);
		buf_puts(out, ",\"code\":");
		buf_json(out, text_of(fault->code));
		buf_puts(out, ",\"detail\":");
		buf_json(out, text_of(fault->detail));
		buf_putc(out, '}');
	}
	buf_puts(out, "],");
}

/* The first fault says more than the row: "username must be given". */
static void
oauth_print(const struct call *call, enum error error)
{
	const struct faults *faults = &call->faults;
	const char *words = problem_detail(call, error);

	if (faults->n && !call->reply.detail)
		words = arena_printf(call->mem, "%.*s %s",
		    TEXT_FMT(faults->v[0].pointer), faults->v[0].detail);
	if (words[0] == '/')
		words++;
	buf_puts(call->out, "{\"error\":");
	buf_json(call->out, text_of(error_row((int)error)->oauth));
	buf_puts(call->out, ",\"error_description\":");
	buf_json(call->out, problem_description(call->mem, words));
	buf_putc(call->out, '}');
}

static bool
is_oauth(const struct call *call)
{
	return call->route && call->route->flags & ROUTE_OAUTH;
}

const char *
problem_type(const struct call *call)
{
	return is_oauth(call) ? "application/json" :
	    "application/problem+json";
}

void
problem_print(const struct call *call, enum error error)
{
	const struct error_row *row = error_row((int)error);
	const struct reply *reply = &call->reply;
	const char *detail = problem_detail(call, error);
	struct buf *out = call->out;

	if (is_oauth(call)) {
		oauth_print(call, error);
		return;
	}
	buf_printf(out, "{\"type\":\"/problems/%s\",", row->code);
	member(out, "title", row->title);
	buf_printf(out, "\"status\":%d,", row->status);
	member(out, "detail", detail);
	buf_puts(out, "\"instance\":");
	instance_print(out, call->req->path);
	buf_putc(out, ',');
	member(out, "code", row->code);
	member(out, "message", detail);	/* seed clients read this one */
	errors_print(out, &call->faults);
	if (reply->extra && reply->extra_object && row->status < 500) {
		buf_printf(out, "\"%s\":", reply->extra_name);
		field_print_json(out, reply->extra, reply->extra_object,
		    FIELD_ALL);
		buf_putc(out, ',');
	}
	buf_puts(out, "\"request_id\":");
	buf_json(out, call->req->id);
	buf_putc(out, '}');
}
