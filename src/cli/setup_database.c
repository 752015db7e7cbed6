/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setup, PostgreSQL's part: roles, database, who is let in, the schema. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "cli/setup.h"

#define SECONDS 60
#define SUPERUSER "postgres"
#define ACCESS_MAX ((size_t)1 << 20)
#define BEGIN "# docket setup: begin\n"
#define END "# docket setup: end\n"

static const char no_database[] =
    "is PostgreSQL running? apt install postgresql, pg_lsclusters, "
    "systemctl start postgresql; then run this again";

/* As the superuser's account, or as ourselves: what it may change is not
 * root's to change for it. */
static int
superuser_run(struct setup *s, const char *const *argv, struct text input,
    struct tool_end *ret)
{
	const struct tool tool = {
		.argv = argv, .user = geteuid() == 0 ? "postgres" : NULL,
		.input = input, .seconds = SECONDS,
	};

	return tool_run(s->mem, &tool, ret);
}

/* Nothing of anybody's psqlrc; names of databases are ours. */
static int
ask(struct setup *s, const char *role, const char *database, const char *sql,
    struct tool_end *ret)
{
	const char *const argv[] = {
		"psql", "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1",
		"-d", arena_printf(s->mem, "host=%s dbname=%s user=%s",
		    s->postgres, database, role), "-c", sql, NULL,
	};

	return superuser_run(s, argv, TEXT_NONE, ret);
}

/* What a statement gives, as a number; -1 when it cannot be asked. */
static long
count(struct setup *s, const char *role, const char *database, const char *sql)
{
	struct tool_end end;

	if (ask(s, role, database, sql, &end) != 0)
		return -1;
	return strtol(end.out.s, NULL, 10);
}

static int
order(struct setup *s, const char *sql)
{
	struct tool_end end;

	if (ask(s, SUPERUSER, "postgres", sql, &end) == 0)
		return 0;
	return setup_tool_fail(s, "PostgreSQL", &end, no_database);
}

/* ---- roles ---- */

/* The superuser may not walk to where the file lies. */
static int
roles_script(struct setup *s, struct text *ret)
{
	const char *path = arena_printf(s->mem, "%s/sql/roles.sql", s->share);
	int error = file_get(s->mem, path, ret);

	if (error == 0)
		return 0;
	return setup_fail(s, EX_NOINPUT, "install the package again, or say "
	    "--share DIR", "%s: %s", path, strerror(-error));
}

/* What the script would change is what a transaction that is taken back finds
 * changed: a later version's script may have more than the roles' names. */
#define ROLES_NOW \
	"(SELECT to_jsonb(r) FROM pg_roles r WHERE r.rolname ~ '^docket_'" \
	" UNION ALL SELECT to_jsonb(m) FROM pg_auth_members m)"
#define ROLES_BEFORE "(SELECT * FROM pg_temp.docket_before)"

static enum setup_state
roles_look(struct setup *s)
{
	struct text script;
	long n;

	if (roles_script(s, &script) != 0)
		return SETUP_FAULT;
	n = count(s, SUPERUSER, "postgres", arena_printf(s->mem,
	    "BEGIN; CREATE TEMPORARY TABLE docket_before ON COMMIT DROP AS "
	    ROLES_NOW "; %s; SELECT count(*) FROM"
	    " ((" ROLES_NOW " EXCEPT ALL " ROLES_BEFORE ") UNION ALL"
	    " (" ROLES_BEFORE " EXCEPT ALL " ROLES_NOW ")) x; ROLLBACK",
	    script.s));
	if (n == 0)
		return setup_say(s, SETUP_DONE,
		    "docket_owner, docket_api, docket_courier");
	return setup_say(s, SETUP_TODO, "make docket_owner, docket_api, "
	    "docket_courier what this version needs%s", n < 0 ?
	    " (PostgreSQL does not answer yet)" : "");
}

static int
roles_act(struct setup *s)
{
	struct text script;
	int status = roles_script(s, &script);

	return status ? status : order(s, script.s);
}

/* ---- the database ---- */

static enum setup_state
database_look(struct setup *s)
{
	if (count(s, SUPERUSER, "postgres", "SELECT count(*) FROM pg_database"
	    " WHERE datname = 'docket'") == 1)
		return setup_say(s, SETUP_DONE, "docket");
	return setup_say(s, SETUP_TODO, "make the database docket");
}

