/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Doctor, what clients meet: nginx, its listing, the proxy, the certificate. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/clock.h"
#include "cli/doctor.h"
#include "cli/files.h"
#include "cli/listing.h"
#include "cli/scrape.h"

#define DAYS_WARN 21
#define DAYS_FAIL 3
#define PLACES 20

/* ---- does it serve? ---- */

/* As nginx asks it: both groups of workers, each over its socket. */
static void
service_look(struct doctor *d)
{
	const char *const sockets[] = {
		d->settings.server_socket, d->settings.server_auth_socket,
	};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		struct buf body = { 0 };
		const char *why = *sockets[i] ?
		    cli_ask(sockets[i], "/healthz", &body) : NULL;
		const bool may = !why || strcmp(why, strerror(EACCES)) != 0;

		if (why)
			doctor_tell(d, may ? DOCTOR_FAIL : DOCTOR_WARN, may ?
			    "systemctl status docket; journalctl -u docket "
			    "-n 30" : "run this as root", "%s: %s",
			    sockets[i], why);
		buf_done(&body);
	}
	doctor_tell(d, DOCTOR_OK, NULL, "both groups of workers answer");
}

/* ---- the listing ---- */

static void
listing_tell(struct doctor *d)
{
	static const char next[] = "docket setup --domain ... writes it, or: "
	    "docketd --nginx > nginx-routes.conf; then systemctl reload nginx";
	const char *path = listing_path(d->cli), *why = "";

	switch (listing_look(d->cli, &why)) {
	case LISTING_SAME:
		doctor_tell(d, DOCTOR_OK, NULL, "%s fits the settings", path);
		return;
	case LISTING_OLD:
		doctor_tell(d, DOCTOR_FAIL, next, "%s is not what the "
		    "settings and this version make", path);
		return;
	case LISTING_NONE:
		doctor_tell(d, DOCTOR_WARN, next, "%s cannot be read", path);
		return;
	case LISTING_FAULT:
		doctor_tell(d, DOCTOR_FAIL, "docket check", "%s", why);
	}
}

/* ---- nginx ---- */

/* All of its configuration, as it would be read now. */
static bool
nginx_dump(struct doctor *d, struct tool_end *ret)
{
	const char *conf = cli_value(d->cli, OPT_nginx);
	const char *const argv[] = {
		"nginx", "-q", "-T", conf ? "-c" : NULL, conf, NULL,
	};
	const struct tool tool = { .argv = argv, .seconds = 60 };

	return tool_run(d->mem, &tool, ret) == 0;
}

static bool
has(const struct tool_end *end, const char *words)
{
	return memmem(end->out.s, end->out.n, words, strlen(words));
}

/* The configuration names the file with its process; one that names none, or
 * one that is not ours to read, tells nothing. */
