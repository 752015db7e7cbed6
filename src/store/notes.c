/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What libpq and the server say, in a line. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "store/wire.h"

/* libpq's messages have several lines; a log line has one. */
void
wire_note(struct db *db, const char *message)
{
	size_t n = 0;

	for (; *message && n < sizeof(db->why) - 1; message++)
		db->why[n++] = *message == '\n' || *message == '\t' ?
		    ' ' : *message;
	while (n > 0 && db->why[n - 1] == ' ')
		n--;
	db->why[n] = '\0';
}

void
wire_notice(void *arg, const char *message)
{
	struct db *db = arg;
	int n = (int)strcspn(message, "\n");

	log_event(LOG_INFO, "db_notice", "application=%s message=\"%.*s\"",
	    db->config.application, n, message);
}
