/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket apikey: add, list, revoke and rotate API keys. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

struct ask {
	const char *user, *application, *name, *scopes, *expires, *value;
	const char *grace;
	const char *allow[ALLOW_MAX];
	size_t n_allow;
	const char *id;		/* of revoke and rotate */
	bool if_absent;
};

static int
bad(const char *what, const char *why)
{
	fprintf(stderr, "docket: %s %s\n", what, why);
	return EX_DATAERR;
}

/* ---- what is given ---- */

static int
fill_scopes(const struct ask *ask, struct arena *mem, struct texts *ret)
{
	char *all = arena_copy(mem, ask->scopes, strlen(ask->scopes)), *word;
	const char *why;

	ret->v = arena_array(mem, SCOPES_MAX, sizeof(*ret->v));
	while ((word = strsep(&all, ", ")) != NULL) {
		if (ret->n == SCOPES_MAX)
			return bad("--scopes", "are too many");
		if (*word)
			ret->v[ret->n++] = text_of(word);
	}
	if (ret->n == 0)
		return bad("--scopes", "must be given");
	return api_key_check_scopes(mem, ret, &why) ? bad("--scopes", why) :
	    0;
}

static int
fill_allow(const struct ask *ask, struct arena *mem, struct texts *ret)
{
	const char *why;

	ret->v = arena_array(mem, ALLOW_MAX, sizeof(*ret->v));
	for (size_t i = 0; i < ask->n_allow; i++)
		ret->v[ret->n++] = text_of(ask->allow[i]);
	return api_key_check_allow(mem, ret, &why) ? bad("--allow", why) : 0;
}

static int
fill_expires(const struct ask *ask, int64_t *ret)
{
	*ret = TIME_NONE;
	if (!ask->expires)
		return 0;
	if (!time_parse(text_of(ask->expires), ret))
		return bad("--expires",
		    "must be an instant, such as 2031-01-31T00:00:00Z");
	return *ret > clock_real_us() ? 0 :
	    bad("--expires", "must be in the future");
}

static int
fill_owner(const struct ask *ask, struct arena *mem, struct new_key *key)
{
	const char *why;

	key->kind = ask->user ? TEXT("personal") : TEXT("application");
	key->name = text_of(ask->name ? ask->name : ask->user ? "key" :
	    ask->application);
	if (key->name.n == 0 || key->name.n > NAME_BYTES ||
	    text_chars(key->name) < 0)
		return bad("the name", "must have 1 to 256 bytes of UTF-8");
	if (api_key_check_name(mem, &key->name, &why))
		return bad("the name", why);
	if (ask->user &&
	    name_key(mem, text_of(ask->user), &key->owner_key))
		return bad("--user", "has no canonical form");
	return 0;
}

/* A value that somebody chose: never where it would guard anything. */
static int
fill_insecure(const struct ask *ask, const struct settings *settings,
    struct arena *mem, struct new_key *key, struct text *ret_secret)
{
	const struct text value = text_of(ask->value);
	bool good = value.n > 0 && value.n <= VALUE_BYTES &&
	    strncmp(value.s, "dk_", 3) != 0;

	if (!settings_dev(settings))
		return bad("--insecure-value", "is only for profile = dev");
	for (size_t i = 0; i < value.n; i++)
		good &= value.s[i] > ' ' && value.s[i] <= '~' &&
		    value.s[i] != ',';
	if (!good)
		return bad("--insecure-value", "must be 1 to 128 visible "
		    "characters, no comma, and not begin with dk_");
	key->insecure = true;
	*ret_secret = value;
	return api_key_hash(mem, value, &key->hash) ?
	    cli_fail("random", -EIO) : 0;
}

static int
fill(const struct ask *ask, const struct settings *settings,
    struct arena *mem, struct new_key *key, struct text *ret_secret)
{
	int status;

	key->limit = INT64_MAX;
	if ((status = fill_owner(ask, mem, key)) ||
	    (status = fill_scopes(ask, mem, &key->scopes)) ||
	    (status = fill_allow(ask, mem, &key->allow)) ||
	    (status = fill_expires(ask, &key->expires_at)))
		return status;
	if (crypto_uuid(&key->id, &key->created_at) ||
	    crypto_uuid(&key->session_id, NULL))
		return cli_fail("random", -EIO);
	if (ask->value)
		return fill_insecure(ask, settings, mem, key, ret_secret);
	return api_key_new(mem, &key->id, ret_secret, &key->hash) ?
	    cli_fail("random", -EIO) : 0;
}

/* ---- what is done ---- */

struct work {
	const struct ask *ask;
	const struct settings *settings;
	struct arena *mem;
	struct db *db;
};

static const struct client nowhere;

static void
print_secret(const struct api_key *key, struct text secret)
{
	char id[UUID_CHARS];

	uuid_format(&key->id, id);
	printf("%.*s\n%.*s\n", UUID_CHARS, id, TEXT_FMT(secret));
}