static int
database_act(struct setup *s)
{
	return order(s, "CREATE DATABASE docket"
	    " OWNER docket_owner ENCODING 'UTF8' TEMPLATE template0");
}

/* ---- who is let in ---- */

/* By the account of a process, without any password. */
static const char hba[] = BEGIN
    "# The accounts of pg_ident.conf's map docket, and nobody else.\n"
    "local\tdocket\tdocket_api,docket_courier,docket_owner\tpeer map=docket\n"
    END;

/* Root administers, the superuser owns, the services are what they are. */
static const char *
ident(const struct setup *s)
{
	return arena_printf(s->mem, BEGIN
	    "docket\t%s\tdocket_api\n"
	    "docket\t%s\tdocket_courier\n"
	    "docket\tdocket-courier\tdocket_courier\n"
	    "docket\troot\tdocket_api\n"
	    "docket\troot\tdocket_courier\n"
	    "docket\troot\tdocket_owner\n"
	    "docket\tpostgres\tdocket_owner\n"
	    END, s->user, s->user);
}

struct access {
	const char *sql;	/* where the file is */
	const char *block, *path;
	struct text text;
};

/* Where they are is the superuser's word: root follows it nowhere. */
static bool
access_read(struct setup *s, struct access *a)
{
	const char *argv[] = { "cat", "--", NULL, NULL };
	struct tool_end end;

	if (ask(s, SUPERUSER, "postgres", a->sql, &end) != 0)
		return false;
	argv[2] = a->path = end.out.s;
	if (superuser_run(s, argv, TEXT_NONE, &end) != 0 ||
	    end.out.n > ACCESS_MAX)
		return false;
	a->text = text_of(arena_printf(s->mem, "%s\n", end.out.s));
	return a->text.s != NULL;
}

static void
access_of(struct setup *s, struct access v[2])
{
	v[0] = (struct access){ .sql = "SHOW ident_file", .block = ident(s) };
	v[1] = (struct access){ .sql = "SHOW hba_file", .block = hba };
}

static enum setup_state
access_look(struct setup *s)
{
	struct access v[2];

	access_of(s, v);
	for (int i = 0; i < 2; i++)
		if (!access_read(s, &v[i]) ||
		    !strstr(v[i].text.s, v[i].block))
			return setup_say(s, SETUP_TODO, "let %s and root in by "
			    "peer: pg_hba.conf, pg_ident.conf", s->user);
	return setup_say(s, SETUP_DONE, "%s and root by peer, map docket",
	    s->user);
}

/* In front: the first line that fits decides. An older block goes. */
static struct text
with_block(struct setup *s, const struct access *a)
{
	const char *from = strstr(a->text.s, BEGIN);
	const char *to = from ? strstr(from, END) : NULL;

	if (!to)
		return text_of(arena_printf(s->mem, "%s%s", a->block,
		    a->text.s));
	return text_of(arena_printf(s->mem, "%.*s%s%s",
	    (int)(from - a->text.s), a->text.s, a->block,
	    to + strlen(END)));
}

/* Beside it with its owner and mode, synced, renamed: never half. */
static int
access_write(struct setup *s, const struct access *a, struct text text)
{
	const char *fresh = arena_printf(s->mem, "%s.new", a->path);
	const char *const begin[] = { "cp", "-p", "--", a->path, fresh, NULL };
	const char *const fill[] = {
		"dd", arena_printf(s->mem, "of=%s", fresh), "conv=fsync",
		"status=none", NULL,
	};
	const char *const end[] = {
		"mv", "-f", "-T", "--", fresh, a->path, NULL
	};
	struct tool_end said;

	if (superuser_run(s, begin, TEXT_NONE, &said) == 0 &&
	    superuser_run(s, fill, text, &said) == 0 &&
	    superuser_run(s, end, TEXT_NONE, &said) == 0)
		return 0;
	return setup_tool_fail(s, a->path, &said, "look at the disk (df), and "
	    "that the account postgres may write the file and its folder; "
	    "then run this again");
}

/* Lines that PostgreSQL cannot read would stand in its way at the next start:
 * then they are taken back. */
