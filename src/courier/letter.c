/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Words the message that carries a code. */
#include "courier/letter.h"

/* The host name of an https URL, or empty: no URL, or an address literal,
 * which a code cannot be bound to. */
static struct text
host_of(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof(scheme) - 1;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0 || host[0] == '[')
		return TEXT("");
	return (struct text){ host, strcspn(host, ":/?#") };
}

struct text
letter_text(struct arena *mem, struct text code, long ttl_seconds,
    const char *public_url)
{
	bool minutes = ttl_seconds % 60 == 0;
	long n = minutes ? ttl_seconds / 60 : ttl_seconds;
	struct text host = host_of(public_url);
	char *text = arena_printf(mem,
	    "Your Docket code is %.*s. It is valid for %ld %s%s.",
	    TEXT_FMT(code), n, minutes ? "minute" : "second",
	    n == 1 ? "" : "s");

	if (host.n > 0)
		text = arena_printf(mem, "%s\n\n@%.*s #%.*s", text,
		    TEXT_FMT(host), TEXT_FMT(code));
	return text_of(text);
}
