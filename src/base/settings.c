/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Settings from every source: the libconfuse door. */
#include "base/settings.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <confuse.h>

#include "base/settings_row.h"

/* One settings_load under way. */
struct load {
	struct settings *to;
	FILE *err;
	const char *file;	/* being parsed */
	bool unknown;		/* the fault just told was an unknown name */
	unsigned faults;
	bool no_memory;
};

/* libconfuse's callbacks carry no argument of ours. Set while a file is
 * parsed; settings are loaded by one thread. */
static struct load *loading;

/* One line of the report, and no more: it may quote the file. */
__attribute__((format(printf, 3, 4)))
static void
complain(struct load *load, const char *where, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	load->faults++;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	fprintf(load->err, "%s: %s\n", where, line);
}

/* The one place where a value of any source is taken or refused. */
static void
assign(struct load *load, const struct setting *row, const char *text,
    const char *where)
{
	char why[SETTING_WHY], name[64];
	int rc = setting_assign(load->to, row, text, where, why);

	if (rc == -ENOMEM)
		load->no_memory = true;
	if (rc != -EINVAL)
		return;
	setting_name(row, name, sizeof(name));
	complain(load, where, "%s %s", name, why);
}

/* ---- the file ---- */

#define WHERE_MAX 4200

/* A section has no file name of its own in libconfuse: ours is used. */
static void
where_now(const cfg_t *cfg, char out[WHERE_MAX])
{
	snprintf(out, WHERE_MAX, "%s:%d", loading->file, cfg->line);
}

/* "root" is libconfuse's name for the top of a file. */
static const char *
section_of(const cfg_t *cfg)
{
	return strcmp(cfg->name, "root") == 0 ? "" : cfg->name;
}

/*
 * libconfuse found a fault. An unknown name is no reason to stop for it, as
 * every section takes free keys (CFGF_KEYSTRVAL): it tells us and goes on, so
 * a file's unknown names are all reported.
 */
__attribute__((format(printf, 2, 0)))
static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char where[WHERE_MAX], what[512];
	const char *section = section_of(cfg);
	bool unknown = strncmp(fmt, "no such option", 14) == 0;

	/* An unknown section: told by name already, then missed its "=". */
	if (loading->unknown && strncmp(fmt, "missing equal", 13) == 0)
		return;
	where_now(cfg, where);
	loading->unknown = unknown;
	if (unknown) {
		complain(loading, where, "unknown setting \"%s%s%.60s\"",
		    section, *section ? "." : "", va_arg(ap, const char *));
		return;
	}
	vsnprintf(what, sizeof(what), fmt, ap);
	complain(loading, where, "%s", what);
}

/* One key has its value. Never refuses: the parser shall go on. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	char where[WHERE_MAX];
	const char *section = section_of(cfg);
	const struct setting *row = setting_find(section, strlen(section),
	    cfg_opt_name(opt));

	loading->unknown = false;
	where_now(cfg, where);
	if (row)
		assign(loading, row, cfg_opt_getstr(opt), where);
	else	/* "server|workers": libconfuse's own paths */
		complain(loading, where, "unknown setting \"%s\"",
		    cfg_opt_name(opt));
	return 0;
}

/* Without a default: on_value is called for what the file says only. */
static cfg_opt_t
option(const struct setting *row)
{
	cfg_opt_t opt = CFG_STR(row->key, NULL, CFGF_NODEFAULT);

	opt.validcb = on_value;
	return opt;
}

static bool
same_section(const struct setting *a, const struct setting *b)
{
	return strcmp(a->section, b->section) == 0;
}

/*
 * The parser: every key a string, so that a value goes through our own typed
 * parser whatever its source. libconfuse copies the options, so they need not
 * outlive this. Rows of one section stand together in the table.
 */
static cfg_t *
parser_new(void)
{
	cfg_opt_t keys[2 * SETTINGS_N], top[2 * SETTINGS_N];
	cfg_opt_t end = CFG_END();
	size_t n_keys = 0, n_top = 0;
	cfg_t *cfg;

	for (size_t i = 0; i < SETTINGS_N; ) {
		const struct setting *first = &setting_rows[i];
		cfg_opt_t *own = keys + n_keys;
		bool section = strcmp(first->section, "top") != 0;

		if (section)
			top[n_top++] = (cfg_opt_t)CFG_SEC(first->section, own,
			    CFGF_KEYSTRVAL);
		while (i < SETTINGS_N && same_section(first, &setting_rows[i]))
			if (section)
				keys[n_keys++] = option(&setting_rows[i++]);
			else
				top[n_top++] = option(&setting_rows[i++]);
		keys[n_keys++] = end;
	}
	top[n_top] = end;
	cfg = cfg_init(top, CFGF_KEYSTRVAL);
	if (cfg)
		cfg_set_error_function(cfg, on_error);
	return cfg;
}

/* For lexer_reset, which fails on purpose. */
static void
ignore_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg, (void)fmt, (void)ap;
}

/*
 * The lexer is one for the process, and after a bad escape it still believes
 * to be inside the string: it would swallow the next file. Whatever it is in,
 * these characters end it.
 */
