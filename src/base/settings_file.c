/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A settings file as text: read whole, comments blanked, quotes closed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings_row.h"

#define FILE_MAX ((size_t)1024 * 1024)

/* Malloc'ed, NUL-terminated; NULL with errno (EFBIG over FILE_MAX). */
static char *
read_all(const char *path, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), saved;
	char *text = fd < 0 ? NULL : malloc(FILE_MAX + 1);
	size_t n = 0;
	ssize_t got = 1;

	while (text && n <= FILE_MAX && got > 0) {
		got = read(fd, text + n, FILE_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	saved = n > FILE_MAX ? EFBIG : got < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (!text || saved != 0) {
		free(text);
		if (saved)
			errno = saved;
		return NULL;
	}
	text[n] = '\0';
	*ret_n = n;
	return text;
}

/* Spaces over a comment; its line ends stay, so lines keep their numbers. */
static char *
blank(char *from, char *to)
{
	for (; from < to; from++)
		if (*from != '\n')
			*from = ' ';
	return to;
}

/* What may stand in a word without quotes; as libconfuse's lexer has it. */
static bool
is_word(char c)
{
	return c != '\0' && !strchr(" #\"'\t\n\r={}()+,*", c);
}

/* p stands on a quote: the place behind its end, or NULL. In double quotes
 * ${NAME} is a unit that may hold quotes itself. */
static char *
skip_string(char *p)
{
	char quote = *p++, *end;

	for (; *p && *p != quote; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (quote == '"' && strncmp(p, "${", 2) == 0 &&
		    (end = strchr(p, '}')))
			p = end;
	}
	return *p ? p + 1 : NULL;
}

/* One token or comment from p on; NULL with `why` when it does not end. */
static char *
skip_token(char *p, char why[SETTING_WHY])
{
	char *end;

	if (*p == '"' || *p == '\'') {
		end = skip_string(p);
		snprintf(why, SETTING_WHY, "a string begins here and has no "
		    "end");
		return end;
	}
	if (*p == '#' || strncmp(p, "//", 2) == 0)
		return blank(p, p + strcspn(p, "\n"));
	if (strncmp(p, "/*", 2) == 0) {
		end = strstr(p + 2, "*/");
		snprintf(why, SETTING_WHY, "a comment begins here and has no "
		    "end");
		return end ? blank(p, end + 2) : NULL;
	}
	if (strncmp(p, "${", 2) == 0 && (end = strchr(p, '}')))
		return end + 1;
	if (!is_word(*p))
		return p + 1;
	while (is_word(*p))
		p++;
	return p;
}

/*
 * All tokens of the text; false with `why` and the line where it happened.
 * Braces are counted as libconfuse takes the end of the file for a "}".
 */
static bool
scan(char *text, size_t n, unsigned *ret_line, char why[SETTING_WHY])
{
	unsigned line = 1, opened = 0;
	int depth = 0;
	char *p = text, *next;

	for (; *p; p = next) {
		next = skip_token(p, why);
		*ret_line = line;
		if (!next)
			return false;
		if (*p == '{' && depth++ == 0)
			opened = line;
		depth -= *p == '}' && depth > 0;
		for (const char *q = p; q < next; q++)
			line += *q == '\n';
	}
	*ret_line = depth ? opened : line;
	if (depth)
		snprintf(why, SETTING_WHY, "a section begins here and has no "
		    "end");
	else if (p < text + n)
		snprintf(why, SETTING_WHY, "there is a NUL byte");
	return depth == 0 && p == text + n;
}

char *
settings_file_read(const char *path, unsigned *ret_line,
    char why[SETTING_WHY])
{
	size_t n;
	char *text = read_all(path, &n);

	*ret_line = 0;
	if (!text) {
		snprintf(why, SETTING_WHY, "%s", errno == EFBIG ?
		    "is larger than 1 MiB" : strerror(errno));
		return NULL;
	}
	if (scan(text, n, ret_line, why))
		return text;
	free(text);
	return NULL;
}
