/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket queue: what waits for the courier, and a hand in it. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/queue.h"
#include "store/outbox.h"

struct ask {
	const char *channel, *state;
	bool json, all, dry;
	char **ids;
	int n_ids;
};

struct work {
	const struct ask *ask;
	struct arena *mem;
	struct db *db;
	struct queue_pick pick;
};

static int
bad(const char *what, const char *why)
{
	fprintf(stderr, "docket: %s %s\n", what, why);
	return EX_DATAERR;
}

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
	if (w->ask->json)
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
			status = bad(w->ask->ids[i], why);
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
	    w->ask->dry, &letters);

	if (error)
		return cli_fail("queue", error);
	queue_print_letters(w->mem, letters);
	printf("%zu %s%s\n", letters.n, done,
	    w->ask->dry ? " (dry run: nothing was changed)" : "");
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

	if (!w->ask->dry)
		error = store_queue_hold_lane(w->db, w->mem, w->pick.channel,
		    hold);
	if (error)
		return cli_fail("queue", error);
	printf("%s %s%s\n", w->ask->channel ? w->ask->channel : "all channels",
	    hold ? "held" : "released",
	    w->ask->dry ? " (dry run: nothing was changed)" : "");
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

static const struct verb {
	const char *name;
	bool picks;		/* needs ids, --channel or --all */
	int (*run)(struct work *w);
} verbs[] = {
	{ "list",	false, queue_list },
	{ "show",	true, queue_show },
	{ "retry",	true, queue_retry },
	{ "hold",	true, queue_hold },
	{ "drop",	true, queue_drop },
};

/* ---- the command line ---- */

static bool
one_of(const char *word, const char *const *words)
{
	for (; word && *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return !word;
}

static int
fill(const struct ask *ask, struct arena *mem, struct queue_pick *ret)
{
	static const char *const channels[] = { "sms", "email", NULL };
	static const char *const states[] = {
		"due", "leased", "waiting", "held", "dead", NULL
	};
	struct uuid *ids = arena_array(mem, (size_t)ask->n_ids, sizeof(*ids));

	if (!one_of(ask->channel, channels))
		return bad("--channel", "must be sms or email");
	if (!one_of(ask->state, states))
		return bad("--state",
		    "must be due, leased, waiting, held or dead");
	for (int i = 0; i < ask->n_ids; i++)
		if (!uuid_parse(text_of(ask->ids[i]), &ids[i]))
			return bad(ask->ids[i],
			    "is no id, as queue list shows them");
	*ret = (struct queue_pick){
		.ids = ask->n_ids ? ids : NULL, .n_ids = (size_t)ask->n_ids,
		.channel = text_of(ask->channel), .state = text_of(ask->state),
	};
	return 0;
}

static const struct verb *
verb_find(const struct ask *ask, const char *name)
{
	bool group = ask->all || ask->channel;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		const struct verb *v = &verbs[i];

		if (strcmp(v->name, name) != 0)
			continue;
		if (v->run == queue_show)
			return ask->n_ids > 0 && !group ? v : NULL;
		/* Ids or a group, not both: nobody can mean both. */
		if (v->picks)
			return group == (ask->n_ids == 0) ? v : NULL;
		return ask->n_ids == 0 && !ask->all && !ask->dry ? v : NULL;
	}
	return NULL;
}

static int
with_database(struct cli *cli, const struct ask *ask, const struct verb *verb)
{
	static const struct stmts *const sets[] = { &queue_statements };
	struct work work = { .ask = ask, .mem = cli->mem };
	struct settings settings;
	int status = fill(ask, cli->mem, &work.pick);

	if (status || (status = cli_settings(cli, &settings)))
		return status;
	work.pick.lease_ms = settings.courier_send_seconds * 1000 +
	    OUTBOX_SPARE_MS;
	work.db = cli_connect(&settings, settings.database_courier_dsn, sets,
	    1, &status);
	if (work.db)
		status = verb->run(&work);
	db_free(work.db);
	settings_done(&settings);
	return status;
}

static bool
take_option(struct cli *cli, struct ask *ask, int c)
{
	switch (c) {
	case 'C':
		ask->channel = optarg;
		return true;
	case 'S':
		ask->state = optarg;
		return true;
	case 'j':
		return ask->json = true;
	case 'a':
		return ask->all = true;
	case 'n':
		return ask->dry = true;
	default:
		return cli_option(cli, c);
	}
}

int
cli_queue(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "channel", required_argument, NULL, 'C' },
		{ "state", required_argument, NULL, 'S' },
		{ "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' },
		{ "dry-run", no_argument, NULL, 'n' },
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
	ask.ids = argv + optind + 1;
	ask.n_ids = argc - optind - 1;
	verb = verb_find(&ask, argv[optind]);
	return verb ? with_database(cli, &ask, verb) : cli_usage();
}
