/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Works out from the settings how the gateway is spoken to, or what they
 * lack. */
#include "courier/gateway.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "courier/guard.h"
#include "web/json.h"
#include "web/json_point.h"

#define HEADER_MAX 1024

struct preset {
	const char *name;
	bool template;
	const char *sender;
	const char *base, *path;
	bool basic;
	const char *body, *success, *reference, *code;
};

static const struct preset presets[] = {
#define GATEWAY(name, template, sender, base, path, basic, body, success, \
	reference, code) { #name, template, sender, base, path, basic, body, \
	success, reference, code },
#include "tbl/gateways.h"
#undef GATEWAY
};

/* Of courier.gateway_type. */
static const struct body_kind {
	const char *name;
	enum fill_place place;
	const char *type;
} kinds[] = {
	{ "json", FILL_JSON, "Content-Type: application/json" },
	{ "form", FILL_FORM,
	  "Content-Type: application/x-www-form-urlencoded" },
	{ "xml", FILL_XML, "Content-Type: text/xml; charset=utf-8" },
};

#define FORM (&kinds[1])

static const char *const names[GATEWAY_NAMES] = {
	[GATEWAY_TO] = "to", [GATEWAY_NUMBER] = "number",
	[GATEWAY_TEXT] = "text", [GATEWAY_CODE_] = "code",
	[GATEWAY_ID] = "id", [GATEWAY_PURPOSE] = "purpose",
	[GATEWAY_TYPE] = "type", [GATEWAY_ACCOUNT] = "account",
	[GATEWAY_SECRET] = "secret", [GATEWAY_SENDER] = "sender",
	[GATEWAY_TEMPLATE] = "template",
};

void
gateway_values(const struct settings *settings, struct text secret,
    struct fill_value ret[GATEWAY_NAMES])
{
	for (size_t i = 0; i < GATEWAY_NAMES; i++)
		ret[i] = (struct fill_value){ names[i], TEXT("") };
	ret[GATEWAY_ACCOUNT].text = text_of(settings->courier_gateway_account);
	ret[GATEWAY_SENDER].text = text_of(settings->courier_gateway_sender);
	ret[GATEWAY_TEMPLATE].text =
	    text_of(settings->courier_gateway_template);
	ret[GATEWAY_SECRET].text = secret;
}

void
gateway_letter(const struct letter *letter,
    struct fill_value ret[GATEWAY_NAMES])
{
	struct text number = letter->to;

	if (number.n > 0 && number.s[0] == '+') {
		number.s++;
		number.n--;
	}
	ret[GATEWAY_TO].text = letter->to;
	ret[GATEWAY_NUMBER].text = number;
	ret[GATEWAY_TEXT].text = letter->text;
	ret[GATEWAY_CODE_].text = letter->code;
	ret[GATEWAY_ID].text = letter->id;
	ret[GATEWAY_PURPOSE].text = letter->purpose;
	ret[GATEWAY_TYPE].text = letter->size.unicode ? TEXT("unicode") :
	    TEXT("text");
}

bool
gateway_header(const char *headers, size_t n, struct text *ret)
{
	for (; n > 0; n--) {
		headers += strcspn(headers, "|");
		if (!*headers)
			return false;
		headers++;
	}
	headers += strspn(headers, " ");
	*ret = (struct text){ headers, strcspn(headers, "|") };
	while (ret->n > 0 && ret->s[ret->n - 1] == ' ')
		ret->n--;
	return ret->n > 0 || *headers == '|';
}

const char *
gateway_url_fault(const char *url)
{
	const char *end;

	if (!guard_scheme(url, "https://") && !guard_scheme(url, "http://"))
		return "must begin with https:// (or http://)";
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return "has a character that belongs in no URL";
	end = guard_host(strstr(url, "://") + 3);
	if (!end || (*end && !strchr("/?#", *end)))
		return "must have a host, with or without a port, no user name "
		    "and no {{names}}";
	return NULL;
}

/* Writes "setting: what". Always false. */
static bool
fault(FILE *errors, const char *setting, const char *what)
{
	fprintf(errors, "courier.%s: %s\n", setting, what);
	return false;
}

/* RFC 9110 §5.1: a token, a colon. The content type is ours to say. */
static bool
header_valid(struct text header)
{
	const char *colon = memchr(header.s, ':', header.n);
	const size_t n = colon ? (size_t)(colon - header.s) : 0;

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)header.s[i]) &&
		    !strchr("!#$%&'*+-.^_`~", header.s[i]))
			return false;
	return n > 0 && header.n <= HEADER_MAX &&
	    strncasecmp(header.s, "content-", 8) != 0 &&
	    strncasecmp(header.s, "host:", 5) != 0;
}

static bool
headers_check(const struct gateway *g, FILE *errors)
{
	struct text header;
	size_t n = 0;

	if (!g->headers[0])
		return true;
	while (gateway_header(g->headers, n, &header)) {
		if (!header_valid(header))
			return fault(errors, "gateway_headers", "must be "
			    "\"Name: value\" between |; Content-Type and Host "
			    "are not among them");
		n++;
	}
	return n < GATEWAY_HEADERS || fault(errors, "gateway_headers",
	    "has too many of them");
}

