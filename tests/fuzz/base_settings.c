/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a settings file: taken within the rows' bounds, or refused by
 * file and line; and the next file is read as if this one had not been. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/settings_row.h"
#include "lib/input.h"

static const char good[] =
    "profile = dev # one\nserver {\n\tworkers = 7\n}\nauth { issuer = 'x y' }";

static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	clearenv();	/* of what DOCKET_ variables there are, no word */
	setenv("WORD", "dev", 1);
	file = memfd_create("settings", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return file < 0;
}

/* *ret_said is malloc'ed: what was complained about. */
static int
load(const char *text, size_t n, struct settings *ret, char **ret_said)
{
	const struct settings_source source = { .file = path };
	size_t said;
	FILE *err = open_memstream(ret_said, &said);
	int r;

	must(err && ftruncate(file, 0) == 0 &&
	    pwrite(file, text, n, 0) == (ssize_t)n, "no room");
	r = settings_load(&source, err, ret);
	must(fclose(err) == 0 && said == strlen(*ret_said),
	    "a NUL in the report");
	return r;
}

/* "file:line: sentence" on each line, no control characters. */
static void
check_report(const char *said, size_t lines_max)
{
	const size_t n = strlen(path);

	must(*said, "refused without a word");
	while (*said) {
		const char *end = strchr(said, '\n');
		char *after;
		unsigned long line;

		must(end, "a report that ends within a line");
		must(strncmp(said, path, n) == 0 && said[n] == ':',
		    "a refusal without its file");
		line = strtoul(said + n + 1, &after, 10);
		must(after > said + n + 1 && strncmp(after, ": ", 2) == 0 &&
		    after + 2 < end, "a refusal without its line");
		must(line >= 1 && line <= lines_max, "no line of the file");
		for (; said < end; said++)
			must((unsigned char)*said >= ' ' && *said != 0x7f,
			    "a control character in the report");
		said = end + 1;
	}
}

static void
check_row(const struct setting *row, const struct settings *s)
{
	const void *member = (const char *)s + row->offset;
	const struct settings_store *store = s->store;
	const char *text = store->text[row - setting_rows];
	const long *number = member;
	const bool is_auto = row->type == SETTING_COUNT && *number == 0;

	switch (row->type) {
	case SETTING_INT:
	case SETTING_COUNT:
	case SETTING_SECONDS:
		must(is_auto || (*number >= row->min &&
		    *number <= row->max), "a number out of bounds");
		return;
	case SETTING_BOOL:
		return;
	case SETTING_TEXT:
	case SETTING_PATH:
		must(strlen(text) >= (size_t)row->min &&
		    strlen(text) <= (size_t)row->max, "a text out of bounds");
		must(row->type == SETTING_TEXT || !*text || *text == '/',
		    "a path that is relative");
		break;
	case SETTING_CHOICE:
		must(*text && strstr(row->doc, text), "no choice");
		break;
	}
	must(*(const char *const *)member == text, "a text of nobody's");
}

/* section { key = "value" }, a line a row. */
static void
print(FILE *out, const struct settings *s)
{
	const struct settings_store *store = s->store;

	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct setting *row = &setting_rows[i];
		const bool top = strcmp(row->section, "top") == 0;

		fprintf(out, "%s%s %s = \"", top ? "" : row->section,
		    top ? "" : " {", row->key);
		for (const char *p = store->text[i]; *p; p++)
			fprintf(out, strchr("\"\\$", *p) ? "\\%c" : "%c", *p);
		fprintf(out, "\"%s\n", top ? "" : " }");
	}
}

static void
round_trip(const struct settings *s)
{
	const struct settings_store *one = s->store, *two;
	struct settings again;
	char *text, *said;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	must(out, "no memory");
	print(out, s);
	fclose(out);
	must(load(text, n, &again, &said) == 0, "what was printed is refused");
	two = again.store;
	for (size_t i = 0; i < SETTINGS_N; i++)
		must(strcmp(one->text[i], two->text[i]) == 0,
		    "another value");
	settings_done(&again);
	free(text);
	free(said);
}

static void
check_taken(const struct settings *s, const char *said)
{
	FILE *out = fopen("/dev/null", "w");

	must(!*said, "taken, with complaints");
	for (size_t i = 0; i < SETTINGS_N; i++)
		check_row(&setting_rows[i], s);
	must(settings_dev(s) || !s->otp_echo, "otp.echo in production");
	must(out, "no /dev/null");
	settings_print(s, out);
	fclose(out);
	round_trip(s);
}

/* libconfuse's lexer is one for the process. */
static void
check_next_file(void)
{
	struct settings s;
	char *said;

	must(load(good, sizeof(good) - 1, &s, &said) == 0,
	    "a good file is refused after this one");
	must(settings_dev(&s) && s.server_workers == 7 &&
	    strcmp(s.auth_issuer, "x y") == 0,
	    "a good file is misread after this one");
	settings_done(&s);
	free(said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = { .store = NULL };
	size_t lines = 1;
	char *said;
	int r = load((const char *)data, size, &s, &said);

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	must(r == 0 || r == -EINVAL, "another fault");
	if (r == 0) {
		check_taken(&s, said);
		settings_done(&s);
	} else {
		must(!s.store, "refused, yet written");
		check_report(said, lines);
		check_next_file();
	}
	free(said);
	return 0;
}
