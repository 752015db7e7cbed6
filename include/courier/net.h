/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libcurl door: one exchange with a gateway or a mail server. */
#ifndef DOCKET_COURIER_NET_H
#define DOCKET_COURIER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/settings.h"
#include "base/text.h"

#define NET_ANSWER_MAX 16384	/* bytes of a reply that are read; more is a
				 * fault of the other side */
#define NET_HEADERS_MAX 65536	/* likewise, of the headers in all */
#define NET_RETRY_MAX 86400
#define NET_WHY 160
#define NET_PASSWORD_MAX 1024

/* A libcurl handle with its kept connections. Takes from the settings what
 * holds for all: courier.ca_file, courier.allow_addresses,
 * courier.send_seconds. NULL: no memory, or reported to `errors`. */
struct net *net_new(const struct settings *settings, FILE *errors);
void net_free(struct net *net);		/* NULL-safe */

/*
 * Certificate and host name are always verified, TLS 1.2 at least, redirects
 * never followed, proxies of the environment ignored, HTTP(S) and SMTP(S) alone
 * spoken. An address that is not of the public internet (core/address.h) is
 * connected to when it is in courier.allow_addresses; one that is not in there
 * never without TLS. Both are decided on the address itself, after DNS, for
 * every connection.
 *
 * Passwords, headers and the URL are copied by libcurl, which does not cleanse
 * what it frees: they stay in this process's memory, and only there.
 */
struct net_request {
	const char *url;	/* http, https, smtp, smtps */
	struct text user;	/* empty: no authentication; HTTP: Basic */
	struct text password;	/* NET_PASSWORD_MAX bytes at most */
	int64_t until_ms;	/* clock_mono_ms: no longer than that; 0:
				 * courier.send_seconds alone */
	/* HTTP */
	const char *method;	/* GET, POST */
	const char *const *headers;	/* "Name: value"; no CR or LF */
	size_t n_headers;
	/* Both: the body, or the mail with CRLF lines. */
	struct text body;
	/* SMTP */
	const char *mail_from;	/* envelope, without <> */
	const char *mail_to;
	bool starttls;		/* smtp: without TLS nothing is sent */
};

struct net_answer {
	bool reached;		/* a reply came: status holds */
	bool never;		/* the request itself can never go (a bad URL,
				 * a line break in a header or an address) */
	bool refused_to;	/* SMTP: the reply is to RCPT, the recipient */
	long status;		/* of HTTP or SMTP; 0: none */
	long retry_after;	/* seconds, from HTTP's Retry-After; 0: none,
				 * NET_RETRY_MAX at most */
	struct text type;	/* of an HTTP body: its media type */
	struct text body;	/* in the arena, NET_ANSWER_MAX at most; SMTP:
				 * the last line of the reply that counts */
	char why[NET_WHY];	/* when !reached: no secret; outcome_set makes
				 * it printable */
};

/* 0 with *ret, or -ENOMEM. Ends within courier.send_seconds, name resolution
 * included; a reply that trickles is cut there. */
int net_exchange(struct net *net, struct arena *mem,
    const struct net_request *request, struct net_answer *ret);

#endif
