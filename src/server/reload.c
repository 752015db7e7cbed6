/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* SIGHUP's first half: read everything anew, refuse what cannot serve. */
#include "server/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* One log line for each line that a loader wrote. */
static void
log_faults(char *text)
{
	char *rest = text;
	const char *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0])
			log_event(LOG_ERROR_, "reload_refused", "why=\"%s\"",
			    line);
}

struct crew *
reload_crew(const struct server_config *config)
{
	struct settings settings = { 0 };
	struct crew *crew = NULL;
	char *text = NULL;
	size_t n = 0;
	FILE *err = open_memstream(&text, &n);

	if (!err)
		return NULL;
	/* Apart: libconfuse may end its process when memory is short. On a
	 * failure the settings stay empty: nothing to undo. */
	if (settings_load_apart(&config->source, err, &settings) == 0) {
		if (!config->check || config->check(&settings, err) == 0)
			crew = crew_new(&settings);
		if (!crew)
			settings_done(&settings);
	}
	fclose(err);
	if (!crew)
		log_faults(text);
	free(text);
	return crew;
}
