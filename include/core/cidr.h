/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Networks as text: 192.0.2.0/24, 2001:db8::/32, or one address. */
#ifndef DOCKET_CORE_CIDR_H
#define DOCKET_CORE_CIDR_H

#include "base/arena.h"
#include "base/text.h"

/*
 * *net -> its one spelling: address/length, the bits behind the length zero,
 * as PostgreSQL's cidr wants it; an address alone is a network of one; an
 * IPv4 address inside IPv6 (::ffff:a.b.c.d) is IPv4, as clients' addresses
 * are. False, and *net as it was: no network.
 */
bool cidr_canonical(struct arena *mem, struct text *net);

#endif
