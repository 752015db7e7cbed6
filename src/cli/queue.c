/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket queue: what waits for the courier, and a hand in it. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/queue.h"
#include "store/outbox.h"

struct work {
	struct cli *cli;
	struct arena *mem;
	struct db *db;
	struct queue_pick pick;
};

/* ---- verbs ---- */

static int
queue_list(struct work *w)
{
	struct list lanes, letters;
	int error = store_queue_lanes(w->db, w->mem, &lanes);

	if (error == 0)
		error = store_queue_letters(w->db, w->mem, QUEUE_LIST,
		    &w->pick, true, &letters);
	if (error)
		return cli_fail("queue", error);
	if (cli_has(w->cli, OPT_json))
		return queue_print_json(w->mem, lanes, letters);
	queue_print_lanes(lanes, w->pick.channel);
	queue_print_letters(w->mem, letters);
	return 0;
}

static bool
listed(struct list letters, const struct uuid *id)
{
	const struct queue_letter *v = letters.v;

	for (size_t i = 0; i < letters.n; i++)
		if (uuid_equal(&v[i].id, id))
			return true;
	return false;
}

/* Every id that was named must have been meant by the verb. */
static int
report_missing(const struct work *w, struct list letters, const char *why)
{
	int status = 0;

	for (size_t i = 0; i < w->pick.n_ids; i++)
		if (!listed(letters, &w->pick.ids[i]))
			status = cli_bad(w->cli->words[i], why);
	return status;
}

static int
queue_show(struct work *w)
{
	struct list letters;
	int error = store_queue_letters(w->db, w->mem, QUEUE_LIST, &w->pick,
	    true, &letters);

	if (error)
		return cli_fail("queue", error);
	queue_print_whole(w->mem, letters);
	return report_missing(w, letters, "is not in the queue");
}

/* The letters that are picked; what is done is said of each. */
static int
change(struct work *w, enum queue_verb verb, const char *done)
{
	struct list letters;
	int error = store_queue_letters(w->db, w->mem, verb, &w->pick,
	    cli_dry(w->cli), &letters);

	if (error)
		return cli_fail("queue", error);
	queue_print_letters(w->mem, letters);
	printf("%zu %s%s\n", letters.n, done,
	    cli_dry(w->cli) ? " (dry run: nothing was changed)" : "");
	return report_missing(w, letters,
	    "is not in the queue, or not in a state for this");
}

/* No ids and no state: the channel itself is meant. */
static bool
whole_lane(const struct work *w)
{
	return !w->pick.ids && !w->pick.state.s;
}

static int
change_lane(struct work *w, bool hold)
{
	int error = 0;

	if (!cli_dry(w->cli))
		error = store_queue_hold_lane(w->db, w->mem, w->pick.channel,
		    hold);
	if (error)
		return cli_fail("queue", error);
	printf("%.*s %s%s\n", TEXT_FMT(w->pick.channel.s ? w->pick.channel :
	    TEXT("all channels")), hold ? "held" : "released",
	    cli_dry(w->cli) ? " (dry run: nothing was changed)" : "");
	return 0;
}

/* A channel is held as such, its letters as they are. */
static int
queue_hold(struct work *w)
{
	return whole_lane(w) ? change_lane(w, true) :
	    change(w, QUEUE_HOLD, "held");
}

static int
queue_retry(struct work *w)
{
	int status = whole_lane(w) ? change_lane(w, false) : 0;

	return status ? status : change(w, QUEUE_RETRY, "due now");
}

static int
queue_drop(struct work *w)
{
	return change(w, QUEUE_DROP, "dropped");
}

/* ---- the commands ---- */

static int
fill(struct cli *cli, struct queue_pick *ret)
{
	const size_t n = (size_t)cli->n_words;
	struct uuid *ids = arena_array(cli->mem, n, sizeof(*ids));

	for (size_t i = 0; i < n; i++)
		if (!uuid_parse(text_of(cli->words[i]), &ids[i]))
			return cli_bad(cli->words[i],
			    "is no id, as queue list shows them");
	*ret = (struct queue_pick){
		.ids = n ? ids : NULL, .n_ids = n,
		.channel = text_of(cli_value(cli, OPT_channel)),
		.state = text_of(cli_value(cli, OPT_state)),
		.lease_ms = cli->settings.courier_send_seconds * 1000 +
		    OUTBOX_SPARE_MS,
	};
	return 0;
}

static int
run(struct cli *cli, int (*verb)(struct work *))
{
	struct work work = { .cli = cli, .mem = cli->mem, .db = cli->db };
	const int status = fill(cli, &work.pick);

	return status ? status : verb(&work);
}

/* Ids or a group, not both: nobody can mean both. */
static int
run_picked(struct cli *cli, int (*verb)(struct work *))
{
	const bool group = cli_has(cli, OPT_all) || cli_has(cli, OPT_channel);

	return group == (cli->n_words == 0) ? run(cli, verb) : cli_wrong(cli,
	    "IDs must be given, or else --all or --channel");
}

int
cli_queue_list(struct cli *cli)
{
	return run(cli, queue_list);
}

int
cli_queue_show(struct cli *cli)
{
	return run(cli, queue_show);
}

int
cli_queue_retry(struct cli *cli)
{
	return run_picked(cli, queue_retry);
}

int
cli_queue_hold(struct cli *cli)
{
	return run_picked(cli, queue_hold);
}

int
cli_queue_drop(struct cli *cli)
{
	return run_picked(cli, queue_drop);
}
