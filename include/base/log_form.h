/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside base: an event as a line of text, as JSON, as the journal's fields. */
#ifndef DOCKET_BASE_LOG_FORM_H
#define DOCKET_BASE_LOG_FORM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/log.h"

#define LOG_LINE_MAX 2048	/* text */
#define LOG_FORM_MAX 8192	/* JSON and fields */
#define LOG_PAIRS_MAX 24

/* One key=value of an event. The key is the format's own, so no value can
 * bring one. */
struct log_pair {
	const char *key, *value;
	size_t key_n, value_n;
	bool number;		/* it was printed by %d or the like */
};

struct log_entry {
	enum log_level level;
	const char *program, *name, *event;
	char text[LOG_LINE_MAX];	/* all pairs, as they are printed */
	bool cut;			/* it had no room for all of them */
	struct log_pair pairs[LOG_PAIRS_MAX];	/* values: into this->marked */
	size_t n_pairs;
	char format[512], marked[LOG_LINE_MAX];
};

/* text and pairs. No pairs when the format is no list of key=value, or when a
 * value holds what is needed to tell them apart. */
void log_split(struct log_entry *entry, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Each gives the number of bytes; control bytes are escaped in all of them,
 * and a line ends with the one newline in it. */
size_t log_form_text(const struct log_entry *entry, bool journal,
    char out[LOG_LINE_MAX]);
size_t log_form_json(const struct log_entry *entry, char out[LOG_FORM_MAX]);
/* systemd's native protocol: a datagram of FIELD=value lines, of which the
 * last is MESSAGE. */
size_t log_form_fields(const struct log_entry *entry, char out[LOG_FORM_MAX]);

/* ---- base/journal.c ---- */

/* A socket for datagrams to that path; -1: nobody listens there. */
int journal_open(const char *path);
/* Send entries that stand behind one another, each after its length (a
 * uint16_t), in as few calls as possible. What cannot be sent is written to
 * stderr as text. */
void journal_send(int fd, const char *entries, size_t n);

#endif
