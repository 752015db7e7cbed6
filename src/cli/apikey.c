/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket apikey: add, list, revoke and rotate API keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/error.h"
#include "cli/cli.h"
#include "core/api_key.h"
#include "core/names.h"
#include "store/keys.h"

#define ALLOW_MAX 20
#define SCOPES_MAX 8
#define NAME_BYTES 256
#define GRACE_DEFAULT (24 * 3600)
#define GRACE_MAX (7 * 24 * 3600)
/* A fixed value has to go into a header and stay one word of it. */
#define VALUE_BYTES 128

/* ---- what is given ---- */

static int
fill_scopes(const struct cli *cli, struct texts *ret)
{
	const char *scopes = cli_value(cli, OPT_scopes), *why;
	struct arena *mem = cli->mem;
	char *all = arena_copy(mem, scopes, strlen(scopes)), *word;

	ret->v = arena_array(mem, SCOPES_MAX, sizeof(*ret->v));
	while ((word = strsep(&all, ", ")) != NULL) {
		if (ret->n == SCOPES_MAX)
			return cli_bad("--scopes", "are too many");
		if (*word)
			ret->v[ret->n++] = text_of(word);
	}
	if (ret->n == 0)
		return cli_bad("--scopes", "must be given");
	return api_key_check_scopes(mem, ret, &why) ?
	    cli_bad("--scopes", why) : 0;
}

static int
fill_allow(const struct cli *cli, struct texts *ret)
{
	const char *allow[ALLOW_MAX], *why;

	ret->v = arena_array(cli->mem, ALLOW_MAX, sizeof(*ret->v));
	ret->n = cli_values(cli, OPT_allow, allow, ALLOW_MAX);
	if (ret->n > ALLOW_MAX)
		return cli_bad("--allow", "is there too often");
	for (size_t i = 0; i < ret->n; i++)
		ret->v[i] = text_of(allow[i]);
	return api_key_check_allow(cli->mem, ret, &why) ?
	    cli_bad("--allow", why) : 0;
}

static int
fill_expires(const struct cli *cli, int64_t *ret)
{
	const char *expires = cli_value(cli, OPT_expires);

	*ret = TIME_NONE;
	if (!expires)
		return 0;
	if (!time_parse(text_of(expires), ret))
		return cli_bad("--expires",
		    "must be an instant, such as 2031-01-31T00:00:00Z");
	return *ret > clock_real_us() ? 0 :
	    cli_bad("--expires", "must be in the future");
}

static int
fill_owner(const struct cli *cli, struct new_key *key)
{
	const char *user = cli_value(cli, OPT_user);
	const char *name = cli_value(cli, OPT_name), *why;

	key->kind = user ? TEXT("personal") : TEXT("application");
	key->name = text_of(name ? name : user ? "key" :
	    cli_value(cli, OPT_application));
	if (key->name.n == 0 || key->name.n > NAME_BYTES ||
	    text_chars(key->name) < 0)
		return cli_bad("the name",
		    "must have 1 to 256 bytes of UTF-8");
	if (api_key_check_name(cli->mem, &key->name, &why))
		return cli_bad("the name", why);
	if (user && name_key(cli->mem, text_of(user), &key->owner_key))
		return cli_bad("--user", "has no canonical form");
	return 0;
}

/* A value that somebody chose: never where it would guard anything. */
static int
fill_insecure(const struct cli *cli, struct text value,
    struct new_key *key, struct text *ret_secret)
{
	bool good = value.n > 0 && value.n <= VALUE_BYTES &&
	    strncmp(value.s, "dk_", 3) != 0;

	if (!settings_dev(&cli->settings))
		return cli_bad("--insecure-value", "is only for profile = dev");
	for (size_t i = 0; i < value.n; i++)
		good &= value.s[i] > ' ' && value.s[i] <= '~' &&
		    value.s[i] != ',';
	if (!good)
		return cli_bad("--insecure-value", "must be 1 to 128 visible "
		    "characters, no comma, and not begin with dk_");
	key->insecure = true;
	*ret_secret = value;
	return api_key_hash(cli->mem, value, &key->hash) ?
	    cli_fail("random", -EIO) : 0;
}

