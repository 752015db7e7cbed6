/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One setting: its row, its typed value, and what contradicts. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings_row.h"

const struct setting setting_rows[SETTINGS_N] = {
#define SETTING(section_, key_, type_, dflt_, min_, max_, doc_) \
	[SETTING_ROW_##section_##_##key_] = { \
		.section = #section_, .key = #key_, .type = SETTING_##type_, \
		.dflt = (dflt_), .min = (min_), .max = (max_), \
		.doc = (doc_), \
		.offset = offsetof(struct settings, section_##_##key_) },
#include "tbl/settings.h"
#undef SETTING
};

/* What a value becomes before it is stored. */
union value {
	long number;
	bool yes;
};

static bool
is_top(const struct setting *row)
{
	return strcmp(row->section, "top") == 0;
}

/* As it is written on the command line. */
void
setting_name(const struct setting *row, char *out, size_t size)
{
	if (is_top(row))
		snprintf(out, size, "%s", row->key);
	else
		snprintf(out, size, "%s.%s", row->section, row->key);
}

/* "top" is our word for the top of the file; no file can say it. */
const struct setting *
setting_find(const char *section, size_t n, const char *key)
{
	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct setting *row = &setting_rows[i];
		const char *want = is_top(row) ? "" : row->section;

		if (strlen(want) == n && memcmp(want, section, n) == 0 &&
		    strcmp(row->key, key) == 0)
			return row;
	}
	return NULL;
}

/* -?[0-9]+ with nothing around it; *ret_end is what follows. */
static bool
number_parse(const char *s, long *ret, const char **ret_end)
{
	bool minus = *s == '-';
	long v = 0;

	s += minus;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *s - '0', &v))
			return false;
	*ret = minus ? -v : v;
	*ret_end = s;
	return true;
}

/* `auto` is 0, which no COUNT row allows as a number. */
static bool
int_parse(const struct setting *row, const char *s, union value *ret)
{
	const char *end;

	if (row->type == SETTING_COUNT && strcmp(s, "auto") == 0) {
		ret->number = 0;
		return true;
	}
	return number_parse(s, &ret->number, &end) && *end == '\0' &&
	    ret->number >= row->min && ret->number <= row->max;
}

/* "90", "90s", "15m", "12h", "14d" */
static bool
seconds_parse(const struct setting *row, const char *s, union value *ret)
{
	static const struct { char unit; long seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	};
	const char *end;
	long n;

	if (!number_parse(s, &n, &end))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*end != units[i].unit)
			continue;
		if (__builtin_mul_overflow(n, units[i].seconds, &n))
			return false;
		end++;
		break;
	}
	ret->number = n;
	return *end == '\0' && n >= row->min && n <= row->max;
}

/* In lower case only: one spelling more is one to document. */
static bool
bool_parse(const char *s, union value *ret)
{
	static const char *const words[][2] = {
		{ "off", "on" }, { "false", "true" }, { "no", "yes" },
		{ "0", "1" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int yes = 0; yes < 2; yes++) {
			if (strcmp(s, words[i][yes]) != 0)
				continue;
			ret->yes = yes;
			return true;
		}
	}
	return false;
}

/* One of the words in the doc's leading [a|b|c]. */
static bool
choice_parse(const struct setting *row, const char *s)
{
	const char *p = row->doc + 1;
	size_t n = strlen(s);

	while (n > 0 && *p) {
		size_t word = strcspn(p, "|]");

		if (word == n && memcmp(p, s, n) == 0)
			return true;
		if (p[word] != '|')
			break;
		p += word + 1;
	}
	return false;
}

/* Control characters would forge lines in logs and reports. */
static bool
text_parse(const struct setting *row, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	if (n < (size_t)row->min || n > (size_t)row->max)
		return false;
	return row->type == SETTING_TEXT || n == 0 || s[0] == '/';
}

