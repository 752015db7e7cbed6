/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store: every sort, page by page, sees every task once; filters and counts. */
#include "lib/store_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/tasks.h"

#define TASKS 97

static struct principal owner;

/* Many equal keys, so that pages end within runs of them; a stranger's tasks
 * and trash in between. */
static int
fill(void **state)
{
	struct principal stranger;
	const struct principal *both[2] = { &owner, &stranger };

	if (fixture_start(state))
		return -1;
	owner = fixture_user("user");
	stranger = fixture_user("user");
	for (size_t i = 0; i < 2; i++)
		fixture_sql("INSERT INTO docket.tasks (user_id, id, number,"
		    " title, description, status, priority, due_date, due_at,"
		    " tags, position, created_at, updated_at, deleted_at)"
		    " SELECT '%s', gen_random_uuid(), g,"
		    " (ARRAY['Äpfel', 'apple', 'Apple', 'zebra', ''])"
		    "[g %% 5 + 1] || CASE WHEN g %% 3 = 0 THEN ' pie' ELSE ''"
		    " END, CASE WHEN g %% 7 = 0 THEN 'with cream' END,"
		    " (ARRAY['pending', 'in_progress', 'completed',"
		    " 'cancelled'])[g %% 4 + 1], g %% 10,"
		    " CASE WHEN g %% 3 > 0 THEN 'd' END,"
		    " CASE WHEN g %% 3 > 0 THEN now() + interval '1 day' *"
		    " (g %% 11 - 5) END,"
		    " CASE WHEN g %% 2 = 0 THEN ARRAY['even', 'all'] ELSE"
		    " ARRAY['all'] END, lpad(g::text, 10, '0'),"
		    " now() - interval '1 h' * g,"
		    " now() - interval '1 min' * (g %% 9),"
		    " CASE WHEN g > %d THEN now() END"
		    " FROM generate_series(1, %d) g",
		    fixture_uuid(&both[i]->user_id), TASKS, TASKS + 5);
	return 0;
}

static struct task_filter
any(void)
{
	return (struct task_filter){
		.limit = 200, .priority = INT_NONE,
		.due_before = TIME_NONE, .due_after = TIME_NONE,
		.created_before = TIME_NONE, .created_after = TIME_NONE,
		.updated_before = TIME_NONE, .updated_after = TIME_NONE,
	};
}

static const char *const orders[SORT__MAX] = {
	[SORT_POSITION] = "position", [SORT_NUMBER] = "number",
	[SORT_CREATED] = "id", [SORT_UPDATED] = "updated_at",
	[SORT_DUE] = "due_at", [SORT_PRIORITY] = "priority",
	[SORT_TITLE] = "lower(title) COLLATE \"C\"", [SORT_STATUS] = "status",
};

/* The ids in the order that one plain query gives. */
static struct text
expected(enum task_sort sort, bool down)
{
	const char *dir = down ? "DESC" : "ASC";

	return fixture_text("SELECT string_agg(id::text, ' ' ORDER BY"
	    " %s %s NULLS LAST, id %s) AS v FROM docket.tasks"
	    " WHERE user_id = '%s' AND deleted_at IS NULL", orders[sort], dir,
	    dir, fixture_uuid(&owner.user_id));
}

static struct text
paged(enum task_sort sort, bool down, int64_t limit)
{
	struct task_filter filter = any();
	struct task_list page;
	char *all = arena_alloc(mem, (TASKS + 1) * (UUID_CHARS + 1)), *at = all;

	filter.sort = sort;
	filter.descending = down;
	filter.limit = limit;
	do {
		const struct task *t;

		assert_int_equal(store_task_list(db, mem, &owner, &filter,
		    &page), 0);
		assert_true(page.tasks.n <= (size_t)limit);
		assert_true(page.total == INT_NONE);
		t = page.tasks.v;
		for (size_t i = 0; i < page.tasks.n; i++) {
			assert_true(at < all + TASKS * (UUID_CHARS + 1));
			uuid_format(&t[i].id, at);
			at[UUID_CHARS] = ' ';
			at += UUID_CHARS + 1;
		}
		filter.after = true;
		filter.key = page.last_key;
		filter.id = page.last_id;
	} while (page.more);
	return (struct text){ all, (size_t)(at - all) - 1 };
}

