/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user import: accounts of another system, with their password hashes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/bar.h"
#include "cli/cli.h"
#include "cli/import.h"

/* Accounts a statement: one refused line costs a statement for each. */
#define BATCH 256
#define BATCH_MEMORY 262144

struct import {
	struct import_file file;
	struct db *db;
	struct arena *mem;	/* of a batch */
	struct arena *stays;
	struct import_seen *seen;
	struct import_user *users;	/* BATCH of them, in mem */
	size_t *lines;			/* where each stands */
	size_t n;
	size_t done, refused;
	bool update, dry;
};

static void
refuse(struct import *im, size_t line, const char *what, const char *why)
{
	im->refused++;
	fprintf(stderr, "%s:%zu: %s%s%s\n", im->file.name, line, what,
	    *what ? " " : "", why);
}

/* A line with three faults is refused once and told three times. */
static void
refuse_all(struct import *im, const struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->v[i];

		refuse(im, im->file.number, arena_printf(im->mem, "%.*s",
		    TEXT_FMT(f->pointer)), f->detail);
	}
	im->refused -= faults->n - 1;
}

static int
put(struct import *im, const struct import_user *users, size_t n)
{
	int r = im->dry ? db_begin(im->db) : 0;

	if (r == 0)
		r = store_user_import(im->db, im->mem, users, n, im->update);
	if (im->dry)
		db_rollback(im->db);
	return r;
}

/* An answer about a row, and not about the database. */
static bool
is_refusal(int r)
{
	return r > 0 && error_row(r)->status < 500;
}

static void
start_batch(struct import *im)
{
	arena_reset(im->mem);
	im->n = 0;
	im->users = arena_array(im->mem, BATCH, sizeof(*im->users));
	im->lines = arena_array(im->mem, BATCH, sizeof(*im->lines));
}

/* All at once; when one is refused, one by one, to know which. */
static int
flush(struct import *im)
{
	int r = im->n > 0 ? put(im, im->users, im->n) : 0;

	if (r == 0)
		im->done += im->n;
	for (size_t i = 0; is_refusal(r) && i < im->n; i++) {
		int one = put(im, &im->users[i], 1);

		if (one == 0)
			im->done++;
		else if (is_refusal(one))
			refuse(im, im->lines[i], "", error_row(one)->detail);
		else
			return one;
	}
	if (is_refusal(r))
		r = 0;
	if (r == 0)
		start_batch(im);
	bar_show(0, 0, "%zu lines", im->file.number);
	return r;
}

/* 1: a line was taken up or refused; 0: the end; else an error. */
static int
take(struct import *im)
{
	struct import_user *user = &im->users[im->n];
	struct faults faults;
	const char *what;
	size_t before;
	int r = import_next(&im->file, im->mem, user, &faults);

	if (r <= 0)
		return r;
	if (faults.n > 0) {
		refuse_all(im, &faults);
		return 1;
	}
	before = import_seen(&im->seen, im->stays, user, im->file.number,
	    &what);
	if (before) {
		refuse(im, im->file.number, what, arena_printf(im->mem,
		    "is that of line %zu", before));
		return 1;
	}
	im->lines[im->n++] = im->file.number;
	return 1;
}

static int
all(struct import *im)
{
	int taken = 1, r = 0;

	start_batch(im);
	while (taken > 0 && r == 0) {
		taken = take(im);
		if (im->n == BATCH || taken == 0)
			r = flush(im);
	}
	return taken < 0 ? taken : r;
}

static int
tell(const struct import *im, int r)
{
	bar_end();
	printf("%zu %s, %zu lines refused%s\n", im->done,
	    im->update ? "added or updated" : "added", im->refused,
	    im->dry ? "; nothing was changed (--dry-run)" : "");
	if (r) {
		fprintf(stderr, "%s:%zu: stopped here; what was added stays, "
		    "the same file may be given again with --update\n",
		    im->file.name, im->file.number);
		return cli_fail(im->file.name, r);
	}
	return im->refused ? EX_DATAERR : EX_OK;
}

static int
open_file(struct import *im, const char *name)
{
	const bool is_stdin = strcmp(name, "-") == 0;

	im->file.name = is_stdin ? "stdin" : name;
	im->file.f = is_stdin ? stdin : fopen(name, "re");
	if (!im->file.f) {
		fprintf(stderr, "docket: %s: %s\n", name, strerror(errno));
		return EX_NOINPUT;
	}
	return import_open(&im->file, im->stays) ? EX_DATAERR : 0;
}

static int
run(struct import *im, const char *name)
{
	int status = open_file(im, name);

	if (status == 0)
		status = tell(im, all(im));
	import_seen_free(im->seen);
	import_close(&im->file);
	return status;
}

int
cli_user_import(struct cli *cli)
{
	struct import im = {
		.stays = cli->mem, .db = cli->db,
		.mem = arena_new(BATCH_MEMORY),
		.update = cli_has(cli, OPT_update), .dry = cli_dry(cli),
	};
	int status;

	if (!im.mem)
		return cli_fail("memory", -ENOMEM);
	status = run(&im, cli->words[0]);
	arena_free(im.mem);
	return status;
}
