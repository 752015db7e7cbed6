/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The way through the machine's own mail program. */
#include <errno.h>
#include <stdlib.h>

#include "courier/child.h"
#include "courier/mime.h"

struct way {
	const struct settings *settings;
	struct mime_sender from;
};

static int
way_open(const struct settings *settings, FILE *errors, struct way **ret)
{
	struct way *way = calloc(1, sizeof(*way));
	bool good;

	if (!way)
		return -ENOMEM;
	way->settings = settings;
	good = mime_sender(settings, errors, &way->from);
	if (!child_check("courier.sendmail", settings->courier_sendmail,
	    errors) || !good) {
		free(way);
		return -EINVAL;
	}
	*ret = way;
	return 0;
}

static void
way_send(struct way *way, struct arena *mem, const struct letter *letter,
    struct outcome *ret)
{
	const char *const argv[] = {
		way->settings->courier_sendmail, "-i", "-f",
		way->from.address, "--",
		arena_copy(mem, letter->to.s, letter->to.n), NULL
	};
	struct child child = { .argv = argv, .env = child_env };
	struct child_end end;
	struct text mail;

	if (!mime_mail(mem, &way->from, letter, &mail)) {
		outcome_set(ret, OUTCOME_NEVER, false,
		    "the address cannot stand in a mail");
		return;
	}
	child.input = mime_unix(mem, mail);
	child.until_ms = child_until(letter,
	    way->settings->courier_send_seconds);
	child_run(&child, &end);
	child_outcome(&end, mem, letter, "sendmail", ret);
}

static void
way_close(struct way *way)
{
	free(way);
}

const struct way_kind way_sendmail = {
	"sendmail", way_open, way_send, way_close
};
