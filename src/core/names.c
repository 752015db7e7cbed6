/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who people say they are: the one door to libunistring, and addresses. */
#include "core/names.h"

#include <errno.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>
#include <unictype.h>

#define USERNAME_MIN 3
#define USERNAME_MAX 64
#define EMAIL_MAX 254
#define LOCAL_MAX 64
#define LABEL_MAX 63
#define PHONE_MIN 8		/* with the plus */
#define PHONE_MAX 16

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct text
name_nfkc(struct arena *mem, struct text t)
{
	const uint8_t *in = (const uint8_t *)t.s;
	struct text out;
	uint8_t *s;
	size_t n = 0;

	/* u8_normalize would put U+FFFD for what it cannot read. */
	if (u8_check(in, t.n))
		return TEXT_NONE;
	s = u8_normalize(UNINORM_NFKC, in, t.n, NULL, &n);
	if (!s)
		arena_oom(mem);
	out = (struct text){ arena_copy(mem, (const char *)s, n), n };
	free(s);
	return out;
}

/* Letters, marks, decimal digits, and three signs; nothing invisible. */
static bool
is_name_char(ucs4_t c)
{
	const uint32_t categories = UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
	    UC_CATEGORY_MASK_Nd;

	if (c == '.' || c == '_' || c == '-')
		return true;
	/* Some fillers and variation selectors are letters and marks. */
	return uc_is_general_category_withtable(c, categories) &&
	    !uc_is_property_default_ignorable_code_point(c);
}

/* NULL, or what is wrong with a normalised name. */
static const char *
username_fault(struct text t)
{
	const uint8_t *at = (const uint8_t *)t.s, *end = at + t.n;
	size_t count = 0;

	while (at < end) {
		ucs4_t c;
		int n = u8_mbtouc(&c, at, (size_t)(end - at));

		if (!is_name_char(c))
			return "may hold letters, digits and . _ - only";
		if (count++ == 0 &&
		    uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M))
			return "must not begin with a combining mark";
		at += n;
	}
	if (count < USERNAME_MIN || count > USERNAME_MAX)
		return "must have 3 to 64 characters";
	if (t.s[0] == '.' || t.s[t.n - 1] == '.')
		return "must not begin or end with a dot";
	return NULL;
}

int
name_check_username(struct arena *mem, void *member, const char **ret_why)
{
	struct text *t = member;
	struct text name = name_nfkc(mem, *t);

	*ret_why = name.s ? username_fault(name) : "must be valid UTF-8";
	if (*ret_why)
		return 1;
	*t = name;
	return 0;
}

/* RFC 5322 atext, and the dot between atoms. */
static bool
is_local_part(struct text t)
{
	if (t.n == 0 || t.n > LOCAL_MAX || t.s[0] == '.' ||
	    t.s[t.n - 1] == '.')
		return false;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.s[i];

		if (c == '\0')
			return false;
		if (!is_alpha(c) && !is_digit(c) &&
		    !strchr("!#$%&'*+-/=?^_`{|}~.", c))
			return false;
		if (c == '.' && t.s[i - 1] == '.')
			return false;
	}
	return true;
}

/* RFC 1123: letters, digits and hyphens, no hyphen at an end. */
static bool
is_label(const char *s, size_t n)
{
	if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_alpha(s[i]) && !is_digit(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

/* At least two labels, and the last is no number: no IPv4 address. */
static bool
is_domain(struct text t)
{
	size_t start = 0, labels = 0;
	bool letters = false;

	for (size_t i = 0; i <= t.n; i++) {
		if (i < t.n && t.s[i] != '.') {
			letters = letters || !is_digit(t.s[i]);
			continue;
		}
		if (!is_label(t.s + start, i - start))
			return false;
		labels++;
		start = i + 1;
		if (i < t.n)
			letters = false;
	}
	return labels >= 2 && letters;
}

static struct text
trim_spaces(struct text t)
{
	while (t.n > 0 && t.s[0] == ' ') {
		t.s++;
		t.n--;
	}
	while (t.n > 0 && t.s[t.n - 1] == ' ')
		t.n--;
	return t;
}

int
name_check_email(struct arena *mem, void *member, const char **ret_why)
{
	struct text *t = member;
	struct text in = trim_spaces(*t), local, domain;
	const char *at = in.n ? memchr(in.s, '@', in.n) : NULL;
	char *out;

	*ret_why = "must be an e-mail address";
	if (!at || in.n > EMAIL_MAX)
		return 1;
	local = (struct text){ in.s, (size_t)(at - in.s) };
	domain = (struct text){ at + 1, in.n - local.n - 1 };
	if (!is_local_part(local) || !is_domain(domain))
		return 1;
	out = arena_copy(mem, in.s, in.n);
	for (size_t i = local.n + 1; i < in.n; i++) {
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] = (char)(out[i] - 'A' + 'a');
	}
	*t = (struct text){ out, in.n };
	return 0;
}

/* Digits and a leading plus into out; its length, or 0 for anything else. */
static size_t
phone_strip(struct text in, char out[PHONE_MAX + 2])
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.s[i];

		if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		if (!is_digit(c) && (c != '+' || n > 0))
			return 0;
		if (n == PHONE_MAX + 2)
			return 0;
		out[n++] = c;
	}
	return n;
}

int
name_check_phone(struct arena *mem, void *member, const char **ret_why)
{
	char raw[PHONE_MAX + 2];
	struct text *t = member;
	size_t n = phone_strip(*t, raw);
	const char *digits = raw;

	*ret_why = "must be a phone number such as +989121234567";
	if (n > 2 && raw[0] == '0' && raw[1] == '0') {
		digits = raw + 1;	/* 00 becomes + */
		raw[1] = '+';
		n--;
	}
	if (n < PHONE_MIN || n > PHONE_MAX || digits[0] != '+' ||
	    digits[1] == '0')
		return 1;
	*t = (struct text){ arena_copy(mem, digits, n), n };
	return 0;
}

/*
 * Folding can undo a normal form and the other way round (U+0345, U+1E9E), so
 * it is done twice: then a key's key is that key.
 */
int
name_key(struct arena *mem, struct text name, struct text *ret)
{
	struct text key = name_nfkc(mem, name);

	if (!key.s)
		return -EILSEQ;
	for (int i = 0; i < 2; i++) {
		size_t n = 0;
		uint8_t *s = u8_casefold((const uint8_t *)key.s, key.n, NULL,
		    UNINORM_NFKC, NULL, &n);

		if (!s)
			arena_oom(mem);
		key = (struct text){ arena_copy(mem, (char *)s, n), n };
		free(s);
	}
	*ret = key;
	return 0;
}

struct text
name_mask(struct arena *mem, struct text address)
{
	const char *at = address.n ? memchr(address.s, '@', address.n) : NULL;
	size_t head = address.n / 3, tail = 2;

	if (at && at > address.s)
		return text_of(arena_printf(mem, "%c***%.*s", address.s[0],
		    (int)(address.s + address.n - at), at));
	/* Never more than half of what a short number has. */
	if (address.n < PHONE_MIN)
		return TEXT("***");
	if (address.n >= 12) {
		head = 6;
		tail = 3;
	}
	return text_of(arena_printf(mem, "%.*s***%.*s", (int)head, address.s,
	    (int)tail, address.s + address.n - tail));
}
