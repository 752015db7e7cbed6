/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Log lines on stderr, each whole in one write. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_form.h"

/* What a process logs as; written at its start only. */
static struct {
	char program[32];
	char name[32];
	enum log_level level;
	bool journal;		/* reads stderr */
	bool json;
	int socket;		/* the journal's for entries, or -1 */
} self = { .program = "docket", .level = LOG_INFO,
	.socket = -1 };

/* $JOURNAL_STREAM = "device:inode" of the journal's socket. Only when stderr
 * is still that file is the journal reading (systemd.exec(5)). */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	uintmax_t dev, ino;

	/* NOLINTNEXTLINE(cert-err34-c): a wrong number is no file of ours */
	if (!stream || sscanf(stream, "%ju:%ju", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	    st.st_ino == ino;
}

void
log_init(const char *program, enum log_level level)
{
	snprintf(self.program, sizeof(self.program), "%s", program);
	self.level = level;
	self.journal = stderr_is_journal();
}

void
log_format(const char *word, const char *journal_socket)
{
	if (self.socket >= 0)
		close(self.socket);
	self.json = strcmp(word, "json") == 0;
	self.socket = strcmp(word, "auto") == 0 && self.journal ?
	    journal_open(journal_socket) : -1;
}

/* Called again after a fork: the child's lines must not bear our name. */
void
log_name(const char *name)
{
	snprintf(self.name, sizeof(self.name), "%s", name ? name : "");
}

/* What waits: lines, or entries of the journal's, each after its length. */
static struct {
	char bytes[2 * LOG_FORM_MAX];
	size_t n;
	int64_t since;		/* clock_mono_ms of the first */
} waiting;

/* A pipe takes no more than this in one piece (pipe(7)); datagrams are pieces
 * of their own. */
#define PIECE 4096

/* One write, so lines of several processes do not mix. */
static void
write_out(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDERR_FILENO, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		bytes += done;
		n -= (size_t)done;
	}
}

static void
send_out(const char *bytes, size_t n)
{
	if (self.socket >= 0)
		journal_send(self.socket, bytes, n);
	else
		write_out(bytes, n);
}

void
log_flush(void)
{
	if (waiting.n > 0)
		send_out(waiting.bytes, waiting.n);
	waiting.n = 0;
}

int
log_tick(int64_t now)
{
	int64_t left = waiting.since + LOG_WAIT_MS - now;

	if (waiting.n == 0)
		return -1;
	if (left > 0)
		return (int)left;
	log_flush();
	return -1;
}

/* What is to be written of an event. */
struct form {
	char bytes[sizeof(uint16_t) + LOG_FORM_MAX];
	size_t n;
};

static void
form_entry(const struct log_entry *entry, struct form *ret)
{
	uint16_t n;

	ret->n = log_form_fields(entry, ret->bytes + sizeof(n));
	n = (uint16_t)ret->n;
	memcpy(ret->bytes, &n, sizeof(n));
	ret->n += sizeof(n);
}

/* Text needs no pairs, and their splitting would print everything twice. */
static void
form(enum log_level level, const char *event, const char *fmt, va_list ap,
    struct form *ret)
{
	struct log_entry entry;

	entry.level = level;
	entry.program = self.program;
	entry.name = self.name;
	entry.event = event;
	entry.n_pairs = 0;
	if (self.socket >= 0 || self.json)
		log_split(&entry, fmt, ap);
	else if (vsnprintf(entry.text, sizeof(entry.text), fmt, ap) < 0)
		entry.text[0] = '\0';
	if (self.socket >= 0)
		form_entry(&entry, ret);
	else if (self.json)
		ret->n = log_form_json(&entry, ret->bytes);
	else
		ret->n = log_form_text(&entry, self.journal, ret->bytes);
}

static bool
is_silent(enum log_level level)
{
	return level > self.level || level > LOG_DEBUG_;
}

/* errno is kept, so a caller may log and then return it. */
void
log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	struct form f;
	int saved = errno;
	va_list ap;

	if (is_silent(level))
		return;
	log_flush();
	va_start(ap, fmt);
	form(level, event, fmt, ap, &f);
	va_end(ap);
	send_out(f.bytes, f.n);
	errno = saved;
}

void
log_later(enum log_level level, const char *event, const char *fmt, ...)
{
	struct form f;
	int saved = errno;
	va_list ap;

	if (is_silent(level))
		return;
	va_start(ap, fmt);
	form(level, event, fmt, ap, &f);
	va_end(ap);
	if (waiting.n + f.n >
	    (self.socket >= 0 ? sizeof(waiting.bytes) : PIECE))
		log_flush();
	if (waiting.n == 0)
		waiting.since = clock_mono_ms();
	memcpy(waiting.bytes + waiting.n, f.bytes, f.n);
	waiting.n += f.n;
	errno = saved;
}
