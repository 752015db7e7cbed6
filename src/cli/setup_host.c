/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setup, the host's part: programs, account, folders, settings. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/setup.h"

#define DROP_IN "/etc/docket/conf.d/10-setup.conf"

/* ---- programs ---- */

static const struct {
	const char *name, *package;
} programs[] = {
	{ "docketd", "docket" }, { "psql", "postgresql" },
	{ "nginx", "nginx" }, { "openssl", "openssl" },
	{ "setpriv", "util-linux" },
};

static enum setup_state
programs_look(struct setup *s)
{
	const char *lack = "", *install = "";

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (tool_find(s->mem, programs[i].name))
			continue;
		lack = arena_printf(s->mem, "%s %s", lack, programs[i].name);
		install = arena_printf(s->mem, "%s %s", install,
		    programs[i].package);
	}
	if (!*lack)
		return setup_say(s, SETUP_DONE, "all that is needed is here");
	s->next = arena_printf(s->mem, "apt install%s", install);
	return setup_say(s, SETUP_FAULT, "not installed:%s", lack);
}

/* ---- the account ---- */

static enum setup_state
user_look(struct setup *s)
{
	const struct passwd *who = getpwnam(s->user);

	if (!who)
		return setup_say(s, SETUP_TODO, "make the system user %s",
		    s->user);
	s->mode = (struct file_mode){ 0600, who->pw_uid, who->pw_gid };
	return setup_say(s, SETUP_DONE, "%s", s->user);
}

static int
user_act(struct setup *s)
{
	const char *const argv[] = {
		"useradd", "--system", "--user-group", "--home-dir",
		"/var/lib/docket", "--no-create-home", "--shell",
		"/usr/sbin/nologin", s->user, NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 60 };
	struct tool_end end;

	if (tool_run(s->mem, &tool, &end) == 0)
		return 0;
	return setup_tool_fail(s, "useradd", &end, arena_printf(s->mem,
	    "make the user %s, then run this again", s->user));
}

/* ---- folders ---- */

enum whose { ROOTS, GROUPS, OWN };

static const struct {
	const char *path;
	mode_t mode;
	enum whose whose;
} folders[] = {
	{ "/etc/docket", 0750, GROUPS },
	{ "/etc/docket/conf.d", 0750, GROUPS },
	{ "/etc/docket/tls", 0750, ROOTS },
	{ "/var/lib/docket", 0755, ROOTS },
	{ "/var/lib/docket/spool", 0750, OWN },
};

#define N_FOLDERS (sizeof(folders) / sizeof(folders[0]))

/* Where root is to write nobody else may put links. */
static bool
is_open(const char *path, const struct stat *st)
{
	return strncmp(path, "/etc/", 5) == 0 && ((st->st_mode & 0022) ||
	    (st->st_uid != 0 && st->st_uid != geteuid()));
}

static enum setup_state
folders_look(struct setup *s)
{
	const char *lack = "";
	struct stat st;

	for (size_t i = 0; i < N_FOLDERS; i++) {
		const char *path = setup_path(s, folders[i].path);

		if (stat(path, &st) < 0) {
			lack = arena_printf(s->mem, "%s %s", lack, path);
		} else if (is_open(folders[i].path, &st)) {
			s->next = "look at what lies in it, then chown root "
			    "and chmod go-w";
			return setup_say(s, SETUP_FAULT, "%s: others than "
			    "root may write into it", path);
		}
	}
	return *lack ? setup_say(s, SETUP_TODO, "make%s", lack) :
	    setup_say(s, SETUP_DONE, "%s, %s",
	    setup_path(s, folders[0].path), setup_path(s, folders[3].path));
}

static int
folders_act(struct setup *s)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const struct file_mode mode = {
			folders[i].mode,
			folders[i].whose == OWN ? s->mode.uid : 0,
			folders[i].whose == ROOTS ? 0 : s->mode.gid,
		};
		const char *path = setup_path(s, folders[i].path);
		int error = file_folder(s->mem, path, &mode);

		if (error)
			return setup_file_fail(s, path, error);
	}
	return 0;
}

/* ---- settings ---- */

const char *
setup_conf(const struct setup *s)
{
	return setup_path(s, "/etc/docket/docket.conf");
}

const char *
setup_routes(const struct setup *s)
{
	return setup_path(s, "/etc/docket/nginx-routes.conf");
}

/* What the domain decides; the rest only where things are elsewhere. */
struct wanted {
	const char *section, *key, *value;
};

#define WANTED 12

static const char *
public_url(const struct setup *s)
{
	return s->port == 443 ?
	    arena_printf(s->mem, "https://%s", s->domain) :
	    arena_printf(s->mem, "https://%s:%ld", s->domain, s->port);
}

static const char *
dsn(const struct setup *s, const char *role)
{
	return arena_printf(s->mem, "host=%s dbname=docket user=%s",
	    s->postgres, role);
}

