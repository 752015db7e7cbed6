/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* For tests of the store: a cluster of their own, accounts, parallel callers. */
#include "lib/store_fixture.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/tasks.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/migrate.h"

struct db *db;
struct arena *mem;

static char dir[128];
static struct db *super;
static unsigned counter;

/* Cut components off `path` until what is left has the cluster's script. */
static bool
find_root(char *path)
{
	char probe[PATH_MAX + 32];

	for (char *end; (end = strrchr(path, '/')); ) {
		*end = '\0';
		if (snprintf(probe, sizeof(probe), "%s/tests/lib/cluster.sh",
		    path) < (int)sizeof(probe) && access(probe, X_OK) == 0)
			return true;
	}
	return false;
}

/* Above the program, above this file, or where automake says. */
static const char *
source_root(void)
{
	static char root[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", root, sizeof(root) - 1);

	root[n > 0 ? n : 0] = '\0';
	if (find_root(root))
		return root;
	snprintf(root, sizeof(root), "%s", __FILE__);
	return find_root(root) ? root : getenv("srcdir");
}

const char *
fixture_source(const char *path)
{
	static char full[2 * PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", source_root(), path);
	return full;
}

const char *
fixture_dir(void)
{
	return dir;
}

int
fixture_shell(const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *
fixture_dsn(const char *role, const char *database)
{
	static char dsns[8][256];
	static size_t i;
	char *dsn = dsns[i++ % 8];

	snprintf(dsn, sizeof(dsns[0]), "host=%s user=%s dbname=%s", dir, role,
	    database);
	return dsn;
}

struct db *
fixture_connect(void)
{
	static char dsn[256];
	const struct db_config config = {
		.dsn = dsn,
		.application = "test", .sets = store_statements,
		.n_sets = store_statements_n, .prepared = true,
		.deadline_ms = 20000,
	};
	struct db *made;

	strcpy(dsn, fixture_dsn("docket_api", "docket"));
	made = db_new(&config);
	assert_non_null(made);
	assert_int_equal(db_connect(made, 20000), 0);
	return made;
}

static int
start_cluster(void)
{
	FILE *f;
	char line[PATH_MAX + 64];
	int status;

	snprintf(line, sizeof(line), "CLUSTER_OF=%d %s start", (int)getpid(),
	    fixture_source("tests/lib/cluster.sh"));
	f = popen(line, "re");
	if (!f)
		return -1;
	if (fgets(dir, sizeof(dir), f))
		dir[strcspn(dir, "\n")] = '\0';
	status = pclose(f);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		puts("no PostgreSQL server is installed");
		exit(77);
	}
	return status ? -1 : 0;
}

static pid_t owner;

static void
stop_at_exit(void)
{
	/* A child's end is not the test's. */
	if (dir[0] && getpid() == owner)
		fixture_shell("%s stop %s",
		    fixture_source("tests/lib/cluster.sh"), dir);
}

int
fixture_start(void **state)
{
	struct migrate_options options = { .lock_timeout_ms = 5000 };
	static char dsn[256];
	const struct db_config config = {
		.dsn = dsn, .application = "test-super",
	};
	FILE *quiet = fopen("/dev/null", "we");

	(void)state;
	log_init("test", LOG_ERROR_);
	owner = getpid();
	atexit(stop_at_exit);
	if (!quiet || start_cluster() || crypto_init())
		return -1;
	options.dsn = fixture_dsn("docket_owner", "docket");
	options.dir = fixture_source("sql/migrations");
	if (migrate_run(&options, quiet, stderr))
		return -1;
	fclose(quiet);
	strcpy(dsn, fixture_dsn("postgres", "docket"));
	super = db_new(&config);
	mem = arena_new(65536);
	if (!super || !mem || db_connect(super, 5000))
		return -1;
	db = fixture_connect();
	return 0;
}

int
fixture_stop(void **state)
{
	(void)state;
	db_free(db);
	db_free(super);
	arena_free(mem);
	return 0;
}

int
fixture_reset(void **state)
{
	(void)state;
	arena_reset(mem);
	return 0;
}

#define FORMAT(line) \
	do { \
		va_list ap; \
		va_start(ap, fmt); \
		vsnprintf(line, sizeof(line), fmt, ap); \
		va_end(ap); \
	} while (0)

void
fixture_sql(const char *fmt, ...)
{
	char line[8192];
	const char *why;

	FORMAT(line);
	if (db_script(super, line, &why))
		fail_msg("%s\n%s", why, line);
}

struct one {
	int64_t number;
	struct text text;
};

static struct one
ask(const char *sql, enum field_type type)
{
	const struct field f = {
		.name = "v", .type = type,
		.offset = type == FIELD_INT ? offsetof(struct one, number) :
		    offsetof(struct one, text),
	};
	const struct fields row = { NULL, &f, 1, sizeof(struct one), false };
	const struct stmt stmt = { "ask", sql, &row, false, false };
	const struct db_params none = { 0 };
	struct db_result r;

	assert_int_equal(db_run(super, mem, &stmt, &none, &r), 0);
	assert_int_equal(r.rows, 1);
	return *(const struct one *)r.v;
}

int64_t
fixture_int(const char *fmt, ...)
{
	char line[4096];

	FORMAT(line);
	return ask(line, FIELD_INT).number;
}

struct text
fixture_text(const char *fmt, ...)
{
	char line[4096];

	FORMAT(line);
	return ask(line, FIELD_TEXT).text;
}

const char *
fixture_uuid(const struct uuid *id)
{
	char *s = arena_alloc(mem, UUID_CHARS + 1);

	uuid_format(id, s);
	return s;
}

struct text
fixture_name(const char *prefix)
{
	return text_of(arena_printf(mem, "%s%u", prefix, ++counter));
}

void
fixture_new_user(struct new_user *ret, const char *role)
{
	*ret = (struct new_user){
		.username = fixture_name("User"), .hash = TEXT("phc"),
		.role = text_of(role),
	};
	ret->username_key = text_of(arena_printf(mem, "user%u", counter));
	assert_int_equal(crypto_uuid(&ret->id, &ret->created_at), 0);
}

void
fixture_new_session(struct new_session *ret)
{
	*ret = (struct new_session){
		.idle_seconds = 3600, .absolute_seconds = 7200,
		.client = {
			.ip = TEXT("192.0.2.1"), .network = TEXT("192.0.2.0"),
			.agent = TEXT("test"), .request_id = TEXT("r1"),
		},
	};
	assert_int_equal(crypto_uuid(&ret->id, NULL), 0);
}

struct principal
fixture_user(const char *role)
{
	struct new_user user;
	struct new_session session;
	struct user made;

	fixture_new_user(&user, role);
	fixture_new_session(&session);
	assert_int_equal(store_user_register(db, mem, &user, &session, &made),
	    0);
	return (struct principal){
		.user_id = user.id, .session_id = session.id,
	};
}

struct caller *
fixture_callers(size_t n)
{
	struct caller *callers = calloc(n, sizeof(*callers));

	assert_non_null(callers);
	for (size_t i = 0; i < n; i++) {
		callers[i].i = i;
		callers[i].db = fixture_connect();
		callers[i].mem = arena_new(16384);
		assert_non_null(callers[i].mem);
	}
	return callers;
}

struct start {
	pthread_barrier_t *together;
	struct caller *caller;
	caller_fn fn;
};

static void *
call(void *arg)
{
	struct start *start = arg;

	pthread_barrier_wait(start->together);
	start->fn(start->caller);
	return NULL;
}

void
fixture_parallel(struct caller *callers, size_t n, caller_fn fn, void *arg)
{
	pthread_t *threads = calloc(n, sizeof(*threads));
	struct start *starts = calloc(n, sizeof(*starts));
	pthread_barrier_t together;

	assert_true(threads && starts);
	pthread_barrier_init(&together, NULL, (unsigned)n);
	for (size_t i = 0; i < n; i++) {
		callers[i].arg = arg;
		starts[i] = (struct start){ &together, &callers[i], fn };
		assert_int_equal(pthread_create(&threads[i], NULL, call,
		    &starts[i]), 0);
	}
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&together);
	free(threads);
	free(starts);
}

size_t
fixture_count(const struct caller *callers, size_t n, int result)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += callers[i].result == result;
	return count;
}

void
fixture_callers_free(struct caller *callers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		db_free(callers[i].db);
		arena_free(callers[i].mem);
	}
	free(callers);
}

int
order_ids(struct db *on, struct arena *m, const struct principal *who,
    const struct uuid *ids, size_t n, size_t *ret_n)
{
	struct texts refs = { arena_array(m, n, sizeof(*refs.v)), n };

	for (size_t i = 0; i < n; i++) {
		char *id = arena_alloc(m, UUID_CHARS);

		uuid_format(&ids[i], id);
		refs.v[i] = (struct text){ id, UUID_CHARS };
	}
	return store_task_order(on, m, who, refs, ret_n);
}
