/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Docket's own statements without Docket: the store's functions in a closed
 * loop, to see what the database takes of a request. And `hash`: a password
 * verified, over and over, to see the least that a login can cost.
 *
 *   statements DSN WORKLOAD SECONDS PROCESSES USERS TASKS [FIRST COUNT]
 *
 * WORKLOAD: list, get, status, create, mix, find or hash; or a page of 20,
 * first-SORT or deep-SORT, by position, number, created_at or due_date. FIRST
 * and COUNT: whose turn it is, else that of all USERS. It prints "ready" when
 * every process is connected, starts at a line on standard input, prints
 * {"requests":N,"us":N} and ends with standard input, so that whoever reads
 * CPU times can do it around the work alone. Users and tasks are those of
 * sql/seed.sql.
 */
#include <err.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "core/password.h"
#include "store/tasks.h"

#define BASE INT64_C(1704067200000)	/* of sql/seed.sql */
#define PROCESSES_MAX 256

struct board {
	atomic_int ready;
	atomic_bool go;
	atomic_bool stop;
	atomic_long done[PROCESSES_MAX];
};

struct load {
	const char *dsn;
	const char *workload;
	long seconds, processes, users, tasks, first, count;
	struct board *board;
	struct db *db;
	struct arena *mem;
	uint64_t dice;
};

static uint64_t
draw(struct load *l, long n)
{
	l->dice ^= l->dice << 13;
	l->dice ^= l->dice >> 7;
	l->dice ^= l->dice << 17;
	return (l->dice >> 11) % (uint64_t)n;
}

/* bench_id of sql/seed.sql. */
static struct uuid
bench_id(int64_t ms, int64_t n)
{
	uint8_t tail[10] = { 0 };

	for (int i = 0; i < 6; i++)
		tail[9 - i] = (uint8_t)(n >> 8 * i);
	return uuid_v7((uint64_t)ms, tail);
}

static struct principal
somebody(struct load *l, int64_t *ret_n)
{
	int64_t n = l->first + (int64_t)draw(l, l->count);

	*ret_n = n;
	return (struct principal){
		.user_id = bench_id(BASE - 10000000 + n, n),
		.session_id = bench_id(BASE - 20000000 + n, n),
	};
}

static struct task_ref
some_task(struct load *l, int64_t n)
{
	int64_t k = 1 + (int64_t)draw(l, l->tasks);

	return (struct task_ref){
		bench_id(BASE + (k * l->users + n) * 1000, n), INT_NONE
	};
}

static struct task_filter
twenty(void)
{
	return (struct task_filter){
		.limit = 20, .priority = INT_NONE,
		.due_before = TIME_NONE, .due_after = TIME_NONE,
		.created_before = TIME_NONE, .created_after = TIME_NONE,
		.updated_before = TIME_NONE, .updated_after = TIME_NONE,
	};
}

static int
do_list(struct load *l)
{
	struct task_filter filter = twenty();
	struct task_list page;
	int64_t n;
	struct principal who = somebody(l, &n);

	filter.sort = SORT_CREATED;
	filter.descending = true;
	return store_task_list(l->db, l->mem, &who, &filter, &page);
}

/* By the number that is one of the words of one title. */
static int
do_find(struct load *l)
{
	struct task_filter filter = twenty();
	struct task_list page;
	int64_t n;
	struct principal who = somebody(l, &n);

	filter.q = text_of(arena_printf(l->mem, "%ld",
	    1 + (long)draw(l, l->tasks)));
	return store_task_list(l->db, l->mem, &who, &filter, &page);
}

/* A place in the middle of that order: 20 tasks or more come after it, but
 * with a due date. */
static void
deep(struct load *l, struct task_filter *f, int64_t n)
{
	long k = 1 + (long)draw(l, l->tasks - 20);

	f->after = true;
	f->id = bench_id(BASE + (k * l->users + n) * 1000, n);
	f->key = TEXT("");
	if (f->sort == SORT_POSITION)
		f->key = text_of(arena_printf(l->mem, "%010ld", k));
	else if (f->sort == SORT_NUMBER)
		f->key = text_of(arena_printf(l->mem, "%ld", k));
	else if (f->sort == SORT_DUE)
		f->key = text_of(arena_printf(l->mem, "%lld",
		    (long long)((BASE / 1000 + (long)draw(l, 2000) * 86400)
		    * TIME_SECOND)));
}

static int
do_page(struct load *l)
{
	const char *sort = strchr(l->workload, '-') + 1;
	struct task_filter filter = twenty();
	struct task_list page;
	int64_t n;
	struct principal who = somebody(l, &n);

	while (strcmp(task_sort_names[filter.sort], sort) != 0)
		filter.sort++;
	if (l->workload[0] == 'd')
		deep(l, &filter, n);
	return store_task_list(l->db, l->mem, &who, &filter, &page);
}

static int
do_get(struct load *l)
{
	int64_t n;
	struct principal who = somebody(l, &n);
	struct task_ref ref = some_task(l, n);
	struct task task;

	return store_task_get(l->db, l->mem, &who, &ref, &task);
}

static int
do_status(struct load *l)
{
	static const char *const names[] = {
		"pending", "in_progress", "completed"
	};
	int64_t n;
	struct principal who = somebody(l, &n);
	struct task_ref ref = some_task(l, n);
	struct task_change change = {
		.set = TASK_STATUS, .if_version = INT_NONE,
		.to = { .status = text_of(names[draw(l, 3)]),
			.priority = INT_NONE, .due_at = TIME_NONE },
	};
	struct task task;

	return store_task_update(l->db, l->mem, &who, &ref, &change, &task);
}