static int
fill(const struct cli *cli, struct new_key *key, struct text *ret_secret)
{
	const char *value = cli_value(cli, OPT_insecure_value);
	int status;

	key->limit = INT64_MAX;
	if ((status = fill_owner(cli, key)) ||
	    (status = fill_scopes(cli, &key->scopes)) ||
	    (status = fill_allow(cli, &key->allow)) ||
	    (status = fill_expires(cli, &key->expires_at)))
		return status;
	if (crypto_uuid(&key->id, &key->created_at) ||
	    crypto_uuid(&key->session_id, NULL))
		return cli_fail("random", -EIO);
	if (value)
		return fill_insecure(cli, text_of(value), key, ret_secret);
	return api_key_new(cli->mem, &key->id, ret_secret, &key->hash) ?
	    cli_fail("random", -EIO) : 0;
}

/* ---- what is done ---- */

static const struct client nowhere;

/* A key that a dry run takes back opens nothing: it is not shown. */
static void
print_secret(const struct cli *cli, const struct api_key *key,
    struct text secret)
{
	char id[UUID_CHARS];

	if (cli_dry(cli)) {
		puts("A key would be shown here.");
		return;
	}
	uuid_format(&key->id, id);
	printf("%.*s\n%.*s\n", UUID_CHARS, id, TEXT_FMT(secret));
}

int
cli_apikey_add(struct cli *cli)
{
	struct new_key key = { 0 };
	struct text secret = TEXT_NONE;
	struct api_key made;
	int status, error;

	if (cli_has(cli, OPT_user) == cli_has(cli, OPT_application))
		return cli_wrong(cli, "--user or --application must be given, "
		    "one of them");
	status = fill(cli, &key, &secret);
	if (status)
		return status;
	error = store_key_insert(cli->db, cli->mem, NULL, &key, &nowhere,
	    &made);
	if (error == E_CONFLICT && cli_has(cli, OPT_if_absent))
		return 0;
	if (error)
		return cli_fail("apikey", error);
	print_secret(cli, &made, secret);
	return 0;
}

static void
print_texts(const char *name, struct texts list)
{
	printf(" %s=", name);
	for (size_t i = 0; i < list.n; i++)
		printf("%s%.*s", i ? "," : "", TEXT_FMT(list.v[i]));
	if (list.n == 0)
		putchar('-');
}

static void
print_key(const struct api_key *key)
{
	char id[UUID_CHARS];

	uuid_format(&key->id, id);
	printf("%.*s %.*s owner=%.*s", UUID_CHARS, id, TEXT_FMT(key->kind),
	    key->owner.s ? (int)key->owner.n : 1,
	    key->owner.s ? key->owner.s : "-");
	print_texts("scopes", key->scopes);
	print_texts("allow", key->allow);
	cli_print_time(" expires=", key->expires_at);
	cli_print_time(" used=", key->used_at);
	printf(" name=%.*s\n", TEXT_FMT(key->name));
}

int
cli_apikey_list(struct cli *cli)
{
	const char *user = cli_value(cli, OPT_user);
	struct text owner = TEXT_NONE;
	struct list keys;
	int error;

	if (user && name_key(cli->mem, text_of(user), &owner))
		return cli_bad("--user", "has no canonical form");
	error = store_key_list(cli->db, cli->mem, NULL, TEXT_NONE, owner,
	    &keys);
	if (error)
		return cli_fail("apikey", error);
	for (size_t i = 0; i < keys.n; i++)
		print_key((const struct api_key *)keys.v + i);
	return 0;
}

static int
read_id(const struct cli *cli, struct uuid *ret)
{
	return uuid_parse(text_of(cli->words[0]), ret) ? 0 :
	    cli_bad("the id", "must be a UUID, as apikey list shows it");
}

int
cli_apikey_revoke(struct cli *cli)
{
	struct uuid id;
	int error = read_id(cli, &id);

	if (error)
		return error;
	error = store_key_delete(cli->db, cli->mem, NULL, &id, &nowhere);
	return error ? cli_fail(cli->words[0], error) : 0;
}

int
cli_apikey_rotate(struct cli *cli)
{
	struct uuid id, session;
	struct text secret, hash;
	struct api_key key;
	long grace = GRACE_DEFAULT;
	int error;

	if (!cli_number(cli, OPT_grace, 0, GRACE_MAX, &grace))
		return EX_DATAERR;
	error = read_id(cli, &id);
	if (error)
		return error;
	if (crypto_uuid(&session, NULL) ||
	    api_key_new(cli->mem, &id, &secret, &hash))
		return cli_fail("random", -EIO);
	error = store_key_rotate(cli->db, cli->mem, NULL, &id, &session, hash,
	    grace, &nowhere, &key);
	if (error)
		return cli_fail(cli->words[0], error);
	print_secret(cli, &key, secret);
	return 0;
}
