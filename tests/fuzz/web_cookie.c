/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a Cookie header, and as what stands around a good pass and in
 * place of one of its bytes. */
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "core/pass.h"
#include "lib/input.h"
#include "web/cookie.h"

static struct settings settings = { .auth_gate_cookie = "gate" };
static struct app app = { .settings = &settings, .key_pass = { .n = 32 } };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return crypto_init() || crypto_random(app.key_pass.b, 32);
}

static int
ask(struct arena *mem, struct text header)
{
	struct request request = { .cookie = header };
	struct call call = { .mem = mem, .app = &app, .req = &request };
	struct principal who;

	return cookie_principal(&call, &who);
}

static struct text
good(struct arena *mem)
{
	const struct pass pass = {
		{ { 1 } }, { { 2 } }, clock_real_us() / TIME_SECOND + 600
	};
	struct text text = TEXT_NONE;

	must(pass_make(mem, &app.key_pass, &pass, &text) == 0, "no pass");
	return text;
}

/* Nobody has the key: it is none, or a bad one. */
static void
alone(struct arena *mem, struct text bytes)
{
	const int r = ask(mem, bytes);

	must(r == E_TOKEN_MISSING || r == E_TOKEN, "opened by bytes");
}

/* Behind the bytes and a semicolon the good one is found, unless they hold
 * one of its name too. */
static void
around(struct arena *mem, struct text bytes, struct text pass)
{
	const char *all = arena_printf(mem, "%.*s; gate=%.*s", TEXT_FMT(bytes),
	    TEXT_FMT(pass));
	const bool other = ask(mem, bytes) == E_TOKEN;

	if (memchr(bytes.s, '\0', bytes.n))
		return;
	must(ask(mem, text_of(all)) == (other ? E_TOKEN : 0),
	    "not found beside others");
}

static void
damaged(struct arena *mem, const uint8_t *data, size_t size, struct text pass)
{
	char *all = arena_printf(mem, "gate=%.*s", TEXT_FMT(pass));
	const size_t at = size > 1 ? data[0] % pass.n : 0;

	if (size < 2 || all[5 + at] == (char)data[1])
		return;
	all[5 + at] = (char)data[1];
	must(ask(mem, (struct text){ all, 5 + pass.n }) != 0,
	    "opened though damaged");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nothing;
	const struct text bytes = { (const char *)(size ? data : &nothing),
		size };
	struct arena *mem = arena_new(4096);
	struct text pass;

	must(mem != NULL, "no memory");
	pass = good(mem);
	alone(mem, bytes);
	around(mem, bytes, pass);
	damaged(mem, data, size, pass);
	arena_free(mem);
	return 0;
}
