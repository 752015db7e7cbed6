/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside base only: the rows of tbl/settings.h and one typed parser. */
#ifndef DOCKET_BASE_SETTINGS_ROW_H
#define DOCKET_BASE_SETTINGS_ROW_H

#include <stddef.h>
#include <stdio.h>

#include "base/settings.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_PATH,
	SETTING_INT,
	SETTING_COUNT,
	SETTING_BOOL,
	SETTING_SECONDS,
	SETTING_CHOICE,
};

struct setting {
	const char *section;	/* "top" for the top of the file */
	const char *key;
	enum setting_type type;
	const char *dflt;
	long min, max;
	const char *doc;
	size_t offset;		/* in struct settings */
};

enum {
#define SETTING(section, key, type, dflt, min, max, doc) \
	SETTING_ROW_##section##_##key,
#include "tbl/settings.h"
#undef SETTING
	SETTINGS_N
};

extern const struct setting setting_rows[SETTINGS_N];

/* struct settings.store: what each row was set to, and by whom. The texts are
 * what the members of the text types point to. */
struct settings_store {
	char *text[SETTINGS_N];
	char *origin[SETTINGS_N];
};

/* Room for the sentence why a value is refused. */
#define SETTING_WHY 256

/* "server.workers", or "profile" at the top; 64 bytes are enough. */
void setting_name(const struct setting *row, char *out, size_t size);
/* The row, or NULL. section: not NUL-terminated; "" = the top. */
const struct setting *setting_find(const char *section, size_t n,
    const char *key);
/* The one way in: parse text by the row's type, keep it in the store. 0;
 * -EINVAL with `why` ("must be ..."); -ENOMEM. */
int setting_assign(struct settings *s, const struct setting *row,
    const char *text, const char *origin, char why[SETTING_WHY]);

/* Make the store and give every row its default. 0; -ENOMEM; -EINVAL when a
 * default breaks its own row. settings_done in any case. */
int settings_defaults(struct settings *s);

/* A fault that shows only beside other settings: the row, and the rest of the
 * sentence that its name begins. */
struct setting_fault {
	size_t row;
	const char *what;
};

#define SETTINGS_OTP_FAULTS 8

/* What the settings on one-time codes contradict; how many faults. */
size_t settings_otp_faults(const struct settings *s,
    struct setting_fault ret[SETTINGS_OTP_FAULTS]);

#define SETTINGS_GATE_FAULTS 4

/* The same of the gate for other sites. */
size_t settings_gate_faults(const struct settings *s,
    struct setting_fault ret[SETTINGS_GATE_FAULTS]);

/*
 * A settings file as libconfuse shall see it: comments blanked out, lines
 * kept, because its lexer counts the lines of comments wrongly and forgets to
 * leave a string that does not end. Malloc'ed; NULL with `why`, and *ret_line
 * 0 when the file cannot be read at all.
 */
char *settings_file_read(const char *path, unsigned *ret_line,
    char why[SETTING_WHY]);

/* Networks between commas or blanks, each with or without its length. */
bool settings_are_networks(const char *s);

#endif
