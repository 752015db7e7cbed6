/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An import file, line by line: NDJSON, or CSV (RFC 4180) with a header. */
#include <errno.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "cli/import.h"
#include "core/csv.h"
#include "core/names.h"
#include "core/password.h"
#include "web/json.h"

struct account {
	struct seen seen;
	struct text username, email, phone, hash, role;
	bool active;
	int64_t created_at;
};

enum { ACCOUNT_USERNAME, ACCOUNT_ACTIVE = 5 };

static const char *const roles[] = { "user", "admin", NULL };

static int
check_hash(struct arena *mem, void *member, const char **ret_why)
{
	const char *why = password_refusal(*(const struct text *)member);

	if (!why)
		return 0;
	*ret_why = arena_printf(mem, "cannot be taken: the hash %s", why);
	return 1;
}

#define ROW(type_, member_, name_, flags_, choices_, check_) \
	{ .name = (name_), .type = FIELD_##type_, .flags = (flags_), \
	  .offset = offsetof(struct account, member_), \
	  .choices = (choices_), .check = (check_) }

/* The rules of registration; `mobile_no` and the like are other names. */
static const struct field rows[] = {
	[ACCOUNT_USERNAME] =
	ROW(TEXT, username, "username", FIELD_REQUIRED, NULL, name_check_username),
	ROW(TEXT, email, "email", FIELD_NULLABLE, NULL, name_check_email),
	ROW(TEXT, phone, "phone", FIELD_NULLABLE, NULL, name_check_phone),
	ROW(TEXT, hash, "password_hash", FIELD_NULLABLE | FIELD_SECRET, NULL, check_hash),
	ROW(ENUM, role, "role", FIELD_NULLABLE, roles, NULL),
	[ACCOUNT_ACTIVE] =
	ROW(BOOL, active, "active", FIELD_NULLABLE, NULL, NULL),
	ROW(TIME, created_at, "created_at", FIELD_NULLABLE, NULL, NULL),
};
static const struct fields account_row =
    FIELDS("Account", rows, struct account);

/* The next line that is not blank, without its end; 1, 0, -EIO. */
static int
next_line(struct import_file *file, struct text *ret)
{
	ssize_t n;

	while ((n = getline(&file->line, &file->size, file->f)) > 0) {
		const char *s = file->line;

		file->number++;
		while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
			n--;
		*ret = (struct text){ s, (size_t)n };
		if (strspn(s, " \t\r\n") < ret->n)
			return 1;
	}
	return ferror(file->f) ? -EIO : 0;
}

static void
skip_mark(struct text *line)
{
	if (line->n >= 3 && memcmp(line->s, "\xef\xbb\xbf", 3) == 0)
		*line = (struct text){ line->s + 3, line->n - 3 };
}

static int
bad_header(const struct import_file *file, const char *what, struct text name)
{
	fprintf(stderr, "%s:%zu: %s%.*s\n", file->name, file->number, what,
	    TEXT_FMT(name));
	return 1;
}

static int
read_header(struct import_file *file, struct arena *mem, struct text line)
{
	struct text name;
	uint64_t set = 0;

	while (line.s) {
		int row;

		if (!csv_cell(&line, mem, &name))
			return bad_header(file, "a quote is not closed",
			    TEXT_NONE);
		row = field_find(&account_row, name);
		if (row < 0)
			return bad_header(file, "there is no column ", name);
		if (set >> row & 1)
			return bad_header(file, "twice: ", name);
		set |= UINT64_C(1) << row;
		file->columns[file->n_columns++] = row;
	}
	return set >> ACCOUNT_USERNAME & 1 ? 0 :
	    bad_header(file, "there must be a column username", TEXT_NONE);
}

int
import_open(struct import_file *file, struct arena *mem)
{
	struct text line;
	int c;

	/* JSON begins with a brace, a header does not. */
	c = getc(file->f);
	if (c == EOF)
		return 0;
	ungetc(c, file->f);
	file->csv = c != '{';
	if (!file->csv)
		return 0;
	if (next_line(file, &line) <= 0)
		return bad_header(file, "there is no header", TEXT_NONE);
	skip_mark(&line);
	return read_header(file, mem, line);
}

/* The cells in the order of the header; an empty one is not given. */
static void
read_cells(const struct import_file *file, struct arena *mem,
    struct text line, struct account *a, struct faults *faults)
{
	size_t i;

	field_begin(&account_row, a);
	for (i = 0; i < file->n_columns && line.s; i++) {
		struct text cell;

		if (!csv_cell(&line, mem, &cell)) {
			faults_add(faults, mem, TEXT_NONE, TEXT_NONE,
			    "syntax", "a quote is not closed");
			return;
		}
		if (cell.n > 0)
			(void)field_from_text(&account_row, file->columns[i],
			    mem, cell, a, TEXT_NONE, faults);
	}
	if (i < file->n_columns || line.s)
		faults_add(faults, mem, TEXT_NONE, TEXT_NONE, "syntax",
		    "must have as many cells as the header");
	else
		field_required(&account_row, mem, &a->seen, TEXT_NONE, faults);
}

/* The account's id holds the millisecond in which it was made. */
static int
make_id(const struct account *a, struct new_user *user)
{
	uint8_t random[10];
	int r = crypto_uuid(&user->id, &user->created_at);

	if (r || a->created_at == TIME_NONE)
		return r;
	r = crypto_random(random, sizeof(random));
	user->created_at = a->created_at - a->created_at % 1000;
	user->id = uuid_v7((uint64_t)a->created_at / 1000, random);
	return r;
}

static int
make_user(struct arena *mem, const struct account *a,
    struct import_user *ret, struct faults *faults)
{
	struct new_user *user = &ret->user;

	*ret = (struct import_user){ .user = {
		.username = arena_text(mem, a->username),
		.email = arena_text(mem, a->email),
		.phone = arena_text(mem, a->phone),
		.hash = arena_text(mem, a->hash),
		.role = arena_text(mem, a->role),
	} };
	if (seen_has(&a->seen, ACCOUNT_ACTIVE) &&
	    !(a->seen.null >> ACCOUNT_ACTIVE & 1))
		ret->active = a->active ? TEXT("Y") : TEXT("N");
	if (a->created_at != TIME_NONE && (a->created_at < 0 ||
	    a->created_at > clock_real_us()))
		faults_add(faults, mem, TEXT_NONE, TEXT("created_at"),
		    "range", "must be between 1970 and now");
	if (faults->n > 0)
		return 0;
	if (name_key(mem, user->username, &user->username_key) ||
	    (user->email.s && name_key(mem, user->email, &user->email_key)))
		return -EIO;
	return make_id(a, user);
}

int
import_next(struct import_file *file, struct arena *mem,
    struct import_user *ret, struct faults *faults)
{
	struct account a;
	struct text line;
	int r = next_line(file, &line);

	faults->n = 0;
	if (r <= 0)
		return r;
	if (line.n > IMPORT_LINE_MAX) {
		faults_add(faults, mem, TEXT_NONE, TEXT_NONE, "length",
		    "the line has more than 64 KiB");
		return 1;
	}
	if (file->csv)
		read_cells(file, mem, line, &a, faults);
	else
		(void)json_decode(line, &account_row, mem, &a, faults);
	if (faults->n > 0)
		return 1;
	r = make_user(mem, &a, ret, faults);
	return r ? r : 1;
}

void
import_close(struct import_file *file)
{
	free(file->line);
	if (file->f && file->f != stdin)
		fclose(file->f);
}