static void
every_sort_sees_every_task_once(void **state)
{
	static const int64_t limits[] = { 1, 7, TASKS, 200 };

	(void)state;
	for (enum task_sort sort = 0; sort < SORT__MAX; sort++)
		for (int down = 0; down < 2; down++)
			for (size_t i = 0; i < 4; i++) {
				struct text want = expected(sort, down);
				struct text got = paged(sort, down, limits[i]);

				if (!text_equal(want, got))
					fail_msg("%s %d by %d",
					    task_sort_names[sort], down,
					    (int)limits[i]);
				arena_reset(mem);
			}
}

static void
count_is(struct task_filter filter, const char *where)
{
	struct task_list page;
	int64_t want = fixture_int("SELECT count(*) AS v FROM docket.tasks t"
	    " WHERE user_id = '%s' AND deleted_at IS NULL AND %s",
	    fixture_uuid(&owner.user_id), where);

	filter.count = true;
	for (enum task_sort sort = 0; sort < SORT__MAX; sort++) {
		filter.sort = sort;
		assert_int_equal(store_task_list(db, mem, &owner, &filter,
		    &page), 0);
		assert_int_equal(page.total, want);
		assert_int_equal(page.tasks.n, want);
		assert_false(page.more);
	}
}

static void
filters_select_and_count(void **state)
{
	struct text open[] = { TEXT("pending"), TEXT("in_progress") };
	int64_t now = fixture_int(
	    "SELECT (extract(epoch FROM now()) * 1000000)::bigint AS v");
	struct task_filter f;

	(void)state;
	count_is(any(), "true");
	f = any();
	f.status = (struct texts){ open, 2 };
	count_is(f, "status IN ('pending', 'in_progress')");
	f.status.n = 0;
	count_is(f, "false");
	f = any();
	f.priority = 4;
	count_is(f, "priority = 4");
	f = any();
	f.tag = TEXT("even");
	count_is(f, "'even' = ANY (tags)");
	f = any();
	f.q = TEXT("apple -pie");
	count_is(f, "title ILIKE 'apple'");
	f.q = TEXT("\"apple pie\"");
	count_is(f, "lower(title) = 'apple pie'");
	f.q = TEXT("zebra or cream");
	count_is(f, "(title ~ 'zebra' OR description IS NOT NULL)");
	f.q = TEXT("-pie");
	count_is(f, "title !~ 'pie'");
	f.q = TEXT("cream");
	count_is(f, "description IS NOT NULL");
	f.q = TEXT("\" ( & ! :*");
	count_is(f, "false");
	f = any();
	f.due_before = now;
	count_is(f, "due_at < now()");
	f = any();
	f.due_after = now;
	count_is(f, "due_at > now()");
	f = any();
	f.created_after = now - 24 * INT64_C(3600000000);
	count_is(f, "number < 24");
	f = any();
	f.overdue = true;
	count_is(f, "due_at < now() AND status IN"
	    " ('pending', 'in_progress')");
	f.updated_before = 0;
	count_is(f, "false");
}

static void
a_malformed_key_is_refused(void **state)
{
	static const struct {
		enum task_sort sort;
		const char *key;
	} bad[] = {
		{ SORT_NUMBER, "" }, { SORT_NUMBER, "x" },
		{ SORT_NUMBER, "1 " }, { SORT_NUMBER, "99999999999999999999" },
		{ SORT_UPDATED, "12:00" }, { SORT_DUE, "soon" },
		{ SORT_DUE, "999999999999999999" }, { SORT_CREATED, "1" },
		{ SORT_PRIORITY, "+1" }, { SORT_POSITION, NULL },
	};
	struct task_filter filter = any();
	struct task_list page;

	(void)state;
	filter.after = true;
	filter.id = owner.user_id;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		filter.sort = bad[i].sort;
		filter.key = text_of(bad[i].key);
		assert_int_equal(store_task_list(db, mem, &owner, &filter,
		    &page), E_CURSOR);
	}
}

static void
a_revoked_session_lists_and_counts_nothing(void **state)
{
	struct task_filter filter = any();
	struct principal revoked = owner;
	struct task_list page;

	(void)state;
	revoked.session_id.b[15] ^= 1;
	filter.count = true;
	assert_int_equal(store_task_list(db, mem, &revoked, &filter, &page),
	    E_TOKEN_REVOKED);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_sort_sees_every_task_once),
		CASE(filters_select_and_count),
		CASE(a_malformed_key_is_refused),
		CASE(a_revoked_session_lists_and_counts_nothing),
	};

	return cmocka_run_group_tests(tests, fill, fixture_stop);
}
