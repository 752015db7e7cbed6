/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A task of a file: what each column may be, and what it makes of all. */
#include "base/crypto.h"
#include "core/task.h"
#include "web/task_file.h"

#define VERSION_MAX INT64_C(9007199254740991)	/* RFC 8259 §6 */

#define L struct task_line
#define ROW(type_, member_, name_, flags_, min_, max_, check_) \
	{ .name = (name_), .type = FIELD_##type_, \
	  .flags = FIELD_NULLABLE | (flags_), .offset = offsetof(L, member_), \
	  .min = (min_), .max = (max_), .check = (check_) }
#define AS(name_) { .name = (name_), .flags = FIELD_NULLABLE | FIELD_ALIAS | \
	FIELD_NUMERAL, .type = FIELD_TEXT }
#define UNUSED(name_) ROW(TEXT, unused, name_, FIELD_NUMERAL, 0, 0, NULL)

/* The members of a reply and of an export; names that other systems have for
 * them; what only the server decides, which is taken for granted. */
static const struct field rows[] = {
	ROW(TEXT, id, "id", FIELD_NUMERAL, 0, 255, NULL),
	AS("task_id"),		/* S0 */
	AS("_id"),		/* MongoDB */
	{ .name = "title", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	  .offset = offsetof(L, title), .min = 1, .max = 200 },
	ROW(TEXT, description, "description", 0, 0, 10000, NULL),
	ROW(TEXT, status, "status", 0, 0, 0, task_check_status),
	ROW(INT, priority, "priority", 0, 0, 9, NULL),
	ROW(TEXT, due_date, "due_date", 0, 1, 64, task_check_due),
	AS("deadline"),		/* S4 */
	AS("dueDate"),
	ROW(TEXT, due_timezone, "due_timezone", 0, 1, 64, task_check_timezone),
	ROW(TEXT, created_at, "created_at", 0, 1, 64, NULL),
	AS("createdAt"),
	ROW(TEXTS, tags, "tags", 0, 0, 20, task_check_tags),
	ROW(INT, version, "version", 0, 1, VERSION_MAX, NULL),
	ROW(TEXT, updated_at, "updated_at", 0, 1, 64, NULL),
	AS("updatedAt"),
	ROW(TEXT, completed_at, "completed_at", 0, 1, 64, NULL),
	UNUSED("uuid"), UNUSED("user_id"), UNUSED("position"),
	UNUSED("status_label"),
	ROW(INT, unused_int, "number", 0, 0, 0, NULL),
	ROW(BOOL, unused_bool, "overdue", 0, 0, 0, NULL),
};
#undef L

const struct fields task_line = FIELDS("TaskLine", rows, struct task_line);

static void
fault(struct faults *faults, struct arena *mem, const char *name,
    const char *code, const char *detail)
{
	faults_add(faults, mem, TEXT(""), text_of(name), code, detail);
}

void
task_line_put(struct arena *mem, const char *name, struct text value,
    struct task_line *line, struct faults *faults)
{
	(void)field_from_text(&task_line, field_find(&task_line,
	    text_of(name)), mem, value, line, TEXT(""), faults);
}

void
task_line_tags(struct arena *mem, struct texts tags, struct task_line *line,
    struct faults *faults)
{
	const int row = field_find(&task_line, TEXT("tags"));

	line->tags = tags;
	line->seen.set |= UINT64_C(1) << row;
	for (size_t i = 0; i < tags.n; i++)
		if (text_chars(tags.v[i]) < 0 ||
		    memchr(tags.v[i].s, '\0', tags.v[i].n)) {
			fault(faults, mem, "tags", "format",
			    "must be UTF-8 text without NUL");
			return;
		}
	(void)field_validate(&rows[row], mem, &line->tags, TEXT(""), faults);
}

/* ---- instants ---- */

/* RFC 3339; PostgreSQL's +00; without an offset UTC, as SQLite has it; a date
 * is its first moment. */
static bool
instant_parse(struct arena *mem, struct text t, int64_t *ret)
{
	int32_t day;

	if (time_parse(t, ret) || local_parse(t, ret))
		return true;
	if (date_parse(t, &day)) {
		*ret = day * TIME_DAY;
		return true;
	}
	return time_parse(text_of(arena_printf(mem, "%.*s:00", TEXT_FMT(t))),
	    ret);
}

/* Between 1970, where ids begin, and now. */
static void
instant(struct arena *mem, const char *name, struct text t,
    struct faults *faults, int64_t *ret)
{
	*ret = TIME_NONE;
	if (!t.s)
		return;
	if (!instant_parse(mem, t, ret))
		fault(faults, mem, name, "format",
		    "must be an instant such as 2026-01-31T09:30:00Z");
	else if (*ret < 0 || *ret > clock_real_us())
		fault(faults, mem, name, "range",
		    "must be between 1970 and now");
	else
		*ret -= *ret % 1000;
}

