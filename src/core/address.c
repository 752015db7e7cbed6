/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tells public addresses from those that only mean something nearby. */
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "core/cidr.h"

#define MAPPED_BITS 96

struct special {
	struct address net;
	int bits;
	const char *kind;
};

#define V4(a, b, c, d) { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, \
	a, b, c, d } }
#define V6(...) { { __VA_ARGS__ } }

/* Where an IPv4 address is inside an IPv6 one, and which is judged. */
static const struct wrap {
	struct address net;
	int bits;
	size_t at;
} wraps[] = {
	{ V6(0, 0x64, 0xff, 0x9b), 96, 12 },	/* NAT64, RFC 6052 */
	{ V6(0x20, 0x02), 16, 2 },		/* 6to4, RFC 3056 */
};

static const struct special v4_special[] = {
	{ V4(0, 0, 0, 0), 8, "unspecified" },
	{ V4(10, 0, 0, 0), 8, "private" },
	{ V4(100, 64, 0, 0), 10, "carrier-grade NAT" },
	{ V4(127, 0, 0, 0), 8, "loopback" },
	{ V4(169, 254, 0, 0), 16, "link-local" },
	{ V4(172, 16, 0, 0), 12, "private" },
	{ V4(192, 0, 0, 0), 24, "reserved" },
	{ V4(192, 0, 2, 0), 24, "documentation" },
	{ V4(192, 88, 99, 0), 24, "reserved" },
	{ V4(192, 168, 0, 0), 16, "private" },
	{ V4(198, 18, 0, 0), 15, "benchmarking" },
	{ V4(198, 51, 100, 0), 24, "documentation" },
	{ V4(203, 0, 113, 0), 24, "documentation" },
	{ V4(224, 0, 0, 0), 4, "multicast" },
	{ V4(240, 0, 0, 0), 4, "reserved" },
};

/* The last row is all: what stands above it is named, or let through. */
static const struct special v6_special[] = {
	{ V6(0x20, 0x01, 0x0d, 0xb8), 32, "documentation" },
	{ V6(0x20, 0x01), 23, "reserved" },	/* Teredo, ORCHID, ... */
	{ V6(0x3f, 0xff), 20, "documentation" },
	{ V6(0x20), 3, NULL },
	{ V6(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 128,
	  "loopback" },
	{ V6(0), 128, "unspecified" },
	{ V6(0xfc), 7, "private" },
	{ V6(0xfe, 0x80), 10, "link-local" },
	{ V6(0xff), 8, "multicast" },
	{ V6(0), 0, "reserved" },
};

static bool
within(const struct address *a, const struct address *net, int bits)
{
	const size_t whole = (size_t)bits / 8;
	const int rest = bits % 8;
	const uint8_t mask = (uint8_t)(0xff << (8 - rest));

	return memcmp(a->b, net->b, whole) == 0 && (rest == 0 ||
	    ((a->b[whole] ^ net->b[whole]) & mask) == 0);
}

static struct address
mapped(const void *v4)
{
	struct address a = V4(0, 0, 0, 0);

	memcpy(a.b + 12, v4, 4);
	return a;
}

bool
address_of(const struct sockaddr *from, struct address *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->sa_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		*ret = mapped(&in.sin_addr);
	} else if (from->sa_family == AF_INET6) {
		memcpy(&in6, from, sizeof(in6));
		memcpy(ret->b, &in6.sin6_addr, sizeof(ret->b));
	} else {
		return false;
	}
	return true;
}

static bool
is_v4(const struct address *a)
{
	static const struct address any = V4(0, 0, 0, 0);

	return within(a, &any, MAPPED_BITS);
}

static const char *
v4_kind(const struct address *a)
{
	const size_t n = sizeof(v4_special) / sizeof(v4_special[0]);

	for (size_t i = 0; i < n; i++) {
		const struct special *row = &v4_special[i];

		if (within(a, &row->net, MAPPED_BITS + row->bits))
			return row->kind;
	}
	return NULL;
}

const char *
address_special(const struct address *address)
{
	const struct special *row = v6_special;

	if (is_v4(address))
		return v4_kind(address);
	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		if (within(address, &wraps[i].net, wraps[i].bits)) {
			struct address inner = mapped(address->b +
			    wraps[i].at);

			return v4_kind(&inner);
		}
	}
	while (!within(address, &row->net, row->bits))
		row++;
	return row->kind;
}

/* As cidr_canonical prints it: address/bits. */
static void
network_read(struct text canonical, struct network *ret)
{
	char s[INET6_ADDRSTRLEN + 1] = "";
	const char *slash = memchr(canonical.s, '/', canonical.n);
	uint8_t v4[4];

	memcpy(s, canonical.s, (size_t)(slash - canonical.s));
	ret->bits = (int)strtol(slash + 1, NULL, 10);
	if (inet_pton(AF_INET, s, v4) == 1) {
		ret->address = mapped(v4);
		ret->bits += MAPPED_BITS;
	} else {
		inet_pton(AF_INET6, s, ret->address.b);
	}
}

static size_t
count(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

static int
read_list(struct arena *mem, const char *s, struct networks *to,
    struct text *ret_bad)
{
	for (; *s; s += *s == ',') {
		struct text net;

		s += strspn(s, " ");
		net = (struct text){ s, strcspn(s, ", ") };
		*ret_bad = net;
		s += net.n;
		s += strspn(s, " ");
		if ((*s && *s != ',') || !cidr_canonical(mem, &net))
			return -EINVAL;
		network_read(net, &to->v[to->n++]);
	}
	return 0;
}

int
networks_parse(const char *list, struct networks *ret, struct text *ret_bad)
{
	struct networks to = { .n = 0 };
	struct arena *mem = arena_new(1024);
	int r;

	to.v = calloc(count(list), sizeof(*to.v));
	if (!mem || !to.v) {
		arena_free(mem);
		free(to.v);
		return -ENOMEM;
	}
	r = read_list(mem, list, &to, ret_bad);
	arena_free(mem);
	if (r < 0)
		networks_done(&to);
	else
		*ret = to;
	return r;
}

void
networks_done(struct networks *networks)
{
	free(networks->v);
	networks->v = NULL;
	networks->n = 0;
}

bool
networks_have(const struct networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->n; i++)
		if (within(address, &networks->v[i].address,
		    networks->v[i].bits))
			return true;
	return false;
}