/* Filled with harmless values it must be JSON: a quote forgotten shows. */
static bool
body_is_json(const struct gateway *g, const struct fill_values *values)
{
	struct arena *mem = arena_new(4096);
	struct faults faults = { .n = 0 };
	struct buf out = { 0 };
	bool good;

	if (!mem)
		return false;
	good = fill(&out, g->body, FILL_JSON, values) && !out.failed &&
	    json_scan(buf_view(&out), mem, &faults);
	buf_done(&out);
	arena_free(mem);
	return good;
}

static bool
http_check(const struct gateway *g, FILE *errors)
{
	struct fill_value v[GATEWAY_NAMES];
	const struct fill_values values = { v, GATEWAY_NAMES };
	const char *url = gateway_url_fault(g->path);
	bool good = true, body;

	for (size_t i = 0; i < GATEWAY_NAMES; i++)
		v[i] = (struct fill_value){ names[i], TEXT("1") };
	if (url)
		good = fault(errors, "gateway_url", url);
	good &= fill_check(g->path, "courier.gateway_url", &values, errors);
	good &= fill_check(g->headers, "courier.gateway_headers", &values,
	    errors);
	body = fill_check(g->body, "courier.gateway_body", &values, errors);
	if (body && g->method[0] == 'P' && g->place == FILL_JSON &&
	    !body_is_json(g, &values))
		body = fault(errors, "gateway_body", "is not JSON");
	if (!verdict_success_valid(g->rules.success))
		good = fault(errors, "gateway_success", "must be such as "
		    "200,201 /pointer=value");
	if (g->rules.reference[0] && !json_point_valid(g->rules.reference))
		good = fault(errors, "gateway_reference", "is no JSON pointer");
	return headers_check(g, errors) && good && body;
}

static bool
uses(const struct gateway *g, enum gateway_name name)
{
	char braced[32];

	snprintf(braced, sizeof(braced), "{{%s}}", names[name]);
	return strstr(g->path, braced) || strstr(g->headers, braced) ||
	    (g->method[0] == 'P' && strstr(g->body, braced)) ||
	    (g->basic && (name == GATEWAY_ACCOUNT || name == GATEWAY_SECRET));
}

/* What the templates name must have been given. */
static bool
given(const struct settings *s, const struct gateway *g, FILE *errors)
{
	const struct {
		enum gateway_name name;
		const char *value, *setting;
	} rows[] = {
		{ GATEWAY_ACCOUNT, s->courier_gateway_account,
		  "gateway_account" },
		{ GATEWAY_SENDER, s->courier_gateway_sender,
		  "gateway_sender" },
		{ GATEWAY_TEMPLATE, s->courier_gateway_template,
		  "gateway_template" },
		{ GATEWAY_SECRET, s->courier_gateway_secret_file,
		  "gateway_secret_file" },
	};
	bool good = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!rows[i].value[0] && uses(g, rows[i].name))
			good = fault(errors, rows[i].setting,
			    "must be given for this gateway");
	return good;
}

static struct gateway
of_settings(const struct settings *s)
{
	const struct body_kind *kind = kinds;

	while (strcmp(kind->name, s->courier_gateway_type) != 0)
		kind++;
	return (struct gateway){
		.rules = { "http", s->courier_gateway_success,
		    s->courier_gateway_reference, "" },
		.method = s->courier_gateway_method, .base = "",
		.path = s->courier_gateway_url,
		.body = s->courier_gateway_body, .place = kind->place,
		.type = kind->type, .headers = s->courier_gateway_headers,
		.basic = s->courier_gateway_login,
	};
}

/* The last row of a name is for whatever the others are not. */
static const struct preset *
preset_of(const struct settings *s)
{
	const char *sender = s->courier_gateway_sender;

	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		const struct preset *p = &presets[i];

		if (strcmp(p->name, s->courier_gateway) == 0 &&
		    (!p->template || s->courier_gateway_template[0]) &&
		    (!p->sender || strncmp(sender, p->sender,
		    strlen(p->sender)) == 0))
			return p;
	}
	return NULL;
}

static struct gateway
of_preset(const struct settings *s, const struct preset *p)
{
	const char *own = s->courier_gateway_url;
	struct gateway g = {
		.rules = { p->name, p->success, p->reference, p->code },
		.method = "POST", .base = own[0] ? own : p->base,
		.path = p->path, .body = p->body, .place = FORM->place,
		.type = FORM->type, .headers = "", .basic = p->basic,
	};

	g.n_base = strlen(g.base);
	g.n_base -= g.base[g.n_base - 1] == '/';
	return g;
}

bool
gateway_plan(const struct settings *settings, FILE *errors,
    struct gateway *ret, bool *ret_secret)
{
	const struct preset *preset = preset_of(settings);
	struct gateway g = preset ? of_preset(settings, preset) :
	    of_settings(settings);
	const char *url = preset ? gateway_url_fault(g.base) : NULL;
	bool good = true;

	if (url)
		good = fault(errors, "gateway_url", url);
	if (!preset)
		good = http_check(&g, errors);
	good &= given(settings, &g, errors);
	*ret = g;
	*ret_secret = uses(&g, GATEWAY_SECRET) &&
	    settings->courier_gateway_secret_file[0];
	return good;
}
