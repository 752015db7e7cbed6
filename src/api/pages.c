/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The Link header of a page that is not the last. */
#include "api/pages.h"

void
page_link(struct call *call, struct text cursor)
{
	struct buf b = { 0 };
	struct text rest = call->req->query;

	buf_puts(&b, "<");
	buf_puts(&b, call->route->path);
	buf_putc(&b, '?');
	while (rest.n) {
		const char *amp = memchr(rest.s, '&', rest.n);
		const size_t n = amp ? (size_t)(amp - rest.s) : rest.n;

		if (n && (n < 7 || memcmp(rest.s, "cursor=", 7) != 0)) {
			buf_put(&b, rest.s, n);
			buf_putc(&b, '&');
		}
		rest.s += n + (amp != NULL);
		rest.n -= n + (amp != NULL);
	}
	buf_printf(&b, "cursor=%.*s>; rel=\"next\"", TEXT_FMT(cursor));
	if (!b.failed)
		call_header(call, "Link", arena_text(call->mem, buf_view(&b)));
	buf_done(&b);
}
