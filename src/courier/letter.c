/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A letter's last line, and a letter as JSON. */
#include "courier/letter.h"

/* The last label of an IPv4 address is a number; no host name's is. */
static bool
is_address(struct text host)
{
	size_t n = host.n;

	while (n > 0 && host.s[n - 1] >= '0' && host.s[n - 1] <= '9')
		n--;
	return n < host.n && (n == 0 || host.s[n - 1] == '.');
}

struct text
letter_host(const char *public_url)
{
	static const char scheme[] = "https://";
	struct text host;

	if (strncmp(public_url, scheme, sizeof(scheme) - 1) != 0)
		return TEXT("");
	host.s = public_url + sizeof(scheme) - 1;
	host.n = strcspn(host.s, ":/?#");
	return host.s[0] == '[' || is_address(host) ? TEXT("") : host;
}

struct text
letter_bound(struct arena *mem, struct text text, struct text host,
    struct text code)
{
	if (host.n == 0)
		return text;
	return text_of(arena_printf(mem, "%.*s\n\n@%.*s #%.*s",
	    TEXT_FMT(text), TEXT_FMT(host), TEXT_FMT(code)));
}

void
letter_json(struct buf *out, const struct letter *letter)
{
	const struct {
		const char *name;
		struct text value;
	} members[] = {
		{ "id", letter->id },
		{ "channel", letter->channel },
		{ "to", letter->to },
		{ "purpose", letter->purpose },
		{ "code", letter->code },
		{ "subject", letter->subject },
		{ "text", letter->text },
		{ "language", letter->language },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_name(out, i == 0 ? '{' : ',', members[i].name);
		buf_json(out, members[i].value);
	}
	buf_puts(out, ",\"created_at\":\"");
	buf_time(out, letter->created_at);
	buf_puts(out, "\"}\n");
}
