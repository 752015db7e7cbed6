/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a user name, an e-mail address and a phone number: canonical
 * forms stay as they are, and no text is two of them. */
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"
#include "core/names.h"
#include "lib/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Taken or refused with a reason; what is taken is taken as it is now. */
static bool
check(field_check *check_name, struct arena *mem, struct text in,
    struct text *ret)
{
	const char *why = NULL;
	struct text again;

	*ret = in;
	if ((*check_name)(mem, ret, &why)) {
		must(why && *why, "refused without a word");
		must(ret->s == in.s && ret->n == in.n, "refused, yet changed");
		return false;
	}
	again = *ret;
	must((*check_name)(mem, &again, &why) == 0, "then it is refused");
	must(text_equal(*ret, again), "then it is another");
	return true;
}

static struct text
key_of(struct arena *mem, struct text name)
{
	struct text key;

	must(name_key(mem, name, &key) == 0, "it has no key");
	return key;
}

/* One key, whichever of its spellings it is made of. */
static void
check_key(struct arena *mem, struct text in)
{
	struct text key;

	if (name_key(mem, in, &key)) {
		must(text_chars(in) < 0, "valid UTF-8 without a key");
		return;
	}
	must(text_chars(in) >= 0 && text_chars(key) >= 0, "no UTF-8");
	must(text_equal(key_of(mem, key), key), "a key has another key");
}

static bool
check_username(struct arena *mem, struct text in)
{
	field_check f = name_check_username;
	struct text name;

	if (!check(&f, mem, in, &name))
		return false;
	must(text_chars(name) >= 3 && text_chars(name) <= 64, "its length");
	must(!memchr(name.s, '@', name.n) && !memchr(name.s, '+', name.n) &&
	    !memchr(name.s, ' ', name.n), "looks like something else");
	must(text_equal(key_of(mem, in), key_of(mem, name)), "another key");
	return true;
}

static bool
check_email(struct arena *mem, struct text in)
{
	field_check f = name_check_email;
	struct text address, mask;
	const char *at;

	if (!check(&f, mem, in, &address))
		return false;
	at = memchr(address.s, '@', address.n);
	must(at && at > address.s && at - address.s <= 64 && address.n <= 254,
	    "its parts");
	/* cppcheck-suppress nullPointerArithmeticRedundantCheck ; must ends */
	must(!memchr(at + 1, '@', address.n - (size_t)(at + 1 - address.s)),
	    "two signs");
	for (size_t i = 0; i < address.n; i++)
		must(address.s[i] > ' ' && address.s[i] < 0x7f &&
		    !(address.s + i > at && address.s[i] >= 'A' &&
		    address.s[i] <= 'Z'), "its characters");
	mask = name_mask(mem, address);
	must(text_is(mask, arena_printf(mem, "%c***%.*s", address.s[0],
	    (int)(address.s + address.n - at), at)), "not masked");
	return true;
}

static bool
check_phone(struct arena *mem, struct text in)
{
	field_check f = name_check_phone;
	struct text phone, mask;

	if (!check(&f, mem, in, &phone))
		return false;
	must(phone.n >= 8 && phone.n <= 16 && phone.s[0] == '+' &&
	    phone.s[1] != '0', "no E.164");
	for (size_t i = 1; i < phone.n; i++)
		must(phone.s[i] >= '0' && phone.s[i] <= '9', "its characters");
	mask = name_mask(mem, phone);
	must(memmem(mask.s, mask.n, "***", 3) &&
	    !memmem(mask.s, mask.n, phone.s, phone.n), "not masked");
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { size ? (const char *)data : "", size };
	bool name, email, phone;

	if (!mem)
		return 0;
	check_key(mem, in);
	name = check_username(mem, in);
	email = check_email(mem, in);
	phone = check_phone(mem, in);
	/* But a phone may be dialled as digits alone, like a name. */
	must(!email || !(name || phone), "two readings of an address");
	must(!(name && phone) || in.s[0] != '+', "a phone that is a name");
	arena_free(mem);
	return 0;
}
