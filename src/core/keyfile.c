/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Files with secrets in them: read by lines and words, or refused as unsafe. */
#include "core/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/token.h"
#include "core/weak.h"

#define FILE_MAX (64 * 1024)

void
keyfile_complain(const struct keyfile *src, const char *why)
{
	if (src->setting)
		fprintf(src->err, "%s: ", src->setting);
	if (src->line > 0)
		fprintf(src->err, "%s:%u: %s\n", src->name, src->line, why);
	else
		fprintf(src->err, "%s: %s\n", src->name, why);
}

/*
 * systemd hands a credential over by chown where it can and by an ACL where it
 * cannot; the ACL's mask then shows as g=r although the group may not read.
 */
static bool
is_credential(const struct keyfile *src, const struct stat *st)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t n = dir ? strlen(dir) : 0;

	return n > 0 && strncmp(src->name, dir, n) == 0 &&
	    src->name[n] == '/' && !strstr(src->name, "/../") &&
	    st->st_uid == 0 && (st->st_mode & 077) == 040;
}

/* NULL, or what is wrong with the file itself. */
static const char *
file_fault(const struct keyfile *src, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if ((st->st_mode & 077) && !is_credential(src, st))
		return "others can read or write it; chmod 600";
	if (st->st_size > FILE_MAX)
		return "larger than 64 KiB";
	return NULL;
}

static const char *
read_all(struct keyfile *src, int fd)
{
	/* One byte more, to notice a file that grew since fstat. */
	src->bytes = malloc(FILE_MAX + 1);
	if (!src->bytes)
		return "out of memory";
	for (;;) {
		ssize_t got = read(fd, src->bytes + src->n,
		    FILE_MAX + 1 - src->n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		if (got == 0)
			return NULL;
		src->n += (size_t)got;
		if (src->n > FILE_MAX)
			return "larger than 64 KiB";
	}
}

bool
keyfile_open(struct keyfile *src)
{
	const char *why;
	struct stat st;
	/* O_NONBLOCK: a FIFO in its place must not hang the start. */
	int fd = open(src->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		keyfile_complain(src, strerror(errno));
		return false;
	}
	if (fstat(fd, &st) < 0)
		why = strerror(errno);
	else
		why = file_fault(src, &st);
	if (!why)
		why = read_all(src, fd);
	close(fd);
	if (why)
		keyfile_complain(src, why);
	return !why;
}

void
keyfile_done(struct keyfile *src)
{
	if (src->bytes) {
		explicit_bzero(src->bytes, FILE_MAX + 1);
		free(src->bytes);
	}
	src->bytes = NULL;
}

bool
keyfile_line(struct keyfile *src, size_t *pos, struct text *ret)
{
	const char *start = src->bytes + *pos, *end;
	size_t left = src->n - *pos;

	if (left == 0)
		return false;
	end = memchr(start, '\n', left);
	ret->s = start;
	ret->n = end ? (size_t)(end - start) : left;
	*pos += ret->n + (end ? 1 : 0);
	if (ret->n > 0 && ret->s[ret->n - 1] == '\r')
		ret->n--;
	src->line++;
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct text
keyfile_word(struct text *line)
{
	struct text word;

	while (line->n > 0 && is_blank(*line->s)) {
		line->s++;
		line->n--;
	}
	word = (struct text){ line->s, 0 };
	while (line->n > 0 && !is_blank(*line->s)) {
		line->s++;
		line->n--;
		word.n++;
	}
	return word;
}

const char *
keyfile_secret(struct text word, struct secret *ret)
{
	uint8_t bytes[sizeof(ret->b)];
	const char *why = NULL;
	size_t n = 0;

	if (secret_is_weak(word.s, word.n))
		/* NOLINTNEXTLINE(bugprone-branch-clone): text, then bytes */
		why = "a known default; make one with openssl rand";
	else if (word.n > (sizeof(bytes) * 4 + 2) / 3)
		why = "longer than 64 bytes";
	else if (!base64url_decode(word, bytes, sizeof(bytes), &n))
		why = "not base64url without padding";
	else if (n < SECRET_MIN)
		why = "shorter than 32 bytes";
	else if (secret_is_weak(bytes, n))
		why = "a known default; make one with openssl rand";
	if (!why) {
		memcpy(ret->b, bytes, n);
		ret->n = n;
	}
	explicit_bzero(bytes, sizeof(bytes));
	return why;
}

/* Exactly one line with one word. NULL, or why not. */
static const char *
secret_read(struct keyfile *src, struct secret *ret)
{
	struct text line, word, more;
	size_t pos = 0;

	if (!keyfile_line(src, &pos, &line))
		return "empty; one line of base64url is needed";
	word = keyfile_word(&line);
	if (word.n == 0)
		return "empty; one line of base64url is needed";
	if (keyfile_word(&line).n > 0)
		return "more than one word";
	while (keyfile_line(src, &pos, &more)) {
		if (keyfile_word(&more).n > 0)
			return "more than one line";
	}
	src->line = 1;
	return keyfile_secret(word, ret);
}

int
secret_load(const char *setting, const char *file, FILE *err,
    struct secret *ret)
{
	struct keyfile src = { .name = file, .setting = setting, .err = err };
	struct secret secret = { .n = 0 };
	const char *why = NULL;
	bool good = keyfile_open(&src);

	if (good) {
		why = secret_read(&src, &secret);
		if (why)
			keyfile_complain(&src, why);
	}
	keyfile_done(&src);
	if (!good || why)
		return -EINVAL;
	*ret = secret;
	secret_done(&secret);
	return 0;
}
