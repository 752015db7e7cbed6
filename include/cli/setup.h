/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket setup: a row a step, each of which knows whether it is done. */
#ifndef DOCKET_CLI_SETUP_H
#define DOCKET_CLI_SETUP_H

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/tool.h"

struct setup {
	struct cli *cli;
	struct arena *mem;
	const char *domain, *root, *share, *postgres;
	const char *user;	/* the service's account */
	const char *admin, *password_file, *require;
	const char *certificate, *key;
	long port;
	bool dry, own_certificate;
	bool enables;			/* nginx had no site of ours */

	struct settings settings;	/* those that will be in force */
	bool loaded;
	struct file_mode mode;		/* of the service's own files */
	const char *password;		/* of the admin that was made */
	const char *say, *next;		/* of the step at hand */
};

enum setup_state { SETUP_DONE, SETUP_TODO, SETUP_SKIP, SETUP_FAULT };

/*
 * look: where it stands, and in s->say what is there or what is to be done.
 * It changes nothing. act: 0, or an exit status with s->say what went wrong
 * and s->next what to do about it.
 */
struct setup_step {
	const char *name;
	enum setup_state (*look)(struct setup *s);
	int (*act)(struct setup *s);
};

struct setup_part {
	const struct setup_step *v;
	size_t n;
};

extern const struct setup_part setup_host, setup_keys, setup_database,
    setup_certificate, setup_nginx, setup_service;

/* What nginx reads, whatever they lead to; and what setup signs itself. */
#define SETUP_CERT "/etc/docket/tls/cert.pem"
#define SETUP_KEY "/etc/docket/tls/key.pem"
#define SETUP_OWN "/etc/docket/tls/self-signed.pem"

/* ---- what the parts share ---- */

/* A path as it is on this host: below --root. */
const char *setup_path(const struct setup *s, const char *path);
/* Set s->say. */
enum setup_state setup_say(struct setup *s, enum setup_state state,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Set s->say and s->next. */
int setup_fail(struct setup *s, int status, const char *next,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* What a program said, as s->say. */
int setup_tool_fail(struct setup *s, const char *what,
    const struct tool_end *end, const char *next);
/* Of a file operation: 0, or a negative errno as a failure. */
int setup_file_fail(struct setup *s, const char *path, int error);

/* A symbolic link, or another in its place: at no moment is there none. */
int setup_link(struct setup *s, const char *to, const char *path);

/* The settings of the file, or those that it will have; once. */
bool setup_settings(struct setup *s);
/* docket.conf. */
const char *setup_conf(const struct setup *s);
/* What nginx includes of the routes: beside docket.conf. */
const char *setup_routes(const struct setup *s);
/* "docket -c FILE" and up to four words more; its exit status. */
int setup_docket(struct setup *s, const char *const words[5],
    struct text input, struct tool_end *ret);
/* docketd --nginx. */
int setup_listing(struct setup *s, struct tool_end *ret);
/* systemd runs this host, and it is this host that is set up. */
bool setup_systemd(const struct setup *s);
/* GET /readyz over TLS on this host: its status, or 0. */
int setup_ready(struct setup *s);

#endif
