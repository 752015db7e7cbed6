/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads the command line by the table: options anywhere, noun, verb, words. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"

#ifndef DOCKET_CONF
#define DOCKET_CONF "/etc/docket/docket.conf"
#endif

/* What getopt returns for an option's long form; above every character. */
#define LONG 256

/* Every option has one shape, whatever the command: one list for getopt. */
static const struct option options[] = {
#define OPTION(name, word, letter, takes) \
	{ word, CLI_##takes == CLI_NONE ? no_argument : required_argument, \
	  NULL, LONG + OPT_##name },
#include "tbl/commands.h"
	{ NULL, 0, NULL, 0 },
};

static void
letters(char out[2 * OPT__MAX + 1])
{
	for (size_t i = 0; i < OPT__MAX; i++) {
		if (!cli_options[i].letter)
			continue;
		*out++ = cli_options[i].letter;
		if (cli_options[i].takes == CLI_ARGUMENT)
			*out++ = ':';
	}
	*out = '\0';
}

/* OPT__MAX: none, and getopt has said so. */
static enum cli_option
option_of(int c)
{
	if (c >= LONG)
		return (enum cli_option)(c - LONG);
	for (size_t i = 0; i < OPT__MAX; i++)
		if (cli_options[i].letter == c)
			return (enum cli_option)i;
	return OPT__MAX;
}

static void
keep(struct cli *cli, enum cli_option option, const char *value)
{
	/* "-fffff": more flags than arguments, and they say it once. */
	if (!value && cli_has(cli, option))
		return;
	cli->given[cli->n_given++] = (struct cli_given){
		option, value ? value : ""
	};
}

/* False: something was no option of anybody. */
static bool
read_options(struct cli *cli, int argc, char **argv)
{
	char shorts[2 * OPT__MAX + 1];
	enum cli_option option;
	bool good = true;
	int c;

	letters(shorts);
	cli->given = arena_array(cli->mem, (size_t)argc + OPT__MAX,
	    sizeof(*cli->given));
	while ((c = getopt_long(argc, argv, shorts, options, NULL)) != -1) {
		option = option_of(c);
		if (option == OPT__MAX)
			good = false;
		else
			keep(cli, option, optarg);
	}
	cli->words = argv + optind;
	cli->n_words = argc - optind;
	return good;
}

static bool
stands_alone(const struct cli *cli)
{
	for (size_t i = 0; i < cli->n_given; i++) {
		const struct cli_row *row = cli_takes(cli->command,
		    cli->given[i].option);

		if (row && row->how == CLI_ALONE)
			return true;
	}
	return cli_has(cli, OPT_help);
}

static int
unknown(const struct cli *cli, const char *word)
{
	const char *near = cli_nearest(cli->noun, word);

	fprintf(stderr, "docket: there is no command \"%s%s%s\"",
	    cli->noun ? cli->noun->noun : "", cli->noun ? " " : "", word);
	if (near)
		fprintf(stderr, "; did you mean \"%s%s%s\"?",
		    cli->noun ? cli->noun->noun : "", cli->noun ? " " : "",
		    near);
	fputc('\n', stderr);
	return cli_usage(cli);
}

/* The noun and its verb, taken from the words; a noun that is no command by
 * itself leaves cli->command NULL. */
static int
read_words(struct cli *cli)
{
	if (cli->n_words == 0)
		return 0;
	cli->noun = cli_noun_find(cli->words[0]);
	if (!cli->noun)
		return unknown(cli, cli->words[0]);
	cli->words++;
	cli->n_words--;
	if (cli->n_words > 0)
		cli->command = cli_verb_find(cli->noun, cli->words[0]);
	if (cli->command) {
		cli->words++;
		cli->n_words--;
		return 0;
	}
	cli->command = cli_verb_find(cli->noun, "");
	return cli->command || cli->n_words == 0 ? 0 :
	    unknown(cli, cli->words[0]);
}

/* Is it one of "a|b|c"? */
static bool
is_choice(const char *choices, const char *value)
{
	const size_t n = strlen(value);

	for (const char *p = choices; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (strcspn(p, "|") == n && strncmp(p, value, n) == 0)
			return true;
	}
	return false;
}

static int
check_option(const struct cli *cli, const struct cli_given *given)
{
	const struct cli_row *row = cli_takes(cli->command, given->option);
	const char *word = cli_options[given->option].word;
	char name[64];

	if (!row) {
		cli_name(cli->command, name, sizeof(name));
		fprintf(stderr, "docket: docket %s has no --%s\n", name, word);
		return cli_usage(cli);
	}
	if (row->value != CLI_CHOICE || is_choice(row->placeholder,
	    given->value))
		return 0;
	fprintf(stderr, "docket: --%s must be one of %s\n", word,
	    row->placeholder);
	return cli_usage(cli);
}

static int
check_words(const struct cli *cli)
{
	const struct cli_row *command = cli->command;

	if (cli->n_words < command->least)
		return cli_wrong(cli, arena_printf(cli->mem, "%s must be given",
		    command->arguments));
	if (cli->n_words > command->most)
		return cli_wrong(cli, arena_printf(cli->mem, "\"%s\" is one "
		    "too many", cli->words[command->most]));
	return 0;
}

static int
check_options(const struct cli *cli)
{
	const struct cli_row *row = cli->command;
	int status = 0;

	for (size_t i = 0; i < cli->n_given && status == 0; i++)
		status = check_option(cli, &cli->given[i]);
	while (status == 0 && (row = cli_row_next(row, CLI_ROW_TAKES)))
		if (row->how == CLI_MUST && !cli_has(cli, row->option)) {
			fprintf(stderr, "docket: --%s must be given\n",
			    cli_options[row->option].word);
			status = cli_usage(cli);
		}
	return status;
}

static void
keep_source(struct cli *cli)
{
	const char **sets = (const char **)arena_array(cli->mem,
	    cli->n_given, sizeof(*sets));

	cli->source.file = cli_value(cli, OPT_config);
	cli->source.n_sets = cli_values(cli, OPT_set, sets, cli->n_given);
	cli->source.sets = sets;
	/* One that is not ours to see is not one that is not there. */
	if (!cli->source.file && (access(DOCKET_CONF, F_OK) == 0 ||
	    errno != ENOENT))
		cli->source.file = DOCKET_CONF;
}

int
cli_parse(struct cli *cli, int argc, char **argv)
{
	const bool good = read_options(cli, argc, argv);
	int status = read_words(cli);

	if (status)
		return status;
	if (!good)
		return cli_usage(cli);
	if (stands_alone(cli))
		return 0;
	if (!cli->command)
		return cli_usage(cli);
	status = check_words(cli);
	if (status)
		return status;
	keep_source(cli);
	return check_options(cli);
}

const char *
cli_value(const struct cli *cli, enum cli_option option)
{
	for (size_t i = cli->n_given; i-- > 0; )
		if (cli->given[i].option == option)
			return cli->given[i].value;
	return NULL;
}

bool
cli_has(const struct cli *cli, enum cli_option option)
{
	return cli_value(cli, option);
}

size_t
cli_values(const struct cli *cli, enum cli_option option, const char **ret,
    size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < cli->n_given; i++) {
		if (cli->given[i].option != option)
			continue;
		if (n < most)
			ret[n] = cli->given[i].value;
		n++;
	}
	return n;
}

bool
cli_number(const struct cli *cli, enum cli_option option, long min, long max,
    long *ret)
{
	const char *s = cli_value(cli, option);
	char *end;
	long n;

	if (!s)
		return true;
	errno = 0;
	n = strtol(s, &end, 10);
	if (errno == 0 && end != s && !*end && n >= min && n <= max) {
		*ret = n;
		return true;
	}
	fprintf(stderr, "docket: --%s must be %ld to %ld\n",
	    cli_options[option].word, min, max);
	return false;
}
