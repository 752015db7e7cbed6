/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cli/table, cli/parse: the rows hold together, and words are found by them. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/arena.h"
#include "cli/cli.h"

#define EACH_ROW \
	for (const struct cli_row *row = cli_rows; row < cli_rows_end(); \
	    row++)

static void
an_options_use_fits_its_shape(void **state)
{
	(void)state;
	EACH_ROW {
		if (row->kind != CLI_ROW_TAKES)
			continue;
		assert_int_equal(row->value == CLI_FLAG,
		    cli_options[row->option].takes == CLI_NONE);
		assert_int_equal(row->value == CLI_FLAG, !row->placeholder);
		if (row->value == CLI_CHOICE)
			assert_non_null(strchr(row->placeholder, '|'));
		assert_true(*row->text);
	}
}

static void
words_and_letters_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPT__MAX; i++)
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(cli_options[i].word,
			    cli_options[j].word);
			assert_true(!cli_options[i].letter ||
			    cli_options[i].letter != cli_options[j].letter);
		}
	EACH_ROW
		if (row->kind == CLI_ROW_NOUN)
			assert_ptr_equal(cli_noun_find(row->noun), row);
}

static size_t
count(const struct cli_row *command, enum cli_option option)
{
	const struct cli_row *row = command;
	size_t n = 0;

	while ((row = cli_row_next(row, CLI_ROW_TAKES)))
		n += row->option == option;
	return n;
}

static void
no_command_takes_an_option_twice(void **state)
{
	(void)state;
	EACH_ROW {
		if (row->kind != CLI_ROW_COMMAND)
			continue;
		for (size_t o = 0; o < OPT__MAX; o++)
			assert_true(count(row, (enum cli_option)o) +
			    count(NULL, (enum cli_option)o) <= 1);
	}
}

/* What changes things can be rehearsed, what reads has no need to; only a
 * database has a transaction to take back. */
static void
what_changes_has_a_dry_run(void **state)
{
	(void)state;
	EACH_ROW {
		if (row->kind != CLI_ROW_COMMAND)
			continue;
		assert_int_equal(row->effect != CLI_READS,
		    count(row, OPT_dry_run));
		if (row->effect == CLI_CHANGES)
			assert_true(row->needs >= CLI_API);
		assert_true(row->least >= 0 && row->least <= row->most);
		assert_int_equal(row->most > 0, *row->arguments != '\0');
		assert_non_null(row->run);
	}
}

static void
verbs_are_found_in_their_noun_alone(void **state)
{
	const struct cli_row *user = cli_noun_find("user");
	const struct cli_row *verb = cli_verb_find(user, "import");

	(void)state;
	assert_non_null(verb);
	assert_string_equal(verb->verb, "import");
	assert_null(cli_verb_find(user, "revoke"));
	assert_null(cli_verb_find(user, ""));
	assert_non_null(cli_verb_find(cli_noun_find("import"), ""));
	assert_null(cli_noun_find("import "));
	assert_null(cli_noun_find(""));
	/* The last noun of all has an end, too. */
	EACH_ROW
		if (row->kind == CLI_ROW_NOUN)
			assert_null(cli_verb_find(row, "no such verb"));
}

static void
the_nearest_word_is_meant(void **state)
{
	const struct cli_row *user = cli_noun_find("user");

	(void)state;
	assert_string_equal(cli_nearest(NULL, "usr"), "user");
	assert_string_equal(cli_nearest(NULL, "sesion"), "session");
	assert_string_equal(cli_nearest(NULL, "migrat"), "migrate");
	assert_string_equal(cli_nearest(user, "delte"), "delete");
	assert_string_equal(cli_nearest(user, "ad"), "add");
	assert_null(cli_nearest(NULL, "frobnicate"));
	assert_null(cli_nearest(NULL, ""));
	assert_null(cli_nearest(user, "revoke"));
	assert_null(cli_nearest(NULL,
	    "a word that is longer than any word that there is"));
}

/* ---- a command line ---- */

#define WORDS_MAX 16

static char line[512], *words[WORDS_MAX];

/* The words of text, apart by blanks; cli_parse's answer. */
static int
parse(struct cli *cli, const char *text)
{
	int n = 0;

	*cli = (struct cli){ .mem = arena_new(4096) };
	words[n++] = (char *)(uintptr_t)"docket";
	strcpy(line, text);
	for (char *p = line, *word; (word = strsep(&p, " ")); )
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	optind = 0;	/* getopt starts over */
	return cli_parse(cli, n, words);
}