static int
apikey_add(struct work *w)
{
	struct new_key key = { 0 };
	struct text secret = TEXT_NONE;
	struct api_key made;
	int status = fill(w->ask, w->settings, w->mem, &key, &secret);
	int error;

	if (status)
		return status;
	error = store_key_insert(w->db, w->mem, NULL, &key, &nowhere, &made);
	if (error == E_CONFLICT && w->ask->if_absent)
		return 0;
	if (error)
		return cli_fail("apikey", error);
	print_secret(&made, secret);
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

static int
apikey_list(struct work *w)
{
	struct text owner = TEXT_NONE;
	struct list keys;
	int error;

	if (w->ask->user &&
	    name_key(w->mem, text_of(w->ask->user), &owner))
		return bad("--user", "has no canonical form");
	error = store_key_list(w->db, w->mem, NULL, TEXT_NONE, owner, &keys);
	if (error)
		return cli_fail("apikey", error);
	for (size_t i = 0; i < keys.n; i++)
		print_key((const struct api_key *)keys.v + i);
	return 0;
}

static int
apikey_revoke(struct work *w)
{
	struct uuid id;
	int error;

	if (!uuid_parse(text_of(w->ask->id), &id))
		return bad("the id", "must be a UUID, as apikey list shows it");
	error = store_key_delete(w->db, w->mem, NULL, &id, &nowhere);
	return error ? cli_fail(w->ask->id, error) : 0;
}

static int
read_grace(const char *s, int64_t *ret)
{
	char *end;

	*ret = GRACE_DEFAULT;
	if (!s)
		return 0;
	errno = 0;
	*ret = strtoll(s, &end, 10);
	if (errno || end == s || *end || *ret < 0 || *ret > GRACE_MAX)
		return bad("--grace", "must be 0 to 604800 seconds");
	return 0;
}

static int
apikey_rotate(struct work *w)
{
	struct uuid id, session;
	struct text secret, hash;
	struct api_key key;
	int64_t grace;
	int error = read_grace(w->ask->grace, &grace);

	if (error)
		return error;
	if (!uuid_parse(text_of(w->ask->id), &id))
		return bad("the id", "must be a UUID, as apikey list shows it");
	if (crypto_uuid(&session, NULL) ||
	    api_key_new(w->mem, &id, &secret, &hash))
		return cli_fail("random", -EIO);
	error = store_key_rotate(w->db, w->mem, NULL, &id, &session, hash,
	    grace, &nowhere, &key);
	if (error)
		return cli_fail(w->ask->id, error);
	print_secret(&key, secret);
	return 0;
}

static const struct verb {
	const char *name;
	bool takes_id;
	int (*run)(struct work *w);
} verbs[] = {
	{ "add",	false, apikey_add },
	{ "list",	false, apikey_list },
	{ "revoke",	true, apikey_revoke },
	{ "rotate",	true, apikey_rotate },
};

static int
with_database(struct cli *cli, const struct ask *ask, const struct verb *verb)
{
	struct settings settings;
	struct work work = {
		.ask = ask, .settings = &settings, .mem = cli->mem
	};
	int status = cli_settings(cli, &settings);

	if (status)
		return status;
	work.db = cli_database(&settings, &status);
	if (work.db)
		status = verb->run(&work);
	db_free(work.db);
	settings_done(&settings);
	return status;
}

/* ---- the command line ---- */

static bool
take_option(struct cli *cli, struct ask *ask, int c)
{
	const struct {
		int c;
		const char **to;
	} texts[] = {
		{ 'u', &ask->user }, { 'p', &ask->application },
		{ 'n', &ask->name }, { 'S', &ask->scopes },
		{ 'e', &ask->expires }, { 'v', &ask->value },
		{ 'g', &ask->grace },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].c == c) {
			*texts[i].to = optarg;
			return true;
		}
	if (c == 'a' && ask->n_allow < ALLOW_MAX) {
		ask->allow[ask->n_allow++] = optarg;
		return true;
	}
	if (c == 'i')
		return ask->if_absent = true;
	return cli_option(cli, c);
}

static const struct verb *
verb_find(const struct ask *ask, const char *name, int words)
{
	const struct verb *verb = NULL;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			verb = &verbs[i];
	if (!verb || words != (verb->takes_id ? 2 : 1))
		return NULL;
	if (verb->run == apikey_add &&
	    (!ask->user == !ask->application || !ask->scopes))
		return NULL;
	return verb;
}

int
cli_apikey(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "user", required_argument, NULL, 'u' },
		{ "application", required_argument, NULL, 'p' },
		{ "name", required_argument, NULL, 'n' },
		{ "scopes", required_argument, NULL, 'S' },
		{ "expires", required_argument, NULL, 'e' },
		{ "allow", required_argument, NULL, 'a' },
		{ "insecure-value", required_argument, NULL, 'v' },
		{ "if-absent", no_argument, NULL, 'i' },
		{ "grace", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	const struct verb *verb;
	struct ask ask = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		if (!take_option(cli, &ask, c))
			return cli_usage();
	if (optind == argc)
		return cli_usage();
	verb = verb_find(&ask, argv[optind], argc - optind);
	if (!verb)
		return cli_usage();
	ask.id = verb->takes_id ? argv[optind + 1] : NULL;
	return with_database(cli, &ask, verb);
}
