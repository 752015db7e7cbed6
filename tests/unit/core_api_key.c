/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* API keys as text, the networks and the scopes that they are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/crypto.h"
#include "core/api_key.h"
#include "core/cidr.h"
#include "core/scope.h"

static struct arena *mem;

static int
setup(void **state)
{
	(void)state;
	mem = arena_new(65536);
	return crypto_init();
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	crypto_done();
	return 0;
}

static bool
parses(struct text key)
{
	struct uuid id;

	return api_key_parse(key, &id);
}

static void
a_key_has_a_known_spelling(void **state)
{
	static const uint8_t least[API_KEY_SECRET], most[API_KEY_SECRET] = {
		[0 ... API_KEY_SECRET - 1] = 0xff
	};
	struct uuid low = { .b = { 0 } }, high, id;
	struct text key;

	(void)state;
	memset(&high, 0xff, sizeof(high));
	/* Computed by hand with zlib.crc32 and integer division by 62. */
	key = api_key_make(mem, &low, least);
	assert_string_equal(key.s, "dk_0000000000000000000000000000000000000"
	    "00000000000000000000000000003yxf9U");
	assert_int_equal(key.n, API_KEY_CHARS);
	assert_true(api_key_parse(key, &id) && uuid_equal(&id, &low));
	key = api_key_make(mem, &high, most);
	assert_string_equal(key.s, "dk_7n42DGM5Tflk9n8mt7Fhc7yhjskwdA6OZ1AL1"
	    "YmHWZWm8LLG7HjnuCA2j5rOw8Xp13W1XNh");
	assert_true(api_key_parse(key, &id) && uuid_equal(&id, &high));
}

static void
one_wrong_character_is_found(void **state)
{
	char copy[API_KEY_CHARS + 2];
	struct text key, hash;
	struct uuid id;

	(void)state;
	assert_int_equal(crypto_uuid(&id, NULL), 0);
	assert_int_equal(api_key_new(mem, &id, &key, &hash), 0);
	assert_true(parses(key));
	for (size_t i = 0; i < key.n; i++)
		for (int c = 0; c < 256; c++) {
			memcpy(copy, key.s, key.n);
			copy[i] = (char)c;
			assert_int_equal(parses((struct text){ copy, key.n }),
			    copy[i] == key.s[i]);
		}
	/* Two neighbours that changed places. */
	for (size_t i = 3; i + 1 < key.n; i++) {
		memcpy(copy, key.s, key.n);
		copy[i] = key.s[i + 1];
		copy[i + 1] = key.s[i];
		assert_int_equal(parses((struct text){ copy, key.n }),
		    copy[i] == copy[i + 1]);
	}
	memcpy(copy, key.s, key.n);
	copy[key.n] = '0';
	for (size_t n = 0; n <= key.n + 1; n++)
		assert_int_equal(parses((struct text){ copy, n }),
		    n == key.n);
	assert_false(parses(TEXT_NONE));
}