static void
lexer_reset(void)
{
	cfg_opt_t none[] = { CFG_END() };
	cfg_t *cfg = cfg_init(none, CFGF_NONE);

	if (!cfg)
		return;
	cfg_set_error_function(cfg, ignore_error);
	cfg_parse_buf(cfg, "\"\"'*/");
	cfg_free(cfg);
}

/* One file, with a parser of its own. */
static void
load_file(struct load *load, const char *path)
{
	char why[SETTING_WHY], where[WHERE_MAX];
	unsigned line;
	char *text = settings_file_read(path, &line, why);
	cfg_t *cfg;

	if (!text) {
		snprintf(where, sizeof(where), line ? "%s:%u" : "%s", path,
		    line);
		complain(load, where, "%s", why);
		return;
	}
	cfg = parser_new();
	if (cfg) {
		load->file = path;
		load->unknown = false;
		loading = load;
		/* Any failure has been told through on_error. */
		if (cfg_parse_buf(cfg, text) != CFG_SUCCESS) {
			load->faults++;
			lexer_reset();
		}
		loading = NULL;
		load->file = NULL;
		cfg_free(cfg);
	} else {
		load->no_memory = true;
	}
	free(text);
}

/* As systemd and Debian do: *.conf, no hidden files. */
static int
is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 &&
	    strcmp(entry->d_name + n - 5, ".conf") == 0;
}

/* By bytes, whatever the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* conf.d is beside the file, wherever that is; it need not exist. */
static void
load_conf_d(struct load *load, const char *file)
{
	const char *slash = strrchr(file, '/');
	char dir[4096], path[4096 + 256];
	struct dirent **entries;
	int n;

	n = snprintf(dir, sizeof(dir), "%.*sconf.d",
	    slash ? (int)(slash - file + 1) : 0, file);
	if (n < 0 || (size_t)n >= sizeof(dir)) {
		complain(load, "conf.d", "the path is too long");
		return;
	}
	n = scandir(dir, &entries, is_conf, by_name);
	if (n < 0) {
		if (errno != ENOENT)
			complain(load, dir, "%s", strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		load_file(load, path);
		free(entries[i]);
	}
	free(entries);
}

/* ---- environment and command line ---- */

/* server.workers -> SERVER_WORKERS */
static void
upper(char *s)
{
	for (; *s; s++)
		*s = *s == '.' ? '_' : (char)toupper((unsigned char)*s);
}

/* Is `word` (n characters) a section or a name at the top, in upper case? */
static bool
is_ours(const char *word, size_t n)
{
	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct setting *row = &setting_rows[i];
		const char *name = strcmp(row->section, "top") == 0 ?
		    row->key : row->section;

		if (strlen(name) == n && strncasecmp(name, word, n) == 0)
			return true;
	}
	return false;
}

/* entry: what follows "DOCKET_", up to its "=" at `equal`. */
static void
load_variable(struct load *load, const char *entry, const char *equal)
{
	size_t n = (size_t)(equal - entry);
	char name[64], where[96];

	snprintf(where, sizeof(where), "DOCKET_%.*s", (int)n, entry);
	for (size_t i = 0; i < SETTINGS_N; i++) {
		setting_name(&setting_rows[i], name, sizeof(name));
		upper(name);
		if (strlen(name) != n || memcmp(name, entry, n) != 0)
			continue;
		assign(load, &setting_rows[i], equal + 1, where);
		return;
	}
	if (is_ours(entry, strcspn(entry, "_=")))
		complain(load, where, "there is no such setting");
}

/* A variable of ours that is misspelt must not be ignored in silence. */
static void
load_environment(struct load *load)
{
	for (char **e = environ; *e; e++) {
		const char *equal = strchr(*e, '=');

		if (equal && strncmp(*e, "DOCKET_", 7) == 0 && equal >= *e + 7)
			load_variable(load, *e + 7, equal);
	}
}

/* "section.key=value", or "key=value" for the top. */
static void
load_set(struct load *load, const char *set)
{
	const char *equal = strchr(set, '='), *dot, *key;
	const struct setting *row;
	char name[64];

	if (!equal || (size_t)(equal - set) >= sizeof(name)) {
		complain(load, "--set", "\"%.60s\" is not section.key=value",
		    set);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(equal - set), set);
	dot = strchr(name, '.');
	key = dot ? dot + 1 : name;
	row = setting_find(name, dot ? (size_t)(dot - name) : 0, key);
	/* ".profile" is not the top's profile. */
	if (row && dot != name)
		assign(load, row, equal + 1, "--set");
	else
		complain(load, "--set", "unknown setting \"%s\"", name);
}

/* ---- all of it ---- */

/* Into a struct of its own: on a fault the settings in force stay. */
int
settings_load(const struct settings_source *source, FILE *err,
    struct settings *ret)
{
	struct settings next;
	struct load load = { .to = &next, .err = err };
	int rc = settings_defaults(&next);

	if (rc == 0) {
		if (source->file) {
			load_file(&load, source->file);
			load_conf_d(&load, source->file);
		}
		load_environment(&load);
		for (size_t i = 0; i < source->n_sets; i++)
			load_set(&load, source->sets[i]);
		rc = load.no_memory ? -ENOMEM : load.faults ? -EINVAL :
		    settings_check(&next, err);
	}
	if (rc < 0) {
		settings_done(&next);
		return rc;
	}
	*ret = next;
	return 0;
}