/* In the order of their sections. */
static size_t
wanted_of(const struct setup *s, struct wanted v[WANTED])
{
	const bool apart = s->root[0] ||
	    strcmp(s->postgres, "/run/postgresql") != 0;
	size_t n = 0;

	v[n++] = (struct wanted){ "server", "public_url", public_url(s) };
	if (s->root[0]) {
		v[n++] = (struct wanted){ "server", "socket",
		    setup_path(s, "/run/docket/docket.sock") };
		v[n++] = (struct wanted){ "server", "auth_socket",
		    setup_path(s, "/run/docket/auth.sock") };
		v[n++] = (struct wanted){ "server", "secret_file",
		    setup_path(s, "/etc/docket/secret.key") };
	}
	if (apart) {
		v[n++] = (struct wanted){ "database", "dsn",
		    dsn(s, "docket_api") };
		v[n++] = (struct wanted){ "database", "courier_dsn",
		    dsn(s, "docket_courier") };
		v[n++] = (struct wanted){ "database", "owner_dsn",
		    dsn(s, "docket_owner") };
	}
	v[n++] = (struct wanted){ "auth", "issuer", public_url(s) };
	if (s->require)
		v[n++] = (struct wanted){ "auth", "register_require",
		    s->require };
	if (s->root[0]) {
		v[n++] = (struct wanted){ "auth", "key_file",
		    setup_path(s, "/etc/docket/jwt.keys") };
		v[n++] = (struct wanted){ "courier", "spool_dir",
		    setup_path(s, "/var/lib/docket/spool") };
	}
	return n;
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Before the file is written, what it will say counts. */
bool
setup_settings(struct setup *s)
{
	struct wanted v[WANTED];
	const size_t n = wanted_of(s, v);
	const char *sets[WANTED];
	struct settings_source source = {
		.file = is_there(setup_conf(s)) ? setup_conf(s) : NULL,
		.sets = sets,
	};

	if (s->loaded)
		return true;
	for (size_t i = 0; i < n; i++)
		sets[i] = arena_printf(s->mem, "%s.%s=%s", v[i].section,
		    v[i].key, v[i].value);
	if (!is_there(setup_path(s, DROP_IN)))
		source.n_sets = n;
	s->loaded = settings_load(&source, stderr, &s->settings) == 0;
	return s->loaded;
}

/* A value that somebody chose is never another's to change. */
static bool
stands_against(struct setup *s, const struct settings *now)
{
	const struct {
		const char *name, *is, *wanted;
	} rows[] = {
		{ "server.public_url", now->server_public_url, public_url(s) },
		{ "auth.issuer", now->auth_issuer, public_url(s) },
		{ "auth.register_require", now->auth_register_require,
		    s->require ? s->require : now->auth_register_require },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].is, rows[i].wanted) == 0)
			continue;
		s->next = arena_printf(s->mem, "change it where it is set "
		    "(%s or its conf.d), or run this with what is set",
		    setup_conf(s));
		setup_say(s, SETUP_FAULT, "%s is \"%s\", not \"%s\": left as "
		    "it is", rows[i].name, rows[i].is, rows[i].wanted);
		return true;
	}
	return false;
}

static enum setup_state
settings_look(struct setup *s)
{
	const bool conf = is_there(setup_conf(s));
	const bool written = is_there(setup_path(s, DROP_IN));

	if (!setup_settings(s)) {
		s->next = "mend the lines above, then run this again";
		return setup_say(s, SETUP_FAULT, "%s: has faults",
		    setup_conf(s));
	}
	if (stands_against(s, &s->settings))
		return SETUP_FAULT;
	if (conf && written)
		return setup_say(s, SETUP_DONE, "%s", setup_conf(s));
	return setup_say(s, SETUP_TODO, "write%s%s%s %s", conf ? "" : " ",
	    conf ? "" : setup_conf(s), conf || written ? "" : ",",
	    written ? "" : setup_path(s, DROP_IN));
}

static struct text
drop_in(struct setup *s)
{
	struct wanted v[WANTED];
	const size_t n = wanted_of(s, v);
	const char *text = "# What docket setup decided; docket.conf beside "
	    "this folder has the rest.\n# Change it as you like: it is not "
	    "written again.\n";

	for (size_t i = 0; i < n; i++) {
		const bool first = i == 0 ||
		    strcmp(v[i - 1].section, v[i].section) != 0;
		const bool last = i + 1 == n ||
		    strcmp(v[i + 1].section, v[i].section) != 0;

		text = arena_printf(s->mem, "%s%s%s\t%s = \"%s\"\n%s", text,
		    first ? v[i].section : "", first ? " {\n" : "",
		    v[i].key, v[i].value, last ? "}\n" : "");
	}
	return text_of(text);
}

static int
sample(struct setup *s, struct text *ret)
{
	char *bytes = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&bytes, &n);

	if (!f)
		return -errno;
	settings_print_sample(f);
	fclose(f);
	*ret = (struct text){ arena_copy(s->mem, bytes, n), n };
	free(bytes);
	return 0;
}

static int
settings_act(struct setup *s)
{
	const struct file_mode mode = { 0640, 0, s->mode.gid };
	const char *path = setup_conf(s);
	struct text text = TEXT_NONE;
	int error = 0;

	if (!is_there(path)) {
		error = sample(s, &text);
		if (error == 0)
			error = file_put(s->mem, path, text, &mode);
	}
	if (error == 0 && !is_there(setup_path(s, DROP_IN))) {
		path = setup_path(s, DROP_IN);
		error = file_put(s->mem, path, drop_in(s), &mode);
	}
	settings_done(&s->settings);
	s->loaded = false;
	return setup_file_fail(s, path, error);
}

static const struct setup_step steps[] = {
	{ "programs", programs_look, NULL },
	{ "user", user_look, user_act },
	{ "folders", folders_look, folders_act },
	{ "settings", settings_look, settings_act },
};

const struct setup_part setup_host = {
	steps, sizeof(steps) / sizeof(steps[0])
};