static int
access_act(struct setup *s)
{
	struct access v[2];
	int status = 0;

	access_of(s, v);
	for (int i = 0; i < 2; i++)
		if (!access_read(s, &v[i]))
			return setup_fail(s, EX_NOINPUT, no_database,
			    "cannot read %s", v[i].path ? v[i].path :
			    "where PostgreSQL keeps its access rules");
	for (int i = 0; i < 2 && status == 0; i++)
		status = access_write(s, &v[i], with_block(s, &v[i]));
	if (status == 0)
		status = order(s, "SELECT pg_reload_conf()");
	if (status || count(s, SUPERUSER, "postgres", "SELECT"
	    " (SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL)"
	    " + (SELECT count(*) FROM pg_ident_file_mappings"
	    " WHERE error IS NOT NULL)") == 0)
		return status;
	for (int i = 0; i < 2; i++)
		(void)access_write(s, &v[i], v[i].text);
	(void)order(s, "SELECT pg_reload_conf()");
	return setup_fail(s, EX_CONFIG, "SELECT * FROM pg_hba_file_rules, as "
	    "postgres, names the lines; mend them, then run this again",
	    "PostgreSQL refuses lines of %s or %s: they are as they were",
	    v[0].path, v[1].path);
}

/* ---- the schema ---- */

static enum setup_state
schema_look(struct setup *s)
{
	const char *const words[5] = {
		"migrate", "status", "--dir",
		arena_printf(s->mem, "%s/migrations", s->share),
	};
	struct tool_end end;
	int code = setup_docket(s, words, TEXT_NONE, &end);

	if (code == 0)
		return setup_say(s, SETUP_DONE, "current");
	if (code == EX_DATAERR) {
		s->next = "this program is older than the database, or its "
		    "files were changed: install the package again";
		return setup_say(s, SETUP_FAULT, "%.*s", TEXT_FMT(end.err));
	}
	return setup_say(s, SETUP_TODO, "bring the schema up to date");
}

static int
schema_act(struct setup *s)
{
	const char *const words[5] = {
		"migrate", "--dir",
		arena_printf(s->mem, "%s/migrations", s->share),
	};
	struct tool_end end;

	if (setup_docket(s, words, TEXT_NONE, &end) == 0)
		return 0;
	return setup_tool_fail(s, "docket migrate", &end,
	    "mend what it says, then run this again");
}

/* ---- the first admin ---- */

/* As the owner: what lies in its schema is not the superuser's to run. */
static enum setup_state
admin_look(struct setup *s)
{
	const long n = count(s, "docket_owner", "docket", "SELECT count(*) FROM docket.users"
	    " WHERE role = 'admin' AND active");

	if (n > 0)
		return setup_say(s, SETUP_DONE, "there is one");
	return setup_say(s, SETUP_TODO, "make the account %s", s->admin);
}

static int
password_make(struct setup *s, struct text *ret)
{
	uint8_t bytes[15];

	if (crypto_random(bytes, sizeof(bytes)))
		return setup_fail(s, EX_OSERR, "run this again", "no random "
		    "bytes");
	*ret = base64url_encode(s->mem, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

/* Of the file's first line, or of standard input. */
static int
password_read(struct setup *s, struct text *ret)
{
	const bool typed = strcmp(s->password_file, "-") == 0;
	char line[512];
	FILE *f = typed ? stdin : fopen(s->password_file, "re");
	bool good = f && fgets(line, sizeof(line), f);

	if (f && !typed)
		fclose(f);
	if (!good)
		return setup_file_fail(s, s->password_file, f ? -ENODATA :
		    -errno);
	line[strcspn(line, "\r\n")] = '\0';
	*ret = text_of(arena_copy(s->mem, line, strlen(line)));
	explicit_bzero(line, sizeof(line));
	return 0;
}

static int
admin_act(struct setup *s)
{
	const char *const words[5] = { "user", "add", s->admin, "--admin" };
	struct text password = TEXT_NONE, line;
	struct tool_end end;
	int status = s->password_file ? password_read(s, &password) :
	    password_make(s, &password);

	if (status)
		return status;
	line = text_of(arena_printf(s->mem, "%.*s\n", TEXT_FMT(password)));
	if (setup_docket(s, words, line, &end) != 0)
		return setup_tool_fail(s, "docket user add", &end,
		    "docket user add NAME --admin makes one by hand; with "
		    "--update, of an account that is there");
	if (!s->password_file)
		s->password = password.s;
	return 0;
}

static const struct setup_step steps[] = {
	{ "roles", roles_look, roles_act },
	{ "database", database_look, database_act },
	{ "access", access_look, access_act },
	{ "schema", schema_look, schema_act },
	{ "admin", admin_look, admin_act },
};

const struct setup_part setup_database = {
	steps, sizeof(steps) / sizeof(steps[0])
};