static int
do_create(struct load *l)
{
	int64_t now = clock_real_us() / 1000 * 1000, n;
	uint64_t noise = draw(l, INT32_MAX) << 32 | draw(l, INT32_MAX);
	struct principal who = somebody(l, &n);
	uint8_t tail[10] = { 0 };
	struct new_task to = {
		.created_at = now,
		.title = TEXT("A task made under load"),
		.description = TEXT("Ask \"Bob\", then write down what he says"),
		.priority = INT_NONE,
		.due_date = TEXT("2030-03-01"),
		.due_at = INT64_C(1898553600) * TIME_SECOND,
	};
	struct task task;

	memcpy(tail, &noise, sizeof(noise));
	to.id = uuid_v7((uint64_t)now / 1000, tail);
	return store_task_insert(l->db, l->mem, &who, &to, &task);
}

static int
do_mix(struct load *l)
{
	uint64_t dice = draw(l, 100);

	return dice < 35 ? do_list(l) : dice < 70 ? do_get(l) :
	    dice < 90 ? do_status(l) : do_create(l);
}

static int
do_hash(struct load *l)
{
	static char hash[256];
	struct text made;

	if (!hash[0]) {
		if (password_hash(l->mem, TEXT("correct horse"), &made))
			return 1;
		memcpy(hash, made.s, made.n);
	}
	bool right = false;
	int error = password_verify(l->mem, text_of(hash),
	    TEXT("correct horse"), &right);

	return error ? error : !right;
}

static const struct workload {
	const char *name;
	int (*one)(struct load *l);
} workloads[] = {
	{ "list", do_list }, { "get", do_get }, { "status", do_status },
	{ "create", do_create }, { "mix", do_mix }, { "hash", do_hash },
	{ "find", do_find },
	{ "first-position", do_page }, { "deep-position", do_page },
	{ "first-number", do_page }, { "deep-number", do_page },
	{ "first-created_at", do_page }, { "deep-created_at", do_page },
	{ "first-due_date", do_page }, { "deep-due_date", do_page },
};

static const struct workload *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	errx(64, "%s: no such workload", name);
}

static void
connect_db(struct load *l)
{
	const struct db_config config = {
		.dsn = l->dsn, .application = "bench",
		.sets = store_statements, .n_sets = store_statements_n,
		.prepared = true, .deadline_ms = 10000,
	};

	l->db = db_new(&config);
	if (!l->db || db_connect(l->db, 10000))
		errx(1, "no connection to the database");
}

/* One process: what a worker does for a request, but for the request. */
static void
run(struct load *l, long i)
{
	const struct workload *w = find(l->workload);
	struct board *board = l->board;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	l->dice = UINT64_C(88172645463325252) + (uint64_t)i * 7919;
	l->mem = arena_new(65536);
	if (!l->mem || password_init())
		errx(1, "no memory");
	if (w->one == do_hash)
		do_hash(l);	/* makes the hash */
	else
		connect_db(l);
	atomic_fetch_add(&board->ready, 1);
	while (!atomic_load(&board->go))
		usleep(1000);
	while (!atomic_load(&board->stop)) {
		int r = w->one(l);

		if (r)
			errx(1, "%s: error %d", l->workload, r);
		arena_reset(l->mem);
		atomic_fetch_add_explicit(&board->done[i], 1,
		    memory_order_relaxed);
	}
	pause();
}

/* A child that ended has failed and said why. */
static void
check_children(void)
{
	if (waitpid(-1, NULL, WNOHANG) != 0)
		exit(1);
}

/* Between two lines of standard input: the work. */
static void
conduct(struct load *l)
{
	struct board *board = l->board;
	int64_t start, us;
	long n = 0;

	while (atomic_load(&board->ready) < l->processes) {
		check_children();
		usleep(1000);
	}
	puts("ready");
	if (getchar() == EOF)
		exit(1);
	start = clock_real_us();
	atomic_store(&board->go, true);
	sleep((unsigned)l->seconds);
	atomic_store(&board->stop, true);
	us = clock_real_us() - start;
	check_children();
	for (long i = 0; i < l->processes; i++)
		n += atomic_load(&board->done[i]);
	printf("{\"requests\":%ld,\"us\":%lld}\n", n, (long long)us);
	while (getchar() != EOF)
		;
}

int
main(int argc, char **argv)
{
	pid_t pids[PROCESSES_MAX];
	struct load l = { 0 };

	if (argc != 7 && argc != 9)
		errx(64, "usage: statements DSN WORKLOAD SECONDS PROCESSES"
		    " USERS TASKS [FIRST COUNT]");
	l.dsn = argv[1];
	l.workload = argv[2];
	l.seconds = atol(argv[3]);
	l.processes = atol(argv[4]);
	l.users = atol(argv[5]);
	l.tasks = atol(argv[6]);
	l.first = argc > 7 ? atol(argv[7]) : 1;
	l.count = argc > 7 ? atol(argv[8]) : l.users;
	if (l.processes < 1 || l.processes > PROCESSES_MAX)
		errx(64, "PROCESSES: 1 to %d", PROCESSES_MAX);
	setlinebuf(stdout);
	l.board = mmap(NULL, sizeof(*l.board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l.board == MAP_FAILED)
		err(1, "mmap");
	for (long i = 0; i < l.processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			err(1, "fork");
		if (pids[i] == 0)
			run(&l, i);
	}
	conduct(&l);
	for (long i = 0; i < l.processes; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
