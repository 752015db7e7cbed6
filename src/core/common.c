/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Is a password one that everybody, or its owner's name, gives away? */
#include "core/common.h"

#include "core/names.h"

/* <0, 0, >0 as for memcmp; a beginning is less than the whole. */
static int
compare(struct text a, struct text b)
{
	const size_t n = a.n < b.n ? a.n : b.n;
	const int r = n ? memcmp(a.s, b.s, n) : 0;

	if (r)
		return r;
	return (a.n > b.n) - (a.n < b.n);
}

static struct text
word(size_t i)
{
	return (struct text){ common_words + common_at[i],
	    common_at[i + 1] - common_at[i] };
}

static bool
is_listed(struct text key)
{
	size_t low = 0, high = common_n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int r = compare(key, word(middle));

		if (r == 0)
			return true;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool
is_name(struct arena *mem, struct text key, struct text name)
{
	struct text own;

	return name.n > 0 && name_key(mem, name, &own) == 0 &&
	    text_equal(key, own);
}

static struct text
local_part(struct text email)
{
	const char *at = email.n ? memchr(email.s, '@', email.n) : NULL;

	return at ? (struct text){ email.s, (size_t)(at - email.s) } :
	    TEXT_NONE;
}

static struct text
without_plus(struct text phone)
{
	return phone.n && phone.s[0] == '+' ?
	    (struct text){ phone.s + 1, phone.n - 1 } : phone;
}

static bool
is_personal(struct arena *mem, struct text key,
    const struct password_owner *owner)
{
	return is_name(mem, key, owner->username) ||
	    is_name(mem, key, owner->email) ||
	    is_name(mem, key, local_part(owner->email)) ||
	    is_name(mem, key, owner->phone) ||
	    is_name(mem, key, without_plus(owner->phone));
}

const char *
password_common(struct arena *mem, struct text password,
    const struct password_owner *owner)
{
	struct text key;

	if (name_key(mem, password, &key))
		return NULL;
	if (is_personal(mem, key, owner))
		return "personal";
	return is_listed(key) ? "common" : NULL;
}

const char *
password_common_why(const char *code)
{
	return code[0] == 'p' ?
	    "must not be your own name, address or phone number" :
	    "is among the passwords that guessers try first";
}