static void
no_two_keys_are_alike(void **state)
{
	struct text key[2], hash[2];
	struct uuid id;

	(void)state;
	assert_int_equal(crypto_uuid(&id, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(api_key_new(mem, &id, &key[i], &hash[i]), 0);
	assert_memory_equal(key[0].s, key[1].s, 3 + 22);
	assert_false(text_equal(key[0], key[1]));
	assert_false(text_equal(hash[0], hash[1]));
	assert_int_equal(api_key_hash(mem, key[1], &hash[0]), 0);
	assert_true(text_equal(hash[0], hash[1]));
}

/* A number beyond 128 or 256 bits would be another's second spelling: the
 * checksum is right, the key is refused. */
static void
a_number_that_is_too_great(void **state)
{
	(void)state;
	assert_false(parses(TEXT("dk_7n42DGM5Tflk9n8mt7Fhc8000000000000000"
	    "000000000000000000000000000010stDa")));
	assert_false(parses(TEXT("dk_0000000000000000000000yhjskwdA6OZ1AL1"
	    "YmHWZWm8LLG7HjnuCA2j5rOw8Xp24Iq2Xi")));
}

/* The checksum is right, the characters are no digits. */
static void
another_alphabet(void **state)
{
	(void)state;
	assert_false(parses(TEXT("dk_----------------------000000000000000"
	    "00000000000000000000000000002FJaVT")));
	assert_false(parses(TEXT("dk_0000000000000000000000000000000000000"
	    "000000000000000000000000000/1XzG9N")));
	assert_false(parses(TEXT("dk_0000000000000000000000000000000000000"
	    "000000000000000000000000000[04PZZg")));
	assert_false(parses(TEXT("dk_0000000000000000000000000000000000000"
	    "000000000000000000000000000{12CqnI")));
}

static void
networks_have_one_spelling(void **state)
{
	static const struct {
		const char *in, *out;	/* out NULL: no network */
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7/32" },
		{ "192.0.2.7/24", "192.0.2.0/24" },
		{ "255.255.255.255/9", "255.128.0.0/9" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "1.2.3.4/0", "0.0.0.0/0" },
		{ "2001:DB8:0:0::1/32", "2001:db8::/32" },
		{ "::1", "::1/128" },
		{ "::/0", "::/0" },
		{ "ffff:ffff::/17", "ffff:8000::/17" },
		{ "::ffff:192.0.2.7", "192.0.2.7/32" },
		{ "::ffff:192.0.2.7/120", "192.0.2.0/24" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::ffff:0:0/95", "::fffe:0:0/95" },
		{ "", NULL }, { "/", NULL }, { "/8", NULL },
		{ "192.0.2.7/", NULL }, { "192.0.2.7/33", NULL },
		{ "::1/129", NULL }, { "192.0.2.7/-1", NULL },
		{ "192.0.2.7/+1", NULL }, { "192.0.2.7/ 1", NULL },
		{ "192.0.2.7/1 ", NULL }, { "192.0.2.7/01", NULL },
		{ "192.0.2.7/1/1", NULL }, { "192.0.2.7/a", NULL },
		{ "192.0.2/24", NULL }, { "192.0.2.256", NULL },
		{ " 192.0.2.7", NULL }, { "0x7f.0.0.1", NULL },
		{ "fe80::1%eth0", NULL }, { "localhost", NULL },
		{ "192.0.2.7/99999999999999999999", NULL },
		{ "0000:0000:0000:0000:0000:0000:192.000.002.007/128aaaaaaaa",
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text net = text_of(rows[i].in), again;

		assert_int_equal(cidr_canonical(mem, &net),
		    rows[i].out != NULL);
		assert_true(text_is(net, rows[i].out ? rows[i].out :
		    rows[i].in));
		again = net;
		assert_true(!rows[i].out || (cidr_canonical(mem, &again) &&
		    text_equal(again, net)));
	}
	assert_false(cidr_canonical(mem, &(struct text){ "1.2.3.4\0x", 9 }));
}

static void
scopes_by_name_and_bit(void **state)
{
	struct text two[] = { TEXT("admin"), TEXT("tasks:read") }, out[4];

	(void)state;
	assert_int_equal(scope_bit(TEXT("tasks:read")), MAY_TASKS_READ);
	assert_int_equal(scope_bit(TEXT("tasks:write")), MAY_TASKS_WRITE);
	assert_int_equal(scope_bit(TEXT("account")), MAY_ACCOUNT);
	assert_int_equal(scope_bit(TEXT("admin")), MAY_ADMIN);
	assert_int_equal(scope_bit(TEXT("Admin")), 0);
	assert_int_equal(scope_bit(TEXT("")), 0);
	assert_int_equal(scope_bits((struct texts){ two, 2 }),
	    MAY_ADMIN | MAY_TASKS_READ);
	assert_int_equal(scope_words(TEXT("account tasks:write")),
	    MAY_ACCOUNT | MAY_TASKS_WRITE);
	assert_int_equal(scope_words(TEXT(" account  x ")), MAY_ACCOUNT);
	assert_int_equal(scope_words(TEXT("accountadmin")), 0);
	assert_int_equal(scope_words(TEXT("")), 0);
	assert_int_equal(scope_list(MAY_ALL, out), 4);
	assert_true(text_is(out[0], "tasks:read") && text_is(out[3], "admin"));
	assert_int_equal(scope_list(MAY_ACCOUNT, out), 1);
	assert_true(text_is(out[0], "account"));
	assert_int_equal(scope_list(0, out), 0);
}

static void
what_a_key_may_be_called(void **state)
{
	static const struct text bad[] = {
		TEXT_INIT("a\nb"), TEXT_INIT("\x7f"), TEXT_INIT("\x1b[2J"),
		TEXT_INIT("\xc2\x80"), TEXT_INIT("x\xc2\x9f"),
	};
	struct text good = TEXT("caf\xc3\xa9 \xc2\xa0 \xc2");
	const char *why = NULL;

	(void)state;
	assert_int_equal(api_key_check_name(mem, &good, &why), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct text name = bad[i];

		why = NULL;
		assert_int_equal(api_key_check_name(mem, &name, &why), 1);
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_has_a_known_spelling),
		cmocka_unit_test(one_wrong_character_is_found),
		cmocka_unit_test(no_two_keys_are_alike),
		cmocka_unit_test(a_number_that_is_too_great),
		cmocka_unit_test(another_alphabet),
		cmocka_unit_test(networks_have_one_spelling),
		cmocka_unit_test(scopes_by_name_and_bit),
		cmocka_unit_test(what_a_key_may_be_called),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
