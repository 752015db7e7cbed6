/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The way through a sysadmin's own program: a letter as JSON on its input. */
#include <errno.h>
#include <stdlib.h>

#include "courier/child.h"
#include "courier/said.h"

#define WORDS_MAX 64

struct way {
	const struct settings *settings;
	char *words;			/* the command, cut at its blanks */
	const char *argv[WORDS_MAX + 1];
};

/* False: too many. */
static bool
words_cut(struct way *way)
{
	size_t n = 0;
	char *save = NULL;

	for (char *word = strtok_r(way->words, " ", &save); word;
	    word = strtok_r(NULL, " ", &save)) {
		if (n == WORDS_MAX)
			return false;
		way->argv[n++] = word;
	}
	return true;
}

static void
way_close(struct way *way)
{
	if (way)
		free(way->words);
	free(way);
}

static int
way_open(const struct settings *settings, FILE *errors, struct way **ret)
{
	static const char name[] = "courier.exec_command";
	struct way *way = calloc(1, sizeof(*way));
	bool good;

	if (way)
		way->words = strdup(settings->courier_exec_command);
	if (!way || !way->words) {
		way_close(way);
		return -ENOMEM;
	}
	way->settings = settings;
	good = words_cut(way);
	if (!good)
		fprintf(errors, "%s: more than %d words\n", name, WORDS_MAX);
	if (!good || !child_check(name, way->argv[0] ? way->argv[0] : "",
	    errors)) {
		way_close(way);
		return -EINVAL;
	}
	*ret = way;
	return 0;
}

static void
way_send(struct way *way, struct arena *mem, const struct letter *letter,
    struct outcome *ret)
{
	const char *env[5] = {
		child_env[0], child_env[1],
		arena_printf(mem, "DOCKET_MESSAGE_ID=%.*s",
		    TEXT_FMT(letter->id)),
		arena_printf(mem, "DOCKET_CHANNEL=%.*s",
		    TEXT_FMT(letter->channel)),
	};
	struct buf json = { 0 };
	struct child child = { .argv = way->argv, .env = env };
	struct child_end end = { .error = ENOMEM };

	letter_json(&json, letter);
	child.input = buf_view(&json);
	child.until_ms = child_until(letter,
	    way->settings->courier_send_seconds);
	if (!json.failed)
		child_run(&child, &end);
	child_outcome(&end, mem, letter, "exec", ret);
	/* What the helper knows the message by. */
	if (ret->kind == OUTCOME_SENT)
		outcome_ref(ret, said_line(mem, text_of(end.out), letter));
	buf_wipe(&json);
	explicit_bzero(&end, sizeof(end));
}

const struct way_kind way_exec = {
	"exec", way_open, way_send, way_close
};