static void
done(struct cli *cli)
{
	arena_free(cli->mem);
}

static void
options_stand_anywhere(void **state)
{
	static const char *const lines[] = {
		"-c x --set a=1 user add --admin joe --set b=2 --email e",
		"user --admin --email e -c x --set a=1 add joe --set b=2",
		("user add joe --admin --email=f --email=e -cx --set a=1 "
		    "--set b=2"),
	};
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(parse(&cli, lines[i]), 0);
		assert_string_equal(cli.command->verb, "add");
		assert_int_equal(cli.n_words, 1);
		assert_string_equal(cli.words[0], "joe");
		assert_true(cli_has(&cli, OPT_admin));
		assert_false(cli_has(&cli, OPT_update));
		assert_string_equal(cli_value(&cli, OPT_email), "e");
		assert_null(cli_value(&cli, OPT_phone));
		assert_string_equal(cli.source.file, "x");
		assert_int_equal(cli.source.n_sets, 2);
		assert_string_equal(cli.source.sets[0], "a=1");
		assert_string_equal(cli.source.sets[1], "b=2");
		done(&cli);
	}
}

static void
flags_without_end_fit(void **state)
{
	char many[400] = "audit tail -";
	struct cli cli;

	(void)state;
	memset(many + strlen(many), 'f', 300);
	assert_int_equal(parse(&cli, many), 0);
	assert_int_equal(cli.n_given, 1);
	done(&cli);
}

static void
values_may_be_many(void **state)
{
	const char *v[2] = { NULL, NULL };
	struct cli cli;

	(void)state;
	assert_int_equal(parse(&cli, "apikey add --scopes s --user u "
	    "--allow 1 --allow 2 --allow 3"), 0);
	assert_int_equal(cli_values(&cli, OPT_allow, v, 2), 3);
	assert_string_equal(v[0], "1");
	assert_string_equal(v[1], "2");
	done(&cli);
}

static void
numbers_have_bounds(void **state)
{
	static const char *const bad[] = {
		"-1", "11", "x", "1x", "99999999999999999999", "0x5", "+",
	};
	char text[64];
	struct cli cli;
	long n = 7;

	(void)state;
	assert_int_equal(parse(&cli, "audit tail"), 0);
	assert_true(cli_number(&cli, OPT_lines, 0, 10, &n));
	assert_int_equal(n, 7);
	done(&cli);
	assert_int_equal(parse(&cli, "audit tail -n 10"), 0);
	assert_true(cli_number(&cli, OPT_lines, 0, 10, &n));
	assert_int_equal(n, 10);
	done(&cli);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "audit tail -n %s", bad[i]);
		assert_int_equal(parse(&cli, text), 0);
		assert_false(cli_number(&cli, OPT_lines, 0, 10, &n));
		assert_int_equal(n, 10);
		done(&cli);
	}
}

static void
wrong_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"", "user", "usr", "user ad", "user show", "user show a b",
		"user show a --admin", "user show a --frob", "key list --now",
		"key generate --alg RS256", "key generate --alg HS",
		"key generate --alg HS256|ES256", "key generate --alg",
		"import x", "export --user u --format xml", "gc now",
		"session", "migrate state", "-x", "queue list --channel=",
	};
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(parse(&cli, lines[i]), EX_USAGE);
		done(&cli);
	}
}

static void
what_stands_alone_needs_no_command(void **state)
{
	static const char *const lines[] = {
		"--help", "user --help", "user show --help", "gc -h",
		"--version", "--commands", "--version user",
	};
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(parse(&cli, lines[i]), 0);
		done(&cli);
	}
	assert_int_equal(parse(&cli, "usr --help"), EX_USAGE);
	done(&cli);
	assert_int_equal(parse(&cli, "--help --frob"), EX_USAGE);
	done(&cli);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_options_use_fits_its_shape),
		cmocka_unit_test(words_and_letters_are_unique),
		cmocka_unit_test(no_command_takes_an_option_twice),
		cmocka_unit_test(what_changes_has_a_dry_run),
		cmocka_unit_test(verbs_are_found_in_their_noun_alone),
		cmocka_unit_test(the_nearest_word_is_meant),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(flags_without_end_fit),
		cmocka_unit_test(values_may_be_many),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(what_stands_alone_needs_no_command),
	};

	return cmocka_run_group_tests_name("cli_table", tests, NULL, NULL);
}