/* Texts need no parsing: the store's copy is the value. */
static bool
value_parse(const struct setting *row, const char *text, union value *ret)
{
	switch (row->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
		return text_parse(row, text);
	case SETTING_INT:
	case SETTING_COUNT:
		return int_parse(row, text, ret);
	case SETTING_BOOL:
		return bool_parse(text, ret);
	case SETTING_SECONDS:
		return seconds_parse(row, text, ret);
	case SETTING_CHOICE:
		return choice_parse(row, text);
	}
	return false;
}

/* "must be ..."; the refused value is named unless it may hold a secret. */
static void
value_why(const struct setting *row, const char *text, char why[SETTING_WHY])
{
	switch (row->type) {
	case SETTING_TEXT:
		snprintf(why, SETTING_WHY, "must have %ld to %ld bytes and "
		    "no control characters", row->min, row->max);
		return;
	case SETTING_PATH:
		snprintf(why, SETTING_WHY, "must be an absolute path of at "
		    "most %ld bytes%s, not \"%.60s\"", row->max,
		    row->min ? "" : " or empty", text);
		return;
	case SETTING_INT:
		snprintf(why, SETTING_WHY, "must be a whole number from %ld "
		    "to %ld, not \"%.40s\"", row->min, row->max, text);
		return;
	case SETTING_COUNT:
		snprintf(why, SETTING_WHY, "must be auto or a whole number "
		    "from %ld to %ld, not \"%.40s\"", row->min, row->max, text);
		return;
	case SETTING_BOOL:
		snprintf(why, SETTING_WHY, "must be on or off, not \"%.40s\"",
		    text);
		return;
	case SETTING_SECONDS:
		snprintf(why, SETTING_WHY, "must be %ld to %ld seconds, such "
		    "as 90, 90s, 15m, 12h or 14d, not \"%.40s\"", row->min,
		    row->max, text);
		return;
	case SETTING_CHOICE:
		snprintf(why, SETTING_WHY, "must be one of %.*s, not \"%.40s\"",
		    (int)strcspn(row->doc, "]") - 1, row->doc + 1, text);
		return;
	}
}

/* Nothing changes unless all of it succeeds. */
int
setting_assign(struct settings *s, const struct setting *row,
    const char *text, const char *origin, char why[SETTING_WHY])
{
	struct settings_store *store = s->store;
	size_t i = (size_t)(row - setting_rows);
	void *member = (char *)s + row->offset;
	union value value = { 0 };
	char *own, *from;

	if (!value_parse(row, text, &value)) {
		value_why(row, text, why);
		return -EINVAL;
	}
	own = strdup(text);
	from = strdup(origin);
	if (!own || !from) {
		free(own);
		free(from);
		return -ENOMEM;
	}
	free(store->text[i]);
	free(store->origin[i]);
	store->text[i] = own;
	store->origin[i] = from;
	switch (row->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_CHOICE:
		memcpy(member, &own, sizeof(own));
		break;
	case SETTING_BOOL:
		memcpy(member, &value.yes, sizeof(value.yes));
		break;
	case SETTING_INT:
	case SETTING_COUNT:
	case SETTING_SECONDS:
		memcpy(member, &value.number, sizeof(value.number));
		break;
	}
	return 0;
}

int
settings_defaults(struct settings *s)
{
	char why[SETTING_WHY];
	int rc = 0;

	memset(s, 0, sizeof(*s));
	s->store = calloc(1, sizeof(struct settings_store));
	if (!s->store)
		return -ENOMEM;
	for (size_t i = 0; i < SETTINGS_N && rc == 0; i++)
		rc = setting_assign(s, &setting_rows[i], setting_rows[i].dflt,
		    "default", why);
	return rc;
}

/* Safe on a zeroed struct, and twice. */
void
settings_done(struct settings *s)
{
	struct settings_store *store = s->store;

	for (size_t i = 0; store && i < SETTINGS_N; i++) {
		free(store->text[i]);
		free(store->origin[i]);
	}
	free(store);
	memset(s, 0, sizeof(*s));
}