static bool
nginx_stopped(struct doctor *d, const struct tool_end *end)
{
	static const char word[] = "\npid ";
	const char *at = memmem(end->out.s, end->out.n, word, strlen(word));
	struct text said;
	long pid = 0;
	int error;

	if (!at)
		return false;
	at += strlen(word);
	at += strspn(at, " \t");
	error = file_get(d->mem, arena_copy(d->mem, at,
	    strcspn(at, "; \t\n")), &said);
	if (error == 0)
		pid = strtol(said.s, NULL, 10);
	else if (error != -ENOENT)
		return false;
	return pid <= 0 || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

static void
nginx_look(struct doctor *d)
{
	const char *path = listing_path(d->cli);
	struct tool_end end;

	if (!tool_find(d->mem, "nginx"))
		doctor_tell(d, DOCTOR_WARN, "apt install nginx, if this host "
		    "is to face clients", "is not installed here");
	else if (!nginx_dump(d, &end))
		doctor_tell(d, geteuid() == 0 ? DOCTOR_FAIL : DOCTOR_WARN,
		    geteuid() == 0 ? "nginx -t, and mend what it names" :
		    "run this as root", "its configuration cannot be read: "
		    "%.*s", TEXT_FMT(end.err));
	else if (!has(&end, path))
		doctor_tell(d, DOCTOR_WARN, "docket setup --domain ... enables "
		    "the site", "no site of this nginx includes %s", path);
	else if (nginx_stopped(d, &end))
		doctor_tell(d, DOCTOR_FAIL, "nginx -t, mend what it names, "
		    "then systemctl start nginx", "does not run: nobody "
		    "reaches the service");
	else if (!has(&end, "fastcgi_param DOCKET_START"))
		doctor_tell(d, DOCTOR_FAIL, "include docket-fastcgi.conf in "
		    "the site", "the site hands over no parameters");
	else if (!has(&end, "limit_conn docket_busy"))
		doctor_tell(d, DOCTOR_WARN, "include docket-server.conf in "
		    "the site", "the site lacks caps and time limits");
	else if (has(&end, "worker_connections 768;"))
		doctor_tell(d, DOCTOR_WARN, "in nginx.conf: worker_rlimit_"
		    "nofile 16384; events { worker_connections 4096; }",
		    "768 connections a process, as Debian ships it: 400 "
		    "clients use them up");
	else
		doctor_tell(d, DOCTOR_OK, NULL, "the site is enabled and "
		    "whole");
}

/* ---- whose address we see ---- */

static void
proxy_look(struct doctor *d)
{
	const struct doctor_schema *s = &d->schema;

	if (!d->schema_known) {
		doctor_tell(d, DOCTOR_FAIL, "see database", "cannot be "
		    "asked: the database does not answer");
		return;
	}
	/* Limits are by address: all clients would be one. */
	if (s->sessions >= PLACES && s->addresses == 1 && s->local &&
	    !settings_dev(&d->settings))
		doctor_tell(d, DOCTOR_WARN, "if a proxy stands before nginx, "
		    "name it: set_real_ip_from and real_ip_header, as "
		    "docket-fastcgi.conf shows", "the last %" PRId64
		    " logins all came from one private address", s->sessions);
	doctor_tell(d, DOCTOR_OK, NULL, "the last %" PRId64 " logins came from "
	    "%" PRId64 " address%s", s->sessions, s->addresses,
	    s->addresses == 1 ? "" : "es");
}

/* ---- the certificate ---- */

/* The host of server.public_url. */
static const char *
host_of(struct doctor *d)
{
	const char *url = strstr(d->settings.server_public_url, "://");

	url = url ? url + 3 : "";
	return arena_copy(d->mem, url, strcspn(url, ":/"));
}

static void
certificate_tell(struct doctor *d, const char *path, const char *host,
    const struct certificate *c)
{
	static const char renew[] = "certbot renew, or docket setup --domain "
	    "... --certificate FILE --key FILE";
	const int64_t now = clock_real_us() / TIME_SECOND;
	const int64_t days = (c->until - now) / 86400;

	if (c->until <= now || c->from > now)
		doctor_tell(d, DOCTOR_FAIL, renew, "%s is not valid today",
		    path);
	if (days < DAYS_WARN)
		doctor_tell(d, days < DAYS_FAIL ? DOCTOR_FAIL : DOCTOR_WARN,
		    renew, "%s ends in %" PRId64 " days", path, days);
	if (*host && !c->covers)
		doctor_tell(d, DOCTOR_FAIL, renew, "%s is not for %s", path,
		    host);
	if (c->own)
		doctor_tell(d, DOCTOR_WARN, "certbot certonly --webroot -w "
		    "/var/www/html -d NAME, then docket setup again",
		    "%s is signed by itself: clients do not trust it", path);
	doctor_tell(d, DOCTOR_OK, NULL, "%s is good for %" PRId64 " days",
	    path, days);
}

/* nginx starts with a key of another kind, and then nobody gets through. */
static void
certificate_key_look(struct doctor *d, const char *path)
{
	const char *key = arena_printf(d->mem, "%s/tls/key.pem", d->folder);
	const int error = certificate_fits(path, key);

	if (error == -EACCES)
		doctor_tell(d, DOCTOR_WARN, "run this as root", "%s: %s", key,
		    strerror(EACCES));
	else if (error)
		doctor_tell(d, DOCTOR_FAIL, "docket setup --domain ... "
		    "--certificate FILE --key FILE", "%s: %s", key,
		    error == -EKEYREJECTED ? "is not the certificate's key" :
		    error == -EINVAL ? "no private key without a pass phrase" :
		    strerror(-error));
}

static void
certificate_look(struct doctor *d)
{
	const char *path = arena_printf(d->mem, "%s/tls/cert.pem", d->folder);
	const char *host = host_of(d);
	struct certificate c;
	const int error = certificate_read(path, host, &c);

	if (error == 0) {
		certificate_key_look(d, path);
		certificate_tell(d, path, host, &c);
	} else {
		doctor_tell(d, error == -EINVAL ? DOCTOR_FAIL : DOCTOR_WARN,
		    error == -EACCES ? "run this as root" : "docket setup "
		    "puts it there; if another host ends TLS, look there",
		    "%s: %s", path,
		    error == -EINVAL ? "no certificate in it" :
		    strerror(-error));
	}
}

static const struct doctor_check checks[] = {
	{ "service", service_look },
	{ "listing", listing_tell },
	{ "nginx", nginx_look },
	{ "proxy", proxy_look },
	{ "certificate", certificate_look },
};

const struct doctor_part doctor_front = {
	checks, sizeof(checks) / sizeof(checks[0])
};
