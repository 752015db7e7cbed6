/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* X-API-Key with a database behind it: who is let in, and by what memory. */
#include "lib/store_fixture.h"

#include "base/clock.h"
#include "base/error.h"
#include "core/api_key.h"
#include "core/scope.h"
#include "store/keys.h"
#include "web/access.h"
#include "web/api_key.h"

static struct settings settings = {
	.top_profile = "production", .auth_tasks_auth = "either",
};
static struct app app = { .settings = &settings };
static struct request request;
static struct route route;
static struct call call = {
	.app = &app, .req = &request, .route = &route,
	.client = { .ip = TEXT_INIT("192.0.2.7"), .request_id = TEXT_INIT("r") },
};

static int
start(void **state)
{
	if (fixture_start(state))
		return -1;
	app.keys = key_memo_new();
	return app.keys ? 0 : -1;
}

static int
stop(void **state)
{
	key_memo_free(app.keys);
	return fixture_stop(state);
}

/* A key of this one's, or an application's; its text. */
static struct text
make(const struct principal *who, const char *kind, const char *scope,
    struct uuid *ret_id)
{
	struct text name = text_of(scope), secret;
	struct new_key key = {
		.kind = text_of(kind), .name = TEXT("k"), .limit = 50,
		.scopes = { &name, 1 }, .expires_at = TIME_NONE,
	};
	struct principal as = *who;
	struct api_key made;

	assert_int_equal(crypto_uuid(&key.id, &key.created_at), 0);
	assert_int_equal(crypto_uuid(&key.session_id, NULL), 0);
	assert_int_equal(api_key_new(mem, &key.id, &secret, &key.hash), 0);
	assert_int_equal(store_key_insert(db, mem, &as, &key, &call.client,
	    &made), 0);
	*ret_id = key.id;
	return secret;
}

static int
ask(enum access access, const char *scope, unsigned flags, struct text key)
{
	route.access = access;
	route.scope = scope;
	route.flags = flags;
	request.api_key = key;
	call.mem = mem;
	call.who = (struct principal){ 0 };
	call.by_key = call.key_known = false;
	app.db = db;
	return access_check(&call);
}

static unsigned long
runs(unsigned long since)
{
	return db_runs(db) - since;
}

static void
a_personal_key_is_remembered(void **state)
{
	struct principal who = fixture_user("user");
	struct uuid id;
	struct text key = make(&who, "personal", "account", &id);
	unsigned long before = db_runs(db);

	(void)state;
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_true(call.by_key && !call.key_known && !call.who.need_admin);
	assert_true(uuid_equal(&call.who.user_id, &who.user_id));
	assert_true(uuid_equal(&call.who.key_id, &id));
	assert_int_equal(call.who.scopes, MAY_ACCOUNT);
	assert_int_equal(runs(before), 2);	/* found, and noted */
	before = db_runs(db);
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_true(call.by_key && call.key_known);
	assert_int_equal(access_scope(&call), 0);
	assert_int_equal(runs(before), 0);
	/* From another address it is another thing to know. */
	call.client.ip = TEXT("192.0.2.8");
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_false(call.key_known);
	assert_int_equal(runs(before), 1);
	call.client.ip = TEXT("192.0.2.7");
	/* The role is the statement's to check. */
	assert_int_equal(ask(ACCESS_ADMIN, "admin", 0, key), 0);
	assert_true(call.who.need_admin);
}

static void
nobody_is_refused_from_memory(void **state)
{
	struct principal who = fixture_user("user");
	struct uuid id, session;
	struct text key = make(&who, "personal", "tasks:read", &id);
	struct text name = TEXT("account");
	struct key_change change = {
		.set_scopes = true, .scopes = { &name, 1 },
	};
	struct api_key now;

	(void)state;
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_int_equal(access_scope(&call), E_SCOPE);
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_true(call.key_known);
	assert_int_equal(access_scope(&call), E_SCOPE);
	assert_int_equal(crypto_uuid(&session, NULL), 0);
	assert_int_equal(store_key_update(db, mem, &who, &id, &session,
	    &change, &call.client, &now), 0);
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_int_equal(access_scope(&call), 0);
	assert_true(uuid_equal(&call.who.session_id, &session));
	/* Known again, revoked: the refusal is the key's, not the scope's. */
	assert_int_equal(ask(ACCESS_USER, "tasks:read", 0, key), 0);
	assert_true(call.key_known);
	assert_int_equal(store_key_delete(db, mem, &who, &id, &call.client),
	    0);
	assert_int_equal(access_scope(&call), E_API_KEY);
	assert_int_equal(access_renew(&call), E_API_KEY);
}

