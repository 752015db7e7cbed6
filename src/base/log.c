/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Log lines on stderr, each whole in one write. */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_ 2048

static const struct {
	const char *journal;	/* sd-daemon(3) */
	const char *word;
} levels[] = {
	[LOG_ERROR_]	= { "<3>", "error" },
	[LOG_WARN]	= { "<4>", "warn" },
	[LOG_INFO]	= { "<6>", "info" },
	[LOG_DEBUG_]	= { "<7>", "debug" },
};

/* What a process logs as; written at its start only. */
static struct {
	char program[32];
	char name[32];
	enum log_level level;
	bool journal;
} self = { .program = "docket", .level = LOG_INFO };

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

/* Called again after a fork: the child's lines must not bear our name. */
void
log_name(const char *name)
{
	snprintf(self.name, sizeof(self.name), "%s", name ? name : "");
}

/* The journal keeps time and program itself; a terminal or a file does not. */
static size_t
put_prefix(char *line, size_t cap, enum log_level level, const char *event)
{
	char when[TIME_CHARS];
	int n;

	if (self.journal) {
		n = snprintf(line, cap, "%s%s%s%s", levels[level].journal,
		    self.name, self.name[0] ? " " : "", event);
		return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
	}
	time_format(clock_real_us(), when);
	n = snprintf(line, cap, "%.*s %s %s%s%s %s", TIME_CHARS, when,
	    levels[level].word, self.program, self.name[0] ? " " : "",
	    self.name, event);
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

/* n without a UTF-8 sequence that is cut at the end: journald would keep the
 * whole line as a blob. */
static size_t
whole_chars(const char *s, size_t n)
{
	size_t lead = n, need;

	while (lead > 0 && ((uint8_t)s[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead-- == 0)
		return n;
	need = (uint8_t)s[lead] >= 0xf0 ? 4 : (uint8_t)s[lead] >= 0xe0 ? 3 :
	    (uint8_t)s[lead] >= 0xc0 ? 2 : 1;
	return n - lead < need ? lead : n;
}

/* Copy with control bytes escaped; stops where the next piece has no room. */
static size_t
put_safe(char *line, size_t used, size_t cap, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s; s++) {
		uint8_t c = (uint8_t)*s;
		bool plain = c >= 0x20 && c != 0x7f;

		if (used + (plain ? 1 : 4) > cap)
			break;
		if (plain) {
			line[used++] = *s;
			continue;
		}
		line[used++] = '\\';
		line[used++] = 'x';
		line[used++] = hex[c >> 4];
		line[used++] = hex[c & 15];
	}
	return whole_chars(line, used);
}

/* The lines that wait: no more than a pipe takes in one piece (pipe(7)). */
static struct {
	char bytes[PIPE_BUF];
	size_t n;
	int64_t since;		/* clock_mono_ms of the first */
} waiting;

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

void
log_flush(void)
{
	if (waiting.n > 0)
		write_out(waiting.bytes, waiting.n);
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

/* A whole line of at most LINE_MAX_ bytes; its length. */
static size_t
put_line(char *line, enum log_level level, const char *event, const char *fmt,
    va_list ap)
{
	char text[LINE_MAX_];
	size_t n;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	n = put_prefix(line, LINE_MAX_ - 1, level, event);
	if (text[0])
		line[n++] = ' ';
	n = put_safe(line, n, LINE_MAX_ - 1, text);
	line[n++] = '\n';
	return n;
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
	char line[LINE_MAX_];
	int saved = errno;
	va_list ap;

	if (is_silent(level))
		return;
	log_flush();
	va_start(ap, fmt);
	write_out(line, put_line(line, level, event, fmt, ap));
	va_end(ap);
	errno = saved;
}

void
log_later(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[LINE_MAX_];
	int saved = errno;
	va_list ap;
	size_t n;

	if (is_silent(level))
		return;
	va_start(ap, fmt);
	n = put_line(line, level, event, fmt, ap);
	va_end(ap);
	if (sizeof(waiting.bytes) - waiting.n < n)
		log_flush();
	if (waiting.n == 0)
		waiting.since = clock_mono_ms();
	memcpy(waiting.bytes + waiting.n, line, n);
	waiting.n += n;
	errno = saved;
}
