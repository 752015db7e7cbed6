/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setup, nginx's part: the listing of the routes, and the site. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto.h"
#include "cli/setup.h"

#define SITE "/etc/nginx/sites-available/docket"
#define ENABLED "/etc/nginx/sites-enabled/docket"
#define TAKEN "/var/lib/docket/nginx-taken"
#define PLAIN "\n# ---- port 80"
#define STAMP "# docket setup wrote this; SHA-256 of the lines below: "

static const struct file_mode public_mode = { 0644, 0, 0 };

/* ---- the listing ---- */

int
setup_listing(struct setup *s, struct tool_end *ret)
{
	const char *const argv[] = {
		"docketd", "-c", setup_conf(s), "--nginx", NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 60 };

	return tool_run(s->mem, &tool, ret);
}

static enum setup_state
listing_look(struct setup *s)
{
	const char *path = setup_routes(s);
	struct tool_end end;
	struct text is;

	if (file_get(s->mem, path, &is) != 0)
		return setup_say(s, SETUP_TODO, "write %s", path);
	if (is.n > 0 && is.s[is.n - 1] == '\n')
		is.n--;
	if (setup_listing(s, &end) == 0 && text_equal(is, end.out))
		return setup_say(s, SETUP_DONE, "%s", path);
	return setup_say(s, SETUP_TODO, "write %s anew: the settings or the "
	    "program have changed", path);
}

static int
listing_act(struct setup *s)
{
	struct tool_end end;
	struct text text;

	if (setup_listing(s, &end) != 0)
		return setup_tool_fail(s, "docketd --nginx", &end,
		    "mend the settings, then run this again");
	text = text_of(arena_printf(s->mem, "%.*s\n", TEXT_FMT(end.out)));
	return setup_file_fail(s, setup_routes(s), file_put(s->mem,
	    setup_routes(s), text, &public_mode));
}

/* ---- the site ---- */

static const char *
replaced(const struct setup *s, const char *in, const char *from,
    const char *to)
{
	const char *out = "", *hit;

	while ((hit = strstr(in, from))) {
		out = arena_printf(s->mem, "%s%.*s%s", out, (int)(hit - in),
		    in, to);
		in = hit + strlen(from);
	}
	return arena_printf(s->mem, "%s%s", out, in);
}

static bool
has_ipv6(void)
{
	struct stat st;
	FILE *f = fopen("/proc/net/if_inet6", "re");
	const bool has = stat("/proc/net/if_inet6", &st) == 0 && f &&
	    getc(f) != EOF;

	if (f)
		fclose(f);
	return has;
}

/* Without the lines that a host without IPv6 cannot obey. */
static const char *
without_ipv6(const struct setup *s, const char *in)
{
	const char *out = "";

	while (*in) {
		const char *end = strchrnul(in, '\n');
		const struct text line = { in, (size_t)(end - in) };

		if (!memmem(line.s, line.n, "[::]", 4))
			out = arena_printf(s->mem, "%s%.*s\n", out,
			    TEXT_FMT(line));
		in = *end ? end + 1 : end;
	}
	return out;
}

/* The installed sample, made this host's. NULL with errno. */
static const char *
site_body(const struct setup *s)
{
	const char *path = arena_printf(s->mem, "%s/nginx/docket-site.conf",
	    s->share), *body, *plain;
	struct text sample;
	int error = file_get(s->mem, path, &sample);

	if (error) {
		errno = -error;
		return NULL;
	}
	body = replaced(s, sample.s, "docket.example", s->domain);
	/* Port 80 leads to 443 alone. */
	if (s->port != 443 && (plain = strstr(body, PLAIN)) != NULL)
		body = arena_printf(s->mem, "%.*s", (int)(plain - body), body);
	if (s->port != 443) {
		body = replaced(s, body, " 443 ", arena_printf(s->mem, " %ld ",
		    s->port));
		body = replaced(s, body, "]:443 ", arena_printf(s->mem,
		    "]:%ld ", s->port));
	}
	if (s->root[0]) {
		body = replaced(s, body, " /etc/docket/", arena_printf(s->mem,
		    " %s/etc/docket/", s->root));
		body = replaced(s, body, " /var/log/", arena_printf(s->mem,
		    " %s/var/log/", s->root));
	}
	return has_ipv6() ? body : without_ipv6(s, body);
}

static const char *
stamp_of(const struct setup *s, const char *body)
{
	uint8_t hash[CRYPTO_HASH];
	char hex[2 * CRYPTO_HASH + 1] = "";

	if (crypto_sha256(body, strlen(body), hash) == 0)
		hex_write(hex, hash, sizeof(hash));
	return arena_printf(s->mem, STAMP "%s\n", hex);
}

/* Nobody has touched it since it was written here. */
static bool
is_ours(const struct setup *s, const char *text)
{
	const char *body = strchr(text, '\n');
	const char *stamp = body ? stamp_of(s, body + 1) : "";

	return body && strncmp(text, stamp, strlen(stamp)) == 0;
}

