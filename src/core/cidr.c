/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Networks: parse, cut off the host's bits, print. */
#include "core/cidr.h"

#include <arpa/inet.h>

/* "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128" is the longest. */
#define NET_MAX 50
#define MAPPED_BITS 96

/* Decimal, no sign, no leading zero; -1 for anything else. */
static int
length_read(const char *s, int most)
{
	int n = 0;

	if (!*s || (s[0] == '0' && s[1]))
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		n = n * 10 + (*s - '0');
		if (n > most)
			return -1;
	}
	return n;
}

static void
mask(uint8_t *bytes, int size, int bits)
{
	for (int i = 0; i < size; i++) {
		const int keep = bits - 8 * i;

		if (keep <= 0)
			bytes[i] = 0;
		else if (keep < 8)
			bytes[i] &= (uint8_t)(0xff << (8 - keep));
	}
}

static void
print(struct arena *mem, int family, const uint8_t *bytes, int bits,
    struct text *ret)
{
	char out[INET6_ADDRSTRLEN];

	inet_ntop(family, bytes, out, sizeof(out));
	*ret = text_of(arena_printf(mem, "%s/%d", out, bits));
}

static bool
is_mapped(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

bool
cidr_canonical(struct arena *mem, struct text *net)
{
	char address[NET_MAX + 1];
	uint8_t bytes[16];
	const char *length = NULL;
	char *slash;
	int family, most, bits;

	if (net->n > NET_MAX || memchr(net->s, '\0', net->n))
		return false;
	memcpy(address, net->s, net->n);
	address[net->n] = '\0';
	slash = strchr(address, '/');
	if (slash) {
		*slash = '\0';
		length = slash + 1;
	}
	family = strchr(address, ':') ? AF_INET6 : AF_INET;
	most = family == AF_INET6 ? 128 : 32;
	bits = length ? length_read(length, most) : most;
	if (bits < 0 || inet_pton(family, address, bytes) != 1)
		return false;
	if (family == AF_INET6 && bits >= MAPPED_BITS && is_mapped(bytes)) {
		memmove(bytes, bytes + 12, 4);
		family = AF_INET;
		most = 32;
		bits -= MAPPED_BITS;
	}
	mask(bytes, most / 8, bits);
	print(mem, family, bytes, bits, net);
	return true;
}
