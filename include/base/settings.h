/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Settings: docket.conf, conf.d, environment and --set into one struct. */
#ifndef DOCKET_BASE_SETTINGS_H
#define DOCKET_BASE_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#define SETTING_C_TEXT const char *
#define SETTING_C_PATH const char *
#define SETTING_C_CHOICE const char *
#define SETTING_C_INT long
#define SETTING_C_COUNT long
#define SETTING_C_SECONDS long
#define SETTING_C_BOOL bool

/* One member a row of tbl/settings.h: server_workers, top_profile, ... */
struct settings {
#define SETTING(section, key, type, dflt, min, max, doc) \
	SETTING_C_##type section##_##key;
#include "tbl/settings.h"
#undef SETTING
	void *store;		/* owns the strings */
};

struct settings_source {
	const char *file;	/* docket.conf; NULL = none is read */
	const char *const *sets;	/* "section.key=value" */
	size_t n_sets;
};

/*
 * Defaults, then the file and conf.d/[name].conf beside it in name order, the
 * environment (DOCKET_SECTION_KEY), then the sets. Every fault is written to
 * `err` as "file:line: what" ("DOCKET_X: ..." or "--set: ..." for the others),
 * all of them, not the first. 0, or -EINVAL with *ret untouched.
 * Also refuses what contradicts (settings_check).
 */
int settings_load(const struct settings_source *source, FILE *err,
    struct settings *ret);
/* The same, read by a child: libconfuse frees what it must not when it finds
 * no memory, and may end its process. -ENOMEM and -EPIPE beside the above. */
int settings_load_apart(const struct settings_source *source, FILE *err,
    struct settings *ret);
void settings_done(struct settings *s);

/* Contradictions between settings, such as otp.echo outside profile = dev, or
 * a limit that only dev may switch off; to err. 0 or -EINVAL. */
int settings_check(const struct settings *s, FILE *err);

/* The commented sample file, every row with its default. */
void settings_print_sample(FILE *out);
/* A row a line, between tabs: name, type, default, least, most, doc. */
void settings_print_rows(FILE *out);

/* What `docket config show` is asked for. */
struct settings_view {
	const char *const *names;	/* of settings and sections; */
	size_t n_names;			/* none: all */
	bool changed;	/* those alone that differ from their defaults,
			 * which a line says too */
	bool origin;	/* a line says where its value came from */
	bool json;	/* one object; always with default and origin */
};

/* Is there a setting or a section of this name? */
bool settings_know(const char *name);
/* The settings in force, a line a setting; a password in a connection string
 * or URL is "***". 0 or -ENOMEM. */
int settings_show(const struct settings *s, const struct settings_view *view,
    FILE *out);
/* The same of every row: name, value, where it came from. */
void settings_print(const struct settings *s, FILE *out);

static inline bool
settings_dev(const struct settings *s)
{
	return s->top_profile[0] == 'd';
}

#endif
