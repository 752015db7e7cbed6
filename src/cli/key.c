/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket key: the ring of signing keys; no secret is ever printed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/replace.h"
#include "core/ring.h"
#include "store/console.h"

/* As long as anybody may keep the public keys (Cache-Control of the key set);
 * a next key that is younger may be unknown to a verifier. */
#define CACHED 300

struct key_command {
	const char *alg;
	bool now, dry_run;
	bool turned;		/* out: another key signs */
	const struct settings *settings;
	struct arena *mem;
};

/* ---- list ---- */

/* "3 d", "5 h", "12 min", "40 s" */
static void
age_print(int64_t seconds)
{
	static const struct {
		int64_t size;
		const char *name;
	} units[] = {
		{ 86400, "d" }, { 3600, "h" }, { 60, "min" },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (seconds >= 2 * units[i].size) {
			printf("%" PRId64 " %s\n", seconds / units[i].size,
			    units[i].name);
			return;
		}
	printf("%" PRId64 " s\n", seconds);
}

static void
key_print(const struct ring_key *key, int64_t now)
{
	char since[TIME_CHARS];

	printf("%-8s %-20s %-5s  ", ring_role_name(key->role), key->kid,
	    key->alg);
	if (key->since == 0) {
		puts("-");
		return;
	}
	time_format(key->since * TIME_SECOND, since);
	printf("since %.19sZ, ", since);
	age_print(now - key->since);
}

static void
ring_show(const struct token_ring *ring, int64_t now)
{
	for (size_t i = 0; i < ring->n; i++)
		key_print(&ring->v[i], now);
}

static int
key_list(struct key_command *c)
{
	struct token_ring *ring = token_ring_load("auth.key_file",
	    c->settings->auth_key_file, stderr);

	if (!ring)
		return EX_CONFIG;
	ring_show(ring, clock_real_us() / TIME_SECOND);
	token_ring_free(ring);
	return EX_OK;
}

/* ---- generate, rotate ---- */

/* Written, read again as the workers will, and put into its place. */
static int
ring_save(const struct key_command *c, const struct token_ring *ring,
    const struct replace *to)
{
	struct token_ring *again = NULL;
	struct buf bytes = { 0 };
	int status = EX_OSERR;

	ring_print(ring, c->mem, &bytes);
	if (bytes.failed)
		fputs("docket: out of memory\n", stderr);
	else
		status = replace_write(to, buf_view(&bytes));
	explicit_bzero(bytes.p, bytes.n);
	buf_done(&bytes);
	if (status)
		return status;
	again = token_ring_load(NULL, to->fresh, stderr);
	if (!again)
		return EX_SOFTWARE;
	token_ring_free(again);
	return replace_commit(to);
}

static int
turn_fail(int error)
{
	if (error != -ENOSPC)
		return cli_fail("key", error);
	fprintf(stderr, "docket: the ring is full: %d keys; a previous one "
	    "leaves when the tokens that it signed have expired\n",
	    RING_KEYS);
	return EX_TEMPFAIL;
}

static int
ring_generate_one(struct key_command *c, struct token_ring *ring,
    int64_t now, const char **ret_advice)
{
	*ret_advice = ring->n ? "Reload docketd (SIGHUP) so that every worker "
	    "knows the next key; docket key rotate lets it sign." :
	    "docketd can start with it.";
	return ring_generate(ring, c->alg, now);
}

/* What a verifier with an older copy of the key set cannot know yet. */
static void
warn_of_young(const struct token_ring *ring, int64_t now)
{
	for (size_t i = 0; i < ring->n; i++) {
		const struct ring_key *key = &ring->v[i];

		if (key->role != RING_NEXT)
			continue;
		if (key->pair.key && now - key->since < CACHED)
			fprintf(stderr, "docket: %s was published %" PRId64
			    " s ago, and programs may keep the key set for "
			    "%d s\n", key->kid, now - key->since, CACHED);
		return;
	}
}

static int
ring_rotate_once(struct key_command *c, struct token_ring *ring,
    int64_t now, const char **ret_advice)
{
	const struct settings *set = c->settings;
	const struct ring_turn turn = {
		.alg = c->alg,
		.now = now,
		/* Who leaves at the reload signs until it is drained. */
		.keep = set->auth_access_ttl + set->auth_clock_skew +
		    set->server_drain_seconds,
		.at_once = c->now,
	};
	bool turned;
	int r;

	warn_of_young(ring, now);
	r = ring_rotate(ring, &turn, &turned);
	c->turned = r == 0 && turned;
	if (r == 0)
		*ret_advice = turned ?
		    "Reload docketd (SIGHUP) now: it signs with the old key "
		    "until then." :
		    "There was no next key: now there is one. Reload docketd "
		    "(SIGHUP), then rotate again.";
	return r;
}

static struct token_ring *
ring_open(const struct replace *at)
{
	return at->exists ? token_ring_load("auth.key_file", at->path,
	    stderr) : token_ring_new();
}

static int
ring_change(struct key_command *c, const struct replace *at,
    int (*change)(struct key_command *, struct token_ring *, int64_t,
    const char **))
{
	const int64_t now = clock_real_us() / TIME_SECOND;
	struct token_ring *ring = ring_open(at);
	const char *advice = "";
	int status;

	if (!ring)
		return EX_CONFIG;
	status = change(c, ring, now, &advice);
	if (status)
		status = turn_fail(status);
	else if (!c->dry_run)
		status = ring_save(c, ring, at);
	if (status == 0) {
		ring_show(ring, now);
		puts(c->dry_run ? "Nothing was written." : advice);
	}
	token_ring_free(ring);
	return status;
}

static int
key_generate(struct key_command *c)
{
	struct replace at;
	int status = replace_begin(&at, c->settings->auth_key_file,
	    c->settings->server_secret_file);

	if (status == 0)
		status = ring_change(c, &at, ring_generate_one);
	replace_done(&at);
	return status;
}

/* The ring is turned whether or not the database is there to hear of it. */
static void
note_turned(const struct key_command *c)
{
	struct token_ring *ring = token_ring_load("auth.key_file",
	    c->settings->auth_key_file, stderr);
	int status = EX_OSERR;
	struct db *db = ring ? cli_database(c->settings, &status) : NULL;

	for (size_t i = 0; db && i < ring->n; i++)
		if (ring->v[i].role == RING_CURRENT)
			status = store_console_rotated(db, c->mem,
			    text_of(ring->v[i].kid));
	if (!db || status)
		fputs("docket: the audit trail does not know of this\n",
		    stderr);
	db_free(db);
	token_ring_free(ring);
}

static int
key_rotate(struct key_command *c)
{
	struct replace at;
	int status = replace_begin(&at, c->settings->auth_key_file, "");

	if (status == 0 && !at.exists) {
		fprintf(stderr, "docket: %s: there is no ring yet; docket key "
		    "generate makes it\n", at.path);
		status = EX_NOINPUT;
	}
	if (status == 0)
		status = ring_change(c, &at, ring_rotate_once);
	replace_done(&at);
	if (status == 0 && c->turned && !c->dry_run)
		note_turned(c);
	return status;
}

/* ---- the commands ---- */

static int
key_run(struct cli *cli, int (*run)(struct key_command *))
{
	const char *alg = cli_value(cli, OPT_alg);
	struct key_command command = {
		.alg = ring_algorithm(text_of(alg ? alg :
		    cli->settings.auth_algorithm)),
		.now = cli_has(cli, OPT_now), .dry_run = cli_dry(cli),
		.settings = &cli->settings, .mem = cli->mem,
	};

	return run(&command);
}

int
cli_key_list(struct cli *cli)
{
	return key_run(cli, key_list);
}

int
cli_key_generate(struct cli *cli)
{
	return key_run(cli, key_generate);
}

int
cli_key_rotate(struct cli *cli)
{
	return key_run(cli, key_rotate);
}