/* ---- ids ---- */

/* The second inside a MongoDB ObjectId, or TIME_NONE. */
static int64_t
objectid_time(struct text id)
{
	int64_t s = 0;

	if (id.n != 24)
		return TIME_NONE;
	for (size_t i = 0; i < id.n; i++) {
		const int v = hex_value(id.s[i]);

		if (v < 0)
			return TIME_NONE;
		if (i < 8)
			s = s * 16 + v;
	}
	return s * TIME_SECOND;
}

/* What the id says of when the task was made. */
static int64_t
id_time(struct text id, const struct uuid *given)
{
	int64_t us = TIME_NONE;

	if (!uuid_is_nil(given) && given->b[6] >> 4 == 7)
		us = (int64_t)uuid_ms(given) * 1000;
	else if (id.s)
		us = objectid_time(id);
	return us >= 0 && us <= clock_real_us() ? us : TIME_NONE;
}

/*
 * An id of our own making, the same each time for the same owner, id and
 * moment: what was imported once is recognised, and nobody can take an id that
 * somebody else has.
 */
static int
make_id(const struct task_reader *reader, struct arena *mem, struct text id,
    struct import_task *ret)
{
	uint8_t hash[CRYPTO_HASH];
	char owner[UUID_CHARS];
	struct text all;
	int r;

	if (id.n == 0) {
		r = crypto_random(hash, 10);
	} else {
		uuid_format(&reader->owner, owner);
		all = text_of(arena_printf(mem, "import %.*s %lld %.*s",
		    UUID_CHARS, owner, (long long)ret->created_at,
		    TEXT_FMT(id)));
		r = crypto_sha256(all.s, all.n, hash);
	}
	if (r == 0)
		ret->id = uuid_v7((uint64_t)ret->created_at / 1000, hash);
	return r;
}

/* ---- the whole ---- */

static void
judge_due(const struct task_reader *reader, struct arena *mem,
    const struct task_line *line, struct import_task *ret,
    struct faults *faults)
{
	struct text zone = line->due_timezone;
	const char *why = "due_timezone needs a local due_date";
	struct due due = { TEXT_NONE, TIME_NONE, TEXT_NONE };

	ret->due_at = TIME_NONE;
	if (!line->due_date.s) {
		if (zone.s)
			fault(faults, mem, "due_date", "required", why);
		return;
	}
	if (!zone.s && reader->zone.s && task_due_parse(mem, line->due_date,
	    true, &due, &why) == 0)
		zone = reader->zone;
	else if (task_due_parse(mem, line->due_date, zone.s != NULL, &due,
	    &why))
		fault(faults, mem, "due_date", "format", why);
	ret->due_date = due.text;
	ret->due_at = due.at;
	ret->due_local = due.local;
	ret->due_timezone = zone;
}

static void
judge_instants(struct arena *mem, const struct task_line *line,
    struct import_task *ret, struct faults *faults)
{
	const bool done = text_is(ret->status, "completed");

	instant(mem, "created_at", line->created_at, faults,
	    &ret->created_at);
	instant(mem, "updated_at", line->updated_at, faults,
	    &ret->updated_at);
	instant(mem, "completed_at", line->completed_at, faults,
	    &ret->completed_at);
	if (ret->created_at == TIME_NONE)
		ret->created_at = id_time(line->id, &ret->given);
	if (ret->created_at == TIME_NONE)
		ret->created_at = clock_real_us() / 1000 * 1000;
	if (ret->updated_at == TIME_NONE)
		ret->updated_at = ret->created_at;
	if (done && ret->completed_at == TIME_NONE)
		ret->completed_at = ret->updated_at;
	if (!done && ret->completed_at != TIME_NONE)
		fault(faults, mem, "completed_at", "choice",
		    "goes with the status completed alone");
}

int
task_line_judge(const struct task_reader *reader, struct arena *mem,
    const struct task_line *line, struct import_task *ret,
    struct faults *faults)
{
	const size_t at = ret->line;

	*ret = (struct import_task){
		.line = at,
		.title = line->title,
		.description = line->description.s ? line->description :
		    TEXT(""),
		.status = line->status.s ? line->status : TEXT("pending"),
		.priority = line->priority == INT_NONE ? 0 : line->priority,
		.tags = line->tags,
		.version = line->version == INT_NONE ? 1 : line->version,
	};
	(void)(line->id.s && uuid_parse(line->id, &ret->given));
	judge_due(reader, mem, line, ret, faults);
	judge_instants(mem, line, ret, faults);
	return faults->n ? 0 : make_id(reader, mem, line->id.s ? line->id :
	    TEXT(""), ret);
}
