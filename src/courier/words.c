/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads what a gateway or a receiver gave us as a secret. */
#include "courier/words.h"

#include <errno.h>
#include <stdlib.h>

#include "core/keyfile.h"

/* NULL, or why it is none. */
static const char *
word_fault(struct text word)
{
	if (word.n > WORD_MAX)
		return "longer than 1024 bytes";
	for (size_t i = 0; i < word.n; i++)
		if (word.s[i] <= ' ' || word.s[i] > '~')
			return "not printable ASCII";
	return NULL;
}

/* NULL and the words, which point into the file's bytes, or why not. */
static const char *
read_words(struct keyfile *src, size_t most, struct words *ret)
{
	struct text line, word;
	const char *why;
	size_t pos = 0;

	while (keyfile_line(src, &pos, &line)) {
		word = keyfile_word(&line);
		if (word.n == 0)
			continue;
		why = ret->n == most ? "one line too many" :
		    keyfile_word(&line).n > 0 ? "more than one word" :
		    word_fault(word);
		if (why)
			return why;
		ret->v[ret->n++] = word;
	}
	src->line = 0;
	return ret->n > 0 ? NULL : "empty";
}

/* The words alone stay, in memory of their own. */
static int
keep(struct words *words)
{
	char *to = malloc(words->v[0].n + words->v[1].n + 1);

	words->bytes = to;
	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < words->n; i++) {
		memcpy(to, words->v[i].s, words->v[i].n);
		words->v[i].s = to;
		to += words->v[i].n;
	}
	return 0;
}

int
words_load(const char *setting, const char *file, size_t most, FILE *errors,
    struct words *ret)
{
	struct keyfile src = {
		.name = file, .setting = setting, .err = errors,
	};
	struct words words = { .n = 0 };
	int r = keyfile_open(&src) ? 0 : -EINVAL;

	if (r == 0) {
		const char *why = read_words(&src, most, &words);

		if (why)
			keyfile_complain(&src, why);
		r = why ? -EINVAL : keep(&words);
	}
	keyfile_done(&src);
	if (r == 0)
		*ret = words;
	return r;
}

void
words_done(struct words *words)
{
	if (words->bytes)
		explicit_bzero(words->bytes, words->v[0].n + words->v[1].n);
	free(words->bytes);
	*words = (struct words){ .n = 0 };
}
