/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From a file's bytes to rows of the database, a batch at a time. */
#include "web/task_import.h"

#include "base/error.h"

static void
refuse(struct task_import *im, size_t line, const struct faults *faults)
{
	im->refused++;
	for (size_t i = 0; i < faults->n; i++)
		im->tell(im->tell_arg, line, &faults->v[i]);
}

/* ---- zones ---- */

/* Of a zone that was asked for: its number, else n_zones. */
static size_t
zone_find(const struct task_import *im, struct text name)
{
	size_t i = 0;

	while (i < im->n_zones && !text_equal(im->zones[i].name, name))
		i++;
	return i;
}

/* Those of the batch that nobody asked for yet. */
static struct texts
zones_new(const struct task_import *im)
{
	struct texts ret = { arena_array(im->mem, im->n + 1,
	    sizeof(*ret.v)), 0 };

	for (size_t i = 0; i < im->n; i++) {
		const struct text name = im->batch[i].due_timezone;
		size_t k = 0;

		if (!name.s || zone_find(im, name) < im->n_zones)
			continue;
		while (k < ret.n && !text_equal(ret.v[k], name))
			k++;
		ret.v[k] = name;
		ret.n += k == ret.n;
	}
	return ret;
}

/* More than there is room for are asked for again with each batch. */
static void
zones_keep(struct task_import *im, struct texts asked, const bool *unknown)
{
	for (size_t i = 0; i < asked.n && im->n_zones < TASK_ZONES_MAX; i++) {
		im->zones[im->n_zones].name = arena_text(im->reader.stays,
		    asked.v[i]);
		im->zones[im->n_zones++].unknown = unknown[i];
	}
}

static bool
is_unknown(const struct task_import *im, struct text name, struct texts asked,
    const bool *unknown)
{
	const size_t kept = zone_find(im, name);

	if (kept < im->n_zones)
		return im->zones[kept].unknown;
	for (size_t i = 0; i < asked.n; i++)
		if (text_equal(asked.v[i], name))
			return unknown[i];
	return false;
}

static void
refuse_zone(struct task_import *im, const struct import_task *t)
{
	struct faults faults;

	faults.n = 0;
	faults_add(&faults, im->mem, TEXT(""), TEXT("due_timezone"), "choice",
	    "is not a time zone that the server knows");
	refuse(im, t->line, &faults);
}

/* Only the database knows which zones there are; one that it does not know
 * would cost the whole statement. */
static int
check_zones(struct task_import *im)
{
	const struct texts asked = zones_new(im);
	bool *unknown = arena_array(im->mem, asked.n + 1, sizeof(*unknown));
	size_t n = 0;
	int r = asked.n == 0 ? 0 : store_zones_check(im->db, im->mem, asked,
	    unknown);

	if (r)
		return r;
	zones_keep(im, asked, unknown);
	for (size_t i = 0; i < im->n; i++) {
		const struct import_task *t = &im->batch[i];

		if (t->due_timezone.s && is_unknown(im, t->due_timezone,
		    asked, unknown))
			refuse_zone(im, t);
		else
			im->batch[n++] = *t;
	}
	im->n = n;
	return 0;
}

/* ---- batches ---- */

/* What is refused already will be undone: the rest is only looked at. */
static int
flush(struct task_import *im)
{
	size_t added = 0;
	int r = check_zones(im);

	if (r == 0 && im->n > 0 && (im->partial || !im->refused))
		r = store_task_import(im->db, im->mem, im->who,
		    &im->reader.owner, im->batch, im->n, &added);
	im->added += added;
	im->skipped += im->n - added;
	im->n = 0;
	im->batch = NULL;
	if (r == 0)
		arena_reset(im->mem);
	return r;
}

static int
take(struct task_import *im, struct text window, bool last, size_t *used)
{
	struct import_task task = { .line = 0 };
	struct faults faults;
	int r = task_read(&im->reader, window, last, im->mem, &task, &faults,
	    used);

	if (r == TASK_BROKEN || (r == TASK_READ && faults.n > 0))
		refuse(im, task.line, &faults);
	else if (r == TASK_READ)
		im->batch[im->n++] = task;
	return r == TASK_BROKEN ? TASK_END : r;
}

int
task_import_step(struct task_import *im, struct text window, bool last,
    size_t *ret_used)
{
	int found = TASK_READ;
	size_t used;

	*ret_used = 0;
	if (!im->batch)
		im->batch = arena_array(im->mem, TASK_IMPORT_BATCH,
		    sizeof(*im->batch));
	for (int i = 0; i < TASK_IMPORT_BATCH && found == TASK_READ; i++) {
		found = take(im, (struct text){ window.s + *ret_used,
		    window.n - *ret_used }, last, &used);
		*ret_used += used;
	}
	if (found < 0) {
		im->error = found;
		return -1;
	}
	/* Texts of the batch may lie in the window, which moves. */
	im->error = flush(im);
	if (im->error)
		return -1;
	return found == TASK_END ? 0 : 1;
}