/* Where the value came from, for the faults that only show together. */
static bool
refuse(const struct settings *s, FILE *err, size_t i, const char *what)
{
	const struct settings_store *store = s->store;
	char name[64];

	setting_name(&setting_rows[i], name, sizeof(name));
	if (store && strcmp(store->origin[i], "default") != 0)
		fprintf(err, "%s: ", store->origin[i]);
	fprintf(err, "%s %s\n", name, what);
	return false;
}

#define ROW(member) SETTING_ROW_##member

/* What makes a service unsafe and is therefore kept to profile = dev. */
static bool
check_production(const struct settings *s, FILE *err)
{
	static const char only_dev[] = "is only for profile = dev";
	static const char zero[] = "= 0 is only for profile = dev";
	bool ok = true;

	if (s->limits_requests_user == 0)
		ok = refuse(s, err, ROW(limits_requests_user), zero);
	if (s->limits_requests_anonymous == 0)
		ok = refuse(s, err, ROW(limits_requests_anonymous), zero);
	if (s->limits_refreshes_session == 0)
		ok = refuse(s, err, ROW(limits_refreshes_session), zero);
	if (s->limits_login_client == 0)
		ok = refuse(s, err, ROW(limits_login_client), zero);
	if (s->otp_echo)
		ok = refuse(s, err, ROW(otp_echo), only_dev);
	if (s->top_sample_routes)
		ok = refuse(s, err, ROW(top_sample_routes), only_dev);
	if (s->limits_otp_sends_client == 0)
		ok = refuse(s, err, ROW(limits_otp_sends_client), zero);
	if (s->limits_requests_client == 0)
		ok = refuse(s, err, ROW(limits_requests_client), zero);
	if (s->limits_auth_client == 0)
		ok = refuse(s, err, ROW(limits_auth_client), zero);
	return ok;
}

/* A scheme and a host: what links and messages are put together with. */
static bool
is_url(const char *s, bool dev)
{
	if (strncmp(s, "https://", 8) == 0)
		s += 8;
	else if (dev && strncmp(s, "http://", 7) == 0)
		s += 7;
	else
		return false;
	/* host[:port] alone: paths are put behind it. */
	return *s && s[strcspn(s, "/ \"'<>?#@\\")] == '\0';
}

/* The one that somebody set is told, with its place: at least one was. */
static bool
refuse_socket(const struct settings *s, FILE *err)
{
	const struct settings_store *store = s->store;

	if (strcmp(store->origin[ROW(server_auth_socket)], "default") == 0)
		return refuse(s, err, ROW(server_socket),
		    "must differ from server.auth_socket");
	return refuse(s, err, ROW(server_auth_socket),
	    "must differ from server.socket");
}

/* Between settings: each one alone has passed its row by now. */
int
settings_check(const struct settings *s, FILE *err)
{
	bool dev = settings_dev(s), ok = dev || check_production(s, err);
	struct setting_fault v[SETTINGS_OTP_FAULTS + SETTINGS_GATE_FAULTS];
	size_t n = settings_otp_faults(s, v);

	n += settings_gate_faults(s, v + n);
	for (size_t i = 0; i < n; i++)
		ok = refuse(s, err, v[i].row, v[i].what);
	if (!settings_are_networks(s->server_metrics_allow))
		ok = refuse(s, err, ROW(server_metrics_allow),
		    "must be networks such as 192.0.2.0/24,2001:db8::1");
	if (s->server_public_url[0] && !is_url(s->server_public_url, dev))
		ok = refuse(s, err, ROW(server_public_url),
		    "must be https://host or https://host:port");
	if (s->server_socket[0] &&
	    strcmp(s->server_socket, s->server_auth_socket) == 0)
		ok = refuse_socket(s, err);
	return ok ? 0 : -EINVAL;
}