static void
an_application_alone_opens_one_kind_of_row(void **state)
{
	struct principal admin = fixture_user("admin");
	struct uuid id;
	struct text key = make(&admin, "application", "account", &id);
	struct text own = make(&admin, "personal", "account", &id);

	(void)state;
	for (int i = 0; i < 2; i++) {	/* it is never remembered */
		assert_int_equal(ask(ACCESS_ADMIN_OR_KEY, NULL, 0, key), 0);
		assert_true(uuid_is_nil(&call.who.user_id));
		assert_false(uuid_is_nil(&call.who.key_id));
		assert_false(call.who.need_admin || call.key_known);
		assert_int_equal(access_scope(&call), 0);
	}
	assert_int_equal(ask(ACCESS_USER, "account", 0, key),
	    E_TOKEN_MISSING);
	assert_int_equal(ask(ACCESS_ADMIN, "admin", 0, key),
	    E_TOKEN_MISSING);
	/* Anybody's key will do, and needs no role. */
	assert_int_equal(ask(ACCESS_ADMIN_OR_KEY, NULL, 0, own), 0);
	assert_true(uuid_equal(&call.who.user_id, &admin.user_id));
	assert_false(call.who.need_admin);
	assert_int_equal(ask(ACCESS_ADMIN_OR_KEY, NULL, 0, TEXT("dk_")),
	    E_API_KEY);
	assert_int_equal(ask(ACCESS_ADMIN_OR_KEY, NULL, 0, TEXT_NONE),
	    E_TOKEN_MISSING);
}

static void
the_setting_decides_over_tasks(void **state)
{
	static const struct {
		const char *auth;
		int none, key;
	} rows[] = {
		{ "jwt", E_TOKEN_MISSING, E_TOKEN_MISSING },
		{ "either", E_TOKEN_MISSING, 0 },
		{ "apikey", E_API_KEY_MISSING, 0 },
		{ "jwt+apikey", E_TOKEN_MISSING, E_TOKEN_MISSING },
	};
	struct principal who = fixture_user("user");
	struct uuid id;
	struct text key = make(&who, "personal", "tasks:read", &id);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		settings.auth_tasks_auth = rows[i].auth;
		assert_int_equal(ask(ACCESS_USER, "tasks:read", ROUTE_TASKS,
		    TEXT_NONE), rows[i].none);
		assert_int_equal(ask(ACCESS_USER, "tasks:read", ROUTE_TASKS,
		    key), rows[i].key);
		/* Elsewhere it says nothing. */
		assert_int_equal(ask(ACCESS_USER, "tasks:read", 0, key), 0);
		assert_int_equal(ask(ACCESS_USER, NULL, 0, key),
		    E_TOKEN_MISSING);
	}
}

static void
what_is_no_key_reaches_no_database(void **state)
{
	static char long_key[300];
	unsigned long before = db_runs(db);

	(void)state;
	memset(long_key, 'a', sizeof(long_key));
	assert_int_equal(ask(ACCESS_USER, "account", 0, TEXT("123456")),
	    E_API_KEY);
	assert_int_equal(ask(ACCESS_USER, "account", 0,
	    (struct text){ long_key, sizeof(long_key) }), E_API_KEY);
	request.two_api_keys = true;
	assert_int_equal(ask(ACCESS_USER, "account", 0, TEXT("x")),
	    E_API_KEY);
	request.two_api_keys = false;
	assert_int_equal(runs(before), 0);
}

/* Two workers want to let one session live again; one that was revoked
 * meanwhile stays dead. */
static void
only_what_stands_is_revived(void **state)
{
	struct principal who = fixture_user("user");
	struct uuid id;
	struct found_key found;
	struct text key = make(&who, "personal", "account", &id);

	(void)state;
	assert_int_equal(store_session_end(db, mem, &who, true, &call.client),
	    0);
	assert_int_equal(store_key_find(db, mem, &id, &call.client, &found),
	    0);
	assert_true(found.ended);
	assert_int_equal(store_key_revive(db, mem, &found), 0);
	assert_int_equal(store_key_revive(db, mem, &found), 0);
	assert_int_equal(ask(ACCESS_USER, "account", 0, key), 0);
	assert_int_equal(store_session_check(db, mem, &call.who), 0);
	fixture_sql("UPDATE docket.users SET active = false WHERE id = '%s'",
	    fixture_uuid(&who.user_id));
	assert_int_equal(store_key_revive(db, mem, &found), E_BUSY);
	assert_int_equal(store_session_check(db, mem, &call.who),
	    E_USER_INACTIVE);
	assert_true(access_is_stale(&call, E_USER_INACTIVE));
	assert_true(access_is_stale(&call, E_USER_DELETED));
	assert_true(access_is_stale(&call, E_TOKEN_REVOKED));
	assert_false(access_is_stale(&call, E_ROLE));
	call.by_key = false;
	assert_false(access_is_stale(&call, E_TOKEN_REVOKED));
	assert_int_equal(store_key_find(db, mem, &id, &call.client, &found),
	    0);
	assert_true(text_is(found.refused, "owner"));
	fixture_sql("DELETE FROM docket.users WHERE id = '%s'",
	    fixture_uuid(&who.user_id));
	assert_int_equal(store_key_find(db, mem, &id, &call.client, &found),
	    E_KEY);
}

#define CASE(f) cmocka_unit_test_teardown(f, fixture_reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_personal_key_is_remembered),
		CASE(nobody_is_refused_from_memory),
		CASE(an_application_alone_opens_one_kind_of_row),
		CASE(the_setting_decides_over_tasks),
		CASE(what_is_no_key_reaches_no_database),
		CASE(only_what_stands_is_revived),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
