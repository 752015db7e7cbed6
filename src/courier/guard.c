/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Refuses requests that would forge lines, and addresses that are not ours to
 * reach. */
#include "courier/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

bool
guard_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

const char *
guard_host(const char *s)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const bool v6 = s[0] == '[';
	size_t n = v6 ? strspn(s + 1, "0123456789abcdefABCDEF:.") :
	    strspn(s, name);
	long port;

	if (n == 0 || (v6 && s[n + 1] != ']'))
		return NULL;
	s += v6 ? n + 2 : n;
	if (s[0] != ':')
		return s;
	n = strspn(++s, "0123456789");
	port = n > 0 && n < 6 ? strtol(s, NULL, 10) : 0;
	return port > 0 && port < 65536 ? s + n : NULL;
}

static const char *
http_fault(const struct net_request *request)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (!is_line(request->headers[i]))
			return "a header has control characters";
	if (strcmp(request->method, "GET") != 0 &&
	    strcmp(request->method, "POST") != 0)
		return "the method is neither GET nor POST";
	return NULL;
}

const char *
guard_request(const struct net_request *request)
{
	const char *url = request->url;

	if (!is_line(url))
		return "the URL has control characters";
	if (guard_scheme(url, "http://") || guard_scheme(url, "https://"))
		return http_fault(request);
	if (!guard_scheme(url, "smtp://") && !guard_scheme(url, "smtps://"))
		return "the URL is not of http, https, smtp or smtps";
	return is_line(request->mail_from) && is_line(request->mail_to) ?
	    NULL : "an address has control characters";
}

static void
address_print(const struct sockaddr *to, const struct address *address,
    char out[INET6_ADDRSTRLEN])
{
	const bool v4 = to->sa_family == AF_INET;

	if (!inet_ntop(to->sa_family, address->b + (v4 ? 12 : 0), out,
	    INET6_ADDRSTRLEN))
		out[0] = '\0';
}

bool
guard_address(const struct networks *allowed, bool tls,
    const struct sockaddr *to, char why[GUARD_WHY])
{
	char printed[INET6_ADDRSTRLEN];
	struct address address;
	const char *kind;

	if (!address_of(to, &address)) {
		snprintf(why, GUARD_WHY, "not an internet address");
		return false;
	}
	if (networks_have(allowed, &address))
		return true;
	kind = address_special(&address);
	if (!kind && tls)
		return true;
	address_print(to, &address, printed);
	if (kind)
		snprintf(why, GUARD_WHY, "%s is a %s address and not in "
		    "courier.allow_addresses", printed, kind);
	else
		snprintf(why, GUARD_WHY, "no TLS to %s, a public address",
		    printed);
	return false;
}
