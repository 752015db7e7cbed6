/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A list of networks as a setting. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings_row.h"

/* 192.0.2.0/24, 2001:db8::/32, or one address; n bytes of s. */
static bool
is_network(const char *s, size_t n)
{
	char text[INET6_ADDRSTRLEN + 4] = "";
	unsigned char address[16];
	char *slash, *end;
	long bits = 0, most;

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	slash = strchr(text, '/');
	if (slash) {
		*slash++ = '\0';
		if (*slash < '0' || *slash > '9')
			return false;
		bits = strtol(slash, &end, 10);
		if (*end)
			return false;
	}
	most = strchr(text, ':') ? 128 : 32;
	return bits <= most && inet_pton(most == 32 ? AF_INET : AF_INET6,
	    text, address) == 1;
}

bool
settings_are_networks(const char *s)
{
	while (*(s += strspn(s, ", "))) {
		size_t n = strcspn(s, ", ");

		if (!is_network(s, n))
			return false;
		s += n;
	}
	return true;
}
