/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How an SMS gateway is spoken to, out of a preset or of the settings. */
#ifndef DOCKET_COURIER_GATEWAY_H
#define DOCKET_COURIER_GATEWAY_H

#include "courier/fill.h"
#include "courier/verdict.h"

#define GATEWAY_HEADERS 16	/* with the content type */

/* All texts are the settings' or constants. */
struct gateway {
	struct verdict_rules rules;
	const char *method;
	const char *base;	/* in front of `path`, as it is */
	size_t n_base;
	const char *path;	/* template: the rest of the URL */
	const char *body;	/* template; of GET unused */
	enum fill_place place;	/* of its values */
	const char *type;	/* "Content-Type: ..." */
	const char *headers;	/* templates between | */
	bool basic;
};

/* What templates may name. */
enum gateway_name {
	GATEWAY_TO,
	GATEWAY_NUMBER,		/* without the plus */
	GATEWAY_TEXT,
	GATEWAY_CODE_,
	GATEWAY_ID,
	GATEWAY_PURPOSE,
	GATEWAY_TYPE,		/* text or unicode */
	GATEWAY_ACCOUNT,
	GATEWAY_SECRET,
	GATEWAY_SENDER,
	GATEWAY_TEMPLATE,
	GATEWAY_NAMES
};

/* GATEWAY_NAMES of them, the letter's ones empty. */
void gateway_values(const struct settings *settings, struct text secret,
    struct fill_value ret[GATEWAY_NAMES]);
void gateway_letter(const struct letter *letter,
    struct fill_value ret[GATEWAY_NAMES]);

/* True with *ret, or false: every fault is a line "courier.x: what" to
 * `errors`. Also true needs what the templates name: account, sender and, with
 * *ret_secret, a secret. */
bool gateway_plan(const struct settings *settings, FILE *errors,
    struct gateway *ret, bool *ret_secret);

/* The n-th of the headers between |, without blanks around it. */
bool gateway_header(const char *headers, size_t n, struct text *ret);

/* http(s)://host, nothing to fill in and no user name in front of the path; or
 * why not. */
const char *gateway_url_fault(const char *url);

#endif