static enum setup_state
site_look(struct setup *s)
{
	const char *path = setup_path(s, SITE), *body = site_body(s);
	struct text is;

	if (!body) {
		s->next = "install the package again, or say --share DIR";
		return setup_say(s, SETUP_FAULT, "%s/nginx/docket-site.conf: "
		    "%s", s->share, strerror(errno));
	}
	if (access(setup_path(s, "/etc/nginx/sites-enabled"), F_OK) < 0) {
		s->next = "this nginx is not Debian's: include a site of your "
		    "own at http level; the sample is "
		    "/usr/share/docket/nginx/docket-site.conf";
		return setup_say(s, SETUP_FAULT, "%s: no such folder",
		    setup_path(s, "/etc/nginx/sites-enabled"));
	}
	if (file_get(s->mem, path, &is) != 0)
		return setup_say(s, SETUP_TODO, "write %s and enable it",
		    path);
	if (is_ours(s, is.s) && strcmp(strchr(is.s, '\n') + 1, body) != 0)
		return setup_say(s, SETUP_TODO, "write %s anew", path);
	if (access(setup_path(s, ENABLED), F_OK) < 0)
		return setup_say(s, SETUP_TODO, "enable %s", path);
	return setup_say(s, SETUP_DONE, is_ours(s, is.s) ? "%s" :
	    "%s: changed by somebody, and left as it is", path);
}

static int
site_act(struct setup *s)
{
	const char *path = setup_path(s, SITE), *body = site_body(s);
	struct text is;
	int error = 0;

	if (file_get(s->mem, path, &is) != 0 || is_ours(s, is.s)) {
		file_folder(s->mem, setup_path(s,
		    "/etc/nginx/sites-available"),
		    &(struct file_mode){ 0755, 0, 0 });
		error = file_put(s->mem, path, text_of(arena_printf(s->mem,
		    "%s%s", stamp_of(s, body), body)), &public_mode);
	}
	if (error)
		return setup_file_fail(s, path, error);
	s->enables = access(setup_path(s, ENABLED), F_OK) < 0;
	return setup_link(s, path, setup_path(s, ENABLED));
}

/* ---- and nginx takes it ---- */

/* In ns: a hurried administrator changes much within a second. 0: not there. */
static int64_t
changed_at(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* A file of ours is as young as what nginx has last taken. */
static enum setup_state
nginx_look(struct setup *s)
{
	static const char *const files[] = {
		SITE, ENABLED, SETUP_CERT, SETUP_KEY, SETUP_OWN,
	};
	int64_t young = changed_at(setup_routes(s)), at;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if ((at = changed_at(setup_path(s, files[i]))) > young)
			young = at;
	if (changed_at(setup_path(s, TAKEN)) > young)
		return setup_say(s, SETUP_DONE, "has taken it");
	return setup_say(s, SETUP_TODO, "test the configuration and reload");
}

/* With the words that name another configuration, below --root. */
static int
nginx_run(struct setup *s, const char *flag, const char *word,
    struct tool_end *ret)
{
	const char *const argv[] = {
		"nginx", "-q", s->root[0] ? "-c" : flag,
		s->root[0] ? setup_path(s, "/etc/nginx/nginx.conf") : word,
		s->root[0] ? flag : NULL, word, NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 60 };

	return tool_run(s->mem, &tool, ret);
}

static int
nginx_reload(struct setup *s, struct tool_end *ret)
{
	const char *const argv[] = {
		"systemctl", "reload-or-restart", "nginx.service", NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 90 };

	return setup_systemd(s) ? tool_run(s->mem, &tool, ret) :
	    nginx_run(s, "-s", "reload", ret);
}

/* Ours goes, but not for another's fault where it was enabled: who mends that
 * is to have it again. */
static int
nginx_refuses(struct setup *s, const struct tool_end *why)
{
	static const char ours[] = "mend what it names, then run this again; "
	    "until then the site is not enabled, and nginx serves what it did";
	static const char theirs[] = "mend what it names, which is not of "
	    "docket setup, then run this again; nginx serves what it did";
	const char *enabled = setup_path(s, ENABLED);
	struct tool_end end;
	int status = 0;

	unlink(enabled);
	if (s->enables || nginx_run(s, "-t", NULL, &end) == 0)
		return setup_tool_fail(s, "nginx -t", why, ours);
	status = setup_link(s, setup_path(s, SITE), enabled);
	return status ? status : setup_tool_fail(s, "nginx -t", why, theirs);
}

/* One that does not run takes it when it starts; one that would not start any
 * more for what is here is let alone. */
static int
nginx_act(struct setup *s)
{
	struct tool_end end;
	int error;

	if (nginx_run(s, "-t", NULL, &end) != 0)
		return nginx_refuses(s, &end);
	if (nginx_reload(s, &end) != 0 && setup_systemd(s))
		return setup_tool_fail(s, "systemctl reload nginx", &end,
		    "journalctl -u nginx -n 20, then run this again");
	error = file_put(s->mem, setup_path(s, TAKEN), TEXT(""),
	    &public_mode);
	return setup_file_fail(s, setup_path(s, TAKEN), error);
}

static const struct setup_step steps[] = {
	{ "listing", listing_look, listing_act },
	{ "site", site_look, site_act },
	{ "nginx", nginx_look, nginx_act },
};

const struct setup_part setup_nginx = {
	steps, sizeof(steps) / sizeof(steps[0])
};
