/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setup: the certificate that nginx shows, by two links. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/clock.h"
#include "cli/setup.h"

#define SETUP_OWN_KEY "/etc/docket/tls/self-signed.key"
#define SPARE (30 * 86400)

/* nginx reads two links; what they lead to changes without its site. */
struct pair {
	const char *cert, *key;
};

static const char *
target(const struct setup *s, const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	return n > 0 ? arena_copy(s->mem, to, (size_t)n) : NULL;
}

/* What was given, then certbot's, then what is there, then our own. */
static struct pair
pair_wanted(struct setup *s)
{
	const char *live = setup_path(s, arena_printf(s->mem,
	    "/etc/letsencrypt/live/%s", s->domain));
	const struct pair bot = {
		arena_printf(s->mem, "%s/fullchain.pem", live),
		arena_printf(s->mem, "%s/privkey.pem", live),
	};
	const struct pair now = {
		target(s, setup_path(s, SETUP_CERT)),
		target(s, setup_path(s, SETUP_KEY)),
	};

	if (s->certificate)
		return (struct pair){ s->certificate, s->key };
	if (!s->own_certificate && access(bot.cert, R_OK) == 0)
		return bot;
	if (!s->own_certificate && now.cert && now.key)
		return now;
	return (struct pair){ setup_path(s, SETUP_OWN), setup_path(s, SETUP_OWN_KEY) };
}

/* NULL, or what is wrong with it. */
static const char *
pair_fault(struct setup *s, const struct pair *pair)
{
	const int64_t now = clock_real_us() / TIME_SECOND;
	struct certificate c;
	int error = certificate_read(pair->cert, s->domain, &c);

	if (error)
		return arena_printf(s->mem, "%s: %s", pair->cert,
		    error == -EINVAL ? "no certificate in PEM form" :
		    strerror(-error));
	error = certificate_fits(pair->cert, pair->key);
	if (error)
		return arena_printf(s->mem, "%s: %s", pair->key,
		    error == -EKEYREJECTED ? "is not the certificate's key" :
		    error == -EINVAL ? "no private key in PEM form without a "
		    "pass phrase" : strerror(-error));
	if (!c.covers)
		return arena_printf(s->mem, "%s is not for %s", pair->cert,
		    s->domain);
	return c.until - now > (c.own ? SPARE : 0) ? NULL :
	    arena_printf(s->mem, "%s has expired, or soon will", pair->cert);
}

static bool
is_own(const struct setup *s, const struct pair *pair)
{
	return strcmp(pair->cert, setup_path(s, SETUP_OWN)) == 0;
}

static enum setup_state
certificate_look(struct setup *s)
{
	const struct pair pair = pair_wanted(s);
	const char *why = pair_fault(s, &pair), *now;

	if (why && !is_own(s, &pair)) {
		s->next = "--certificate FILE --key FILE, or --self-signed to "
		    "start with";
		return setup_say(s, SETUP_FAULT, "%s", why);
	}
	now = target(s, setup_path(s, SETUP_CERT));
	if (why || !now || strcmp(now, pair.cert) != 0 ||
	    !(now = target(s, setup_path(s, SETUP_KEY))) ||
	    strcmp(now, pair.key) != 0)
		return setup_say(s, SETUP_TODO, "%s %s",
		    why ? "sign one of our own:" : "use", pair.cert);
	return setup_say(s, SETUP_DONE, is_own(s, &pair) ? "%s, which nobody "
	    "trusts; with certbot: certbot certonly --webroot -w /var/www/html"
	    " -d %s --deploy-hook 'systemctl reload nginx', then docket setup "
	    "again" : "%s", pair.cert, s->domain);
}

static int
own_make(struct setup *s)
{
	const char *cert = setup_path(s, SETUP_OWN), *key = setup_path(s, SETUP_OWN_KEY);
	const char *const argv[] = {
		"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", "397",
		"-subj", arena_printf(s->mem, "/CN=%.64s", s->domain),
		"-addext", arena_printf(s->mem, "subjectAltName=DNS:%s",
		    s->domain), "-keyout", key, "-out", cert, NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 60 };
	const mode_t mask = umask(0077);
	struct tool_end end;
	const int code = tool_run(s->mem, &tool, &end);

	umask(mask);
	if (code == 0)
		return 0;
	return setup_tool_fail(s, "openssl req", &end,
	    "--certificate FILE --key FILE takes one from elsewhere");
}

/* Made beside it and renamed: nginx finds one or the other. */
int
setup_link(struct setup *s, const char *to, const char *path)
{
	const char *fresh = arena_printf(s->mem, "%s.new", path);

	unlink(fresh);
	if (symlink(to, fresh) < 0 || rename(fresh, path) < 0)
		return setup_file_fail(s, path, -errno);
	return 0;
}

static int
certificate_act(struct setup *s)
{
	const struct pair pair = pair_wanted(s);
	int status = pair_fault(s, &pair) ? own_make(s) : 0;

	if (status == 0)
		status = setup_link(s, pair.key, setup_path(s, SETUP_KEY));
	if (status == 0)
		status = setup_link(s, pair.cert, setup_path(s, SETUP_CERT));
	return status;
}

static const struct setup_step steps[] = {
	{ "certificate", certificate_look, certificate_act },
};

const struct setup_part setup_certificate = {
	steps, sizeof(steps) / sizeof(steps[0])
};
