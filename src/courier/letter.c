/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Words the message that carries a code. */
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

/* The host name of an https URL, or empty: no URL, or an address literal,
 * which a code cannot be bound to. */
static struct text
host_of(const char *url)
{
	static const char scheme[] = "https://";
	struct text host;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return TEXT("");
	host.s = url + sizeof(scheme) - 1;
	host.n = strcspn(host.s, ":/?#");
	return host.s[0] == '[' || is_address(host) ? TEXT("") : host;
}

struct text
letter_text(struct arena *mem, struct text channel, struct text code,
    long ttl_seconds, const char *public_url)
{
	bool minutes = ttl_seconds % 60 == 0;
	long n = minutes ? ttl_seconds / 60 : ttl_seconds;
	struct text host = host_of(public_url);
	char *text = arena_printf(mem,
	    "Your Docket code is %.*s. It is valid for %ld %s%s.",
	    TEXT_FMT(code), n, minutes ? "minute" : "second",
	    n == 1 ? "" : "s");

	if (host.n > 0 && text_is(channel, "sms"))
		text = arena_printf(mem, "%s\n\n@%.*s #%.*s", text,
		    TEXT_FMT(host), TEXT_FMT(code));
	return text_of(text);
}
