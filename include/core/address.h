/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which addresses a connection of ours may go to. */
#ifndef DOCKET_CORE_ADDRESS_H
#define DOCKET_CORE_ADDRESS_H

#include <sys/socket.h>

#include "base/text.h"

/* 16 bytes, network order; IPv4 as ::ffff:a.b.c.d. */
struct address {
	uint8_t b[16];
};

/* False: neither IPv4 nor IPv6. */
bool address_of(const struct sockaddr *from, struct address *ret);

/*
 * NULL for an address of the public internet, or in a word or two what else
 * it is: "loopback", "private", "link-local", ... (IANA's special-purpose
 * registries, RFC 6890). What IPv6 wraps around an IPv4 address (mapped,
 * NAT64, 6to4) is what that one is. Of IPv6, only 2000::/3 can be public.
 */
const char *address_special(const struct address *address);

/* Networks that are allowed although they are special. */
struct networks {
	struct network {
		struct address address;
		int bits;	/* of the 16 bytes */
	} *v;
	size_t n;
};

/*
 * "10.0.0.0/8, ::1": networks between commas, as cidr_canonical reads them.
 * 0 with *ret (networks_done); -EINVAL with *ret_bad, the first part that is
 * none, inside `list`; -ENOMEM. Empty: no network.
 */
int networks_parse(const char *list, struct networks *ret,
    struct text *ret_bad);
void networks_done(struct networks *networks);

/* By the address itself: what it wraps is not looked at. */
bool networks_have(const struct networks *networks,
    const struct address *address);

#endif
