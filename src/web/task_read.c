/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tasks out of files, a record at a time, whatever the format. */
#include "core/csv.h"
#include "core/mongo.h"
#include "web/json.h"
#include "web/task_file.h"

#define IGNORED_SHOWN 80

static const enum split_form forms[TASKS__MAX] = {
	[TASKS_JSON] = SPLIT_JSON,
	[TASKS_NDJSON] = SPLIT_LINES,
	[TASKS_CSV] = SPLIT_CSV,
	[TASKS_ICS] = SPLIT_ICAL,
};

/* What a terminal and a reply may show of a name, whatever it is. */
static struct text
harmless(struct text name, char out[IGNORED_SHOWN])
{
	struct text ret = { out, 0 };
	bool ascii;

	if (name.n > IGNORED_SHOWN)
		name.n = IGNORED_SHOWN;
	ascii = text_chars(name) < 0;
	for (size_t i = 0; i < name.n; i++) {
		const unsigned char c = (unsigned char)name.s[i];

		out[ret.n++] = c < 0x20 || c == 0x7f || (ascii && c > 0x7f) ||
		    (c == 0xc2 && (unsigned char)name.s[i + 1] < 0xa0) ?
		    '?' : (char)c;
	}
	if (!ascii && text_chars(ret) < 0)
		return TEXT("?");
	return ret;
}

void
task_ignore(struct task_reader *reader, struct text given)
{
	char shown[IGNORED_SHOWN];
	const struct text name = harmless(given, shown);

	for (size_t i = 0; i < reader->n_ignored; i++)
		if (text_equal(reader->ignored[i], name))
			return;
	if (reader->n_ignored < TASK_IGNORED_MAX)
		reader->ignored[reader->n_ignored++] =
		    arena_text(reader->stays, name);
}

/* ---- JSON ---- */

/* What nobody knows is no fault of a file from elsewhere, but told. Where
 * there was no room for all faults, others may be missing: then it is one. */
static void
excuse_unknown(struct task_reader *reader, struct faults *faults)
{
	size_t n = 0;

	if (faults->n == FAULTS_MAX)
		return;
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *f = &faults->v[i];

		if (strcmp(f->code, "unknown") != 0)
			faults->v[n++] = *f;
		else
			task_ignore(reader, (struct text){ f->pointer.s + 1,
			    f->pointer.n - 1 });
	}
	faults->n = n;
}

static void
read_json(struct task_reader *reader, struct arena *mem, struct text record,
    struct task_line *line, struct faults *faults)
{
	(void)json_decode(mongo_plain(record, mem), &task_line, mem, line,
	    faults);
	excuse_unknown(reader, faults);
}

/* ---- CSV ---- */

static enum task_found
broken(struct faults *faults, struct arena *mem, const char *why)
{
	faults->n = 0;
	faults_add(faults, mem, TEXT(""), TEXT_NONE, "syntax", why);
	return TASK_BROKEN;
}

static enum task_found
read_header(struct task_reader *reader, struct arena *mem,
    struct text record, struct faults *faults)
{
	struct text name;
	uint64_t set = 0;

	while (record.s) {
		int row;

		if (!csv_cell(&record, mem, &name))
			return broken(faults, mem, "a quote is not closed");
		if (reader->n_columns == TASK_COLUMNS_MAX)
			return broken(faults, mem, "has too many columns");
		row = field_find(&task_line, csv_unguard(name));
		if (row < 0)
			task_ignore(reader, name);
		else if (set >> field_target(&task_line, row) & 1)
			return broken(faults, mem, arena_printf(mem,
			    "the column %.*s is there twice",
			    TEXT_FMT(name)));
		else
			set |= UINT64_C(1) << field_target(&task_line, row);
		reader->columns[reader->n_columns++] = row;
	}
	reader->headed = true;
	if (set >> field_find(&task_line, TEXT("title")) & 1)
		return TASK_READ;
	return broken(faults, mem, "the header has no column title");
}

static void
read_cell(struct arena *mem, int row, struct text cell,
    struct task_line *line, struct faults *faults)
{
	if (row < 0 || cell.n == 0)
		return;		/* an empty cell is not given */
	cell = csv_unguard(cell);
	if (task_line.v[row].type == FIELD_TEXTS)
		task_line_tags(mem, csv_split(cell, mem), line, faults);
	else
		task_line_put(mem, task_line.v[row].name, cell, line, faults);
}

static void
read_cells(const struct task_reader *reader, struct arena *mem,
    struct text record, struct task_line *line, struct faults *faults)
{
	struct text cell;
	size_t i;

	field_begin(&task_line, line);
	for (i = 0; i < reader->n_columns && record.s; i++) {
		if (!csv_cell(&record, mem, &cell)) {
			faults_add(faults, mem, TEXT(""), TEXT_NONE, "syntax",
			    "a quote is not closed");
			return;
		}
		read_cell(mem, reader->columns[i], cell, line, faults);
	}
	if (i < reader->n_columns || record.s)
		faults_add(faults, mem, TEXT(""), TEXT_NONE, "syntax",
		    "must have as many cells as the header");
	else
		field_required(&task_line, mem, &line->seen, TEXT(""),
		    faults);
}

/* ---- all ---- */

static int
read_record(struct task_reader *reader, struct arena *mem,
    struct text record, struct import_task *ret, struct faults *faults)
{
	struct task_line line;
	int r;

	if (record.n > TASK_RECORD_MAX) {
		faults_add(faults, mem, TEXT(""), TEXT_NONE, "length",
		    "the record has more than 256 KiB");
		return TASK_READ;
	}
	if (reader->format == TASKS_CSV)
		read_cells(reader, mem, record, &line, faults);
	else if (reader->format == TASKS_ICS)
		task_line_ical(reader, mem, record, &line, faults);
	else
		read_json(reader, mem, record, &line, faults);
	if (faults->n)
		return TASK_READ;
	r = task_line_judge(reader, mem, &line, ret, faults);
	return r ? r : TASK_READ;
}

static enum split_found
next_record(struct task_reader *reader, struct text window, bool last,
    struct split_record *record, size_t *ret_used, const char **why)
{
	size_t used;
	enum split_found found;

	*why = NULL;
	reader->split.form = forms[reader->format];
	found = split_next(&reader->split, window, last, record, &used, why);
	*ret_used += used;
	if (reader->split.others)
		task_ignore(reader, TEXT("VEVENT"));
	return found;
}

int
task_read(struct task_reader *reader, struct text window, bool last,
    struct arena *mem, struct import_task *ret, struct faults *faults,
    size_t *ret_used)
{
	struct split_record record = { TEXT_NONE, 0 };
	const char *why;
	int r;

	faults->n = 0;
	*ret_used = 0;
	for (;;) {
		const struct text rest = { window.s + *ret_used,
		    window.n - *ret_used };

		switch (next_record(reader, rest, last, &record, ret_used,
		    &why)) {
		case SPLIT_MORE:
			return TASK_MORE;
		case SPLIT_END:
			return TASK_END;
		case SPLIT_BAD:
			ret->line = record.line;
			return (int)broken(faults, mem, why);
		default:
			break;
		}
		ret->line = record.line;
		if (reader->format != TASKS_CSV || reader->headed)
			return read_record(reader, mem, record.bytes, ret,
			    faults);
		r = (int)read_header(reader, mem, record.bytes, faults);
		if (r != TASK_READ)
			return r;
	}
}
