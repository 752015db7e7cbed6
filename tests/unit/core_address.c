/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Public addresses and others, by their edges; lists of networks. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/address.h"

static struct address
parse(const char *s)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct address a;

	if (inet_pton(AF_INET, s, &in.sin_addr) == 1) {
		assert_true(address_of((struct sockaddr *)&in, &a));
	} else {
		assert_int_equal(inet_pton(AF_INET6, s, &in6.sin6_addr), 1);
		assert_true(address_of((struct sockaddr *)&in6, &a));
	}
	return a;
}

static void
kinds(void **state)
{
	/* Both ends of each range, and their neighbours outside. */
	static const struct {
		const char *address, *kind;
	} rows[] = {
		{ "0.0.0.0", "unspecified" }, { "0.255.255.255", "unspecified" },
		{ "1.0.0.0", NULL }, { "9.255.255.255", NULL },
		{ "10.0.0.0", "private" }, { "10.255.255.255", "private" },
		{ "11.0.0.0", NULL }, { "100.63.255.255", NULL },
		{ "100.64.0.0", "carrier-grade NAT" },
		{ "100.127.255.255", "carrier-grade NAT" },
		{ "100.128.0.0", NULL }, { "126.255.255.255", NULL },
		{ "127.0.0.0", "loopback" }, { "127.0.0.1", "loopback" },
		{ "127.255.255.255", "loopback" }, { "128.0.0.0", NULL },
		{ "169.253.255.255", NULL }, { "169.254.0.0", "link-local" },
		{ "169.254.169.254", "link-local" },
		{ "169.254.255.255", "link-local" }, { "169.255.0.0", NULL },
		{ "172.15.255.255", NULL }, { "172.16.0.0", "private" },
		{ "172.31.255.255", "private" }, { "172.32.0.0", NULL },
		{ "191.255.255.255", NULL }, { "192.0.0.0", "reserved" },
		{ "192.0.0.255", "reserved" }, { "192.0.1.0", NULL },
		{ "192.0.2.0", "documentation" },
		{ "192.0.2.255", "documentation" }, { "192.0.3.0", NULL },
		{ "192.88.99.1", "reserved" }, { "192.88.100.0", NULL },
		{ "192.167.255.255", NULL }, { "192.168.0.0", "private" },
		{ "192.168.255.255", "private" }, { "192.169.0.0", NULL },
		{ "198.17.255.255", NULL }, { "198.18.0.0", "benchmarking" },
		{ "198.19.255.255", "benchmarking" }, { "198.20.0.0", NULL },
		{ "198.51.100.0", "documentation" },
		{ "198.51.101.0", NULL }, { "203.0.112.255", NULL },
		{ "203.0.113.255", "documentation" },
		{ "203.0.114.0", NULL }, { "223.255.255.255", NULL },
		{ "224.0.0.0", "multicast" },
		{ "239.255.255.255", "multicast" },
		{ "240.0.0.0", "reserved" }, { "255.255.255.255", "reserved" },
		{ "8.8.8.8", NULL },
		/* IPv6 */
		{ "::", "unspecified" }, { "::1", "loopback" },
		{ "::2", "reserved" }, { "::127.0.0.1", "reserved" },
		{ "::8.8.8.8", "reserved" },
		{ "100::1", "reserved" }, { "5f00::1", "reserved" },
		{ "1fff:ffff::1", "reserved" }, { "2000::", NULL },
		{ "2000:ffff::1", NULL },
		{ "2001::1", "reserved" }, { "2001:1ff::1", "reserved" },
		{ "2001:200::1", NULL }, { "2001:db7:ffff::1", NULL },
		{ "2001:db8::", "documentation" },
		{ "2001:db8:ffff::1", "documentation" },
		{ "2001:db9::1", NULL }, { "2606:4700::1111", NULL },
		{ "3ffe:ffff::1", NULL }, { "3fff::1", "documentation" },
		{ "3fff:fff:ffff::1", "documentation" },
		{ "3fff:1000::1", NULL }, { "4000::", "reserved" },
		{ "fbff::1", "reserved" }, { "fc00::", "private" },
		{ "fd12:3456::1", "private" }, { "fdff::1", "private" },
		{ "fe00::1", "reserved" }, { "fe80::1", "link-local" },
		{ "febf:ffff::1", "link-local" }, { "fec0::1", "reserved" },
		{ "ff00::1", "multicast" }, { "ff02::1", "multicast" },
		/* IPv4 in IPv6 */
		{ "::ffff:127.0.0.1", "loopback" },
		{ "::ffff:10.1.2.3", "private" },
		{ "::ffff:169.254.169.254", "link-local" },
		{ "::ffff:8.8.8.8", NULL },
		{ "::fffe:8.8.8.8", "reserved" },
		{ "64:ff9b::127.0.0.1", "loopback" },
		{ "64:ff9b::192.168.1.1", "private" },
		{ "64:ff9b::8.8.8.8", NULL },
		{ "64:ff9b:1::8.8.8.8", "reserved" },
		{ "64:ff9b:0:0:0:1:808:808", "reserved" },
		{ "2002:7f00:1::1", "loopback" },
		{ "2002:a00:1::", "private" },
		{ "2002:c0a8:101::1", "private" },
		{ "2002:808:808::1", NULL },
		{ "2003::1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct address a = parse(rows[i].address);
		const char *kind = address_special(&a);

		if (rows[i].kind ? !kind || strcmp(kind, rows[i].kind) != 0 :
		    kind != NULL)
			fail_msg("%s is %s, not %s", rows[i].address,
			    kind ? kind : "public",
			    rows[i].kind ? rows[i].kind : "public");
	}
}

static void
families(void **state)
{
	struct sockaddr un = { .sa_family = AF_UNIX };
	struct address a;

	(void)state;
	assert_false(address_of(&un, &a));
}

static bool
have(const char *list, const char *address)
{
	const struct address a = parse(address);
	struct networks networks = { 0 };
	struct text bad;
	bool found;

	assert_int_equal(networks_parse(list, &networks, &bad), 0);
	found = networks_have(&networks, &a);
	networks_done(&networks);
	return found;
}

static void
lists(void **state)
{
	static const struct {
		const char *list, *address;
		bool found;
	} rows[] = {
		{ "", "127.0.0.1", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "::ffff:127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "127.0.0.1", "::1", false },
		{ "127.0.0.1", "2002:7f00:1::", false },
		{ "127.0.0.1", "64:ff9b::127.0.0.1", false },
		{ "10.0.0.0/9", "10.127.255.255", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "10.9.8.7/8", "10.128.0.0", true },
		{ " 10.0.0.0/8 , ::1/128", "::1", true },
		{ "10.0.0.0/8,::1", "10.0.0.1", true },
		{ "10.0.0.0/8,::1", "::2", false },
		{ "fd00::/8", "fd01::1", true },
		{ "fd00::/8", "fc01::1", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "192.0.2.1", true },
		{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (have(rows[i].list, rows[i].address) != rows[i].found)
			fail_msg("%s in \"%s\"", rows[i].address,
			    rows[i].list);
}

static void
bad_lists(void **state)
{
	static const struct {
		const char *list, *bad;
	} rows[] = {
		{ "localhost", "localhost" }, { "10.0.0.0/33", "10.0.0.0/33" },
		{ "::1,10.0.0/8", "10.0.0/8" }, { ",", "" },
		{ "::1,,::2", "" }, { "::1 ::2", "::1" },
		{ "010.0.0.1", "010.0.0.1" }, { "10.0.0.0/08", "10.0.0.0/08" },
		{ "10.0.0.0/", "10.0.0.0/" },
	};
	struct networks networks = { 0 };
	struct text bad;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(networks_parse(rows[i].list, &networks,
		    &bad), -EINVAL);
		assert_true(text_is(bad, rows[i].bad));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(families),
		cmocka_unit_test(lists),
		cmocka_unit_test(bad_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
