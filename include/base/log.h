/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Log lines: event name first, key=value after it, one write each. */
#ifndef DOCKET_BASE_LOG_H
#define DOCKET_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR_, LOG_WARN, LOG_INFO, LOG_DEBUG_ };

/* level: the most talkative level that is written. To stderr, prefixed <3>,
 * <4>, <6>, <7> for journald when stderr is the journal ($JOURNAL_STREAM);
 * elsewhere by the time, the level and the program. */
void log_init(const char *program, enum log_level level);
/*
 * How it is written from now on. auto: to the journal itself, as fields of its
 * own, where it reads stderr and has that socket (JOURNAL_SOCKET); else as
 * text. json: an object a line. At first: text.
 */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
void log_format(const char *word, const char *journal_socket);
/* A short name in front of every line, such as worker.3. Copied. */
void log_name(const char *name);

/*
 * log_event(LOG_WARN, "db_lost", "attempt=%d why=\"%s\"", n, why): one line of
 * at most 2 KiB, control bytes as \xNN so that no value forges a line. Never a
 * secret, a code or a token. The format is a list of key=value, a value with
 * blanks in quotes: each becomes a member in JSON, a field DOCKET_KEY in the
 * journal. Events of tbl/journal.h bear their MESSAGE_ID there.
 */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The same for a line that many others may follow at once, such as a request's:
 * it waits for them, LOG_WAIT_MS at most and never behind another event's line,
 * so that a busy worker writes once for many. Who uses it calls log_tick in its
 * loop and log_flush before it ends; kill -9 costs the lines that wait.
 */
#define LOG_WAIT_MS 50

void log_later(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Write what has waited long enough (now: clock_mono_ms). How long until it is
 * due, -1 = nothing waits. */
int log_tick(int64_t now);
void log_flush(void);

#endif
