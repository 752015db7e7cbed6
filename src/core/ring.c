/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads key ring and master secret files, and refuses unsafe ones. */
#include "core/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/weak.h"

#define FILE_MAX (64 * 1024)

/* One file under inspection: where we are, and where complaints go. */
struct source {
	const char *name;
	FILE *err;
	unsigned line;		/* 0: the file as a whole */
	char *bytes;		/* cleansed by source_done */
	size_t n;
};

static const char *const algorithms[] = { "HS256" };

static void
complain(const struct source *src, const char *why)
{
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
is_credential(const struct source *src, const struct stat *st)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t n = dir ? strlen(dir) : 0;

	return n > 0 && strncmp(src->name, dir, n) == 0 &&
	    src->name[n] == '/' && !strstr(src->name, "/../") &&
	    st->st_uid == 0 && (st->st_mode & 077) == 040;
}

/* NULL, or what is wrong with the file itself. */
static const char *
file_fault(const struct source *src, const struct stat *st)
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
read_all(struct source *src, int fd)
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

static bool
source_open(struct source *src)
{
	const char *why;
	struct stat st;
	/* O_NONBLOCK: a FIFO in its place must not hang the start. */
	int fd = open(src->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		complain(src, strerror(errno));
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
		complain(src, why);
	return !why;
}

static void
source_done(struct source *src)
{
	if (src->bytes) {
		explicit_bzero(src->bytes, FILE_MAX + 1);
		free(src->bytes);
	}
	src->bytes = NULL;
}

/* The next line without its end; *pos moves on. False at the end. */
static bool
next_line(struct source *src, size_t *pos, struct text *ret)
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

/* The next word of *line, cut off its front; empty at the end. */
static struct text
next_word(struct text *line)
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

/* NULL and the secret, or why not. */
static const char *
secret_decode(struct text word, struct secret *ret)
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

/* It is not empty: another word has come after it. */
static bool
kid_is_sane(struct text kid)
{
	if (kid.n > RING_KID)
		return false;
	for (size_t i = 0; i < kid.n; i++) {
		char c = kid.s[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '_' ||
		    c == '-'))
			return false;
	}
	return true;
}

static const char *
algorithm_find(struct text name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		if (text_is(name, algorithms[i]))
			return algorithms[i];
	}
	return NULL;
}

const struct ring_key *
ring_find(const struct token_ring *ring, struct text kid)
{
	for (size_t i = 0; i < ring->n; i++) {
		if (text_is(kid, ring->v[i].kid))
			return &ring->v[i];
	}
	return NULL;
}

/* One key's line. NULL, or why not. */
static const char *
ring_add(struct token_ring *ring, struct text line, bool *has_current)
{
	struct text role = next_word(&line), kid = next_word(&line);
	struct text alg = next_word(&line), key = next_word(&line);
	bool current = text_is(role, "current");
	struct ring_key *to = &ring->v[ring->n];

	if (!current && !text_is(role, "next") && !text_is(role, "previous"))
		return "a line begins with current, next or previous";
	if (key.n == 0 || next_word(&line).n > 0)
		return "a line has four words: ROLE KID ALG BASE64URL";
	if (!kid_is_sane(kid))
		return "a KID is 1-64 of A-Z a-z 0-9 . _ -";
	if (ring_find(ring, kid))
		return "this KID is there twice";
	if (current && *has_current)
		return "a second current key";
	if (ring->n == RING_KEYS)
		return "more than 16 keys";
	to->alg = algorithm_find(alg);
	if (!to->alg)
		return "unknown ALG; HS256 is known";
	memcpy(to->kid, kid.s, kid.n);
	to->kid[kid.n] = '\0';
	if (current) {
		ring->current = ring->n;
		*has_current = true;
	}
	ring->n++;	/* now, so that a bad key's KID is still known */
	return secret_decode(key, &to->secret);
}

/* Every line, every complaint. */
static bool
ring_read(struct token_ring *ring, struct source *src)
{
	bool has_current = false, good = true;
	struct text line;
	size_t pos = 0;

	while (next_line(src, &pos, &line)) {
		struct text rest = line, word = next_word(&rest);
		const char *why;

		if (word.n == 0 || word.s[0] == '#')
			continue;
		why = ring_add(ring, line, &has_current);
		if (why)
			complain(src, why);
		good = good && !why;
	}
	src->line = 0;
	if (good && !has_current)
		complain(src, "no current key");
	return good && has_current;
}

struct token_ring *
token_ring_load(const char *file, FILE *err)
{
	struct source src = { .name = file, .err = err };
	struct token_ring *ring = calloc(1, sizeof(*ring));
	bool good;

	if (!ring) {
		complain(&src, "out of memory");
		return NULL;
	}
	good = source_open(&src) && ring_read(ring, &src);
	source_done(&src);
	if (good)
		return ring;
	token_ring_free(ring);
	return NULL;
}

void
token_ring_free(struct token_ring *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < RING_KEYS; i++)
		secret_done(&ring->v[i].secret);
	free(ring);
}

/* Exactly one line with one word. NULL, or why not. */
static const char *
secret_read(struct source *src, struct secret *ret)
{
	struct text line, word, more;
	size_t pos = 0;

	if (!next_line(src, &pos, &line))
		return "empty; one line of base64url is needed";
	word = next_word(&line);
	if (word.n == 0)
		return "empty; one line of base64url is needed";
	if (next_word(&line).n > 0)
		return "more than one word";
	while (next_line(src, &pos, &more)) {
		if (next_word(&more).n > 0)
			return "more than one line";
	}
	src->line = 1;
	return secret_decode(word, ret);
}

int
secret_load(const char *file, FILE *err, struct secret *ret)
{
	struct source src = { .name = file, .err = err };
	struct secret secret = { .n = 0 };
	const char *why = NULL;
	bool good = source_open(&src);

	if (good) {
		why = secret_read(&src, &secret);
		if (why)
			complain(&src, why);
	}
	source_done(&src);
	if (!good || why)
		return -EINVAL;
	*ret = secret;
	secret_done(&secret);
	return 0;
}
