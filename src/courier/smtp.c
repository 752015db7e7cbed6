/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The way to a mail server: checked settings, one mail, what its reply means. */
#include <errno.h>
#include <stdlib.h>

#include "core/keyfile.h"
#include "courier/guard.h"
#include "courier/mime.h"
#include "courier/net.h"
#include "courier/said.h"
#include "courier/way.h"

struct way {
	const struct settings *settings;
	struct net *net;
	struct mime_sender from;
	char password[NET_PASSWORD_MAX];	/* n_password bytes of it */
	size_t n_password;
	bool starttls;
};

static bool
refuse(FILE *errors, const char *setting, const char *why)
{
	fprintf(errors, "%s %s\n", setting, why);
	return false;
}

/* smtp://host, smtps://host, with a port and a name or without. */
static bool
is_url(const char *s)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	const size_t n = strncmp(s, "smtps://", 8) == 0 ? 8 :
	    strncmp(s, "smtp://", 7) == 0 ? 7 : 0;

	if (n == 0 || !(s = guard_host(s + n)))
		return false;
	if (s[0] == '/')
		s += 1 + strspn(s + 1, name);
	return s[0] == '\0';
}

/* The first line, as it is: a password may have blanks. */
static bool
password_load(struct way *way, FILE *errors)
{
	const struct settings *s = way->settings;
	struct keyfile src = {
		.name = s->courier_smtp_password_file,
		.setting = "courier.smtp_password_file", .err = errors,
	};
	struct text line = TEXT_NONE;
	size_t pos = 0;
	bool good = keyfile_open(&src);

	if (good && (!keyfile_line(&src, &pos, &line) || line.n == 0 ||
	    line.n > NET_PASSWORD_MAX || memchr(line.s, '\0', line.n))) {
		keyfile_complain(&src, "its first line is no password of 1 to "
		    "1024 bytes");
		good = false;
	}
	if (good) {
		memcpy(way->password, line.s, line.n);
		way->n_password = line.n;
	}
	keyfile_done(&src);
	return good;
}

static bool
login_check(struct way *way, FILE *errors, bool clear)
{
	const struct settings *s = way->settings;
	bool user = s->courier_smtp_user[0], good = true;

	if (user != (s->courier_smtp_password_file[0] != '\0'))
		return refuse(errors, user ? "courier.smtp_password_file" :
		    "courier.smtp_user", "is missing beside the other");
	if (user && clear && !settings_dev(s))
		good = refuse(errors, "courier.smtp_tls", "= none would send "
		    "the password in clear: only for profile = dev");
	return (!user || password_load(way, errors)) && good;
}

/* All that is wrong is told, not the first of it. */
static bool
settings_good(struct way *way, FILE *errors)
{
	const struct settings *s = way->settings;
	bool good = mime_sender(s, errors, &way->from);
	bool smtps = strncmp(s->courier_smtp_url, "smtps:", 6) == 0;

	way->starttls = !smtps && strcmp(s->courier_smtp_tls, "none") != 0;
	if (!is_url(s->courier_smtp_url))
		good = refuse(errors, "courier.smtp_url", "must be "
		    "smtp://host:port or smtps://host:port");
	if (!smtps && !way->starttls && !s->courier_allow_addresses[0])
		good = refuse(errors, "courier.smtp_tls", "= none is for an "
		    "address in courier.allow_addresses, which is empty");
	if (!login_check(way, errors, !smtps && !way->starttls))
		good = false;
	way->net = net_new(s, errors);
	return way->net && good;
}

static void
way_close(struct way *way)
{
	if (!way)
		return;
	net_free(way->net);
	explicit_bzero(way, sizeof(*way));
	free(way);
}

static int
way_open(const struct settings *settings, FILE *errors, struct way **ret)
{
	struct way *way = calloc(1, sizeof(*way));

	if (!way)
		return -ENOMEM;
	way->settings = settings;
	if (!settings_good(way, errors)) {
		way_close(way);
		return -EINVAL;
	}
	*ret = way;
	return 0;
}

/* A refused login, or one that is missing, is told at any command. */
static bool
is_login(long status)
{
	return status == 530 || status == 534 || status == 535 ||
	    status == 538;
}

/*
 * RFC 5321 §4.2. A 5xx to the recipient is about the recipient; any other is
 * about us, for all mails look the same but for that. 421 is about the server.
 */
static void
judge(struct arena *mem, const struct letter *letter,
    const struct net_answer *answer, struct outcome *ret)
{
	const long status = answer->status;
	struct text said = said_line(mem, answer->body, letter);

	if (status / 100 == 2)
		ret->kind = OUTCOME_SENT;
	else if (status / 100 == 5 && answer->refused_to && !is_login(status))
		outcome_set(ret, OUTCOME_NEVER, false, "%.*s", TEXT_FMT(said));
	else
		outcome_set(ret, OUTCOME_LATER, status / 100 != 4 ||
		    status == 421, "%.*s", TEXT_FMT(said));
}

/* "250 2.0.0 Ok: queued as 4F1A2B": the last word. */
static void
ref_set(struct arena *mem, const struct letter *letter, struct text body,
    struct outcome *ret)
{
	struct text line = said_line(mem, body, letter);
	size_t n = 0;

	while (n < line.n && n < OUTCOME_REF - 1 &&
	    line.s[line.n - n - 1] > ' ' && line.s[line.n - n - 1] <= '~' &&
	    !strchr("\"\\", line.s[line.n - n - 1]))
		n++;
	outcome_ref(ret, (struct text){ line.s + line.n - n, n });
}

static void
way_send(struct way *way, struct arena *mem, const struct letter *letter,
    struct outcome *ret)
{
	struct net_request request = {
		.url = way->settings->courier_smtp_url,
		.user = text_of(way->settings->courier_smtp_user),
		.password = { way->password, way->n_password },
		.mail_from = way->from.address,
		.mail_to = arena_copy(mem, letter->to.s, letter->to.n),
		.starttls = way->starttls,
		.until_ms = letter->until_ms,
	};
	struct net_answer answer;

	if (!mime_mail(mem, &way->from, letter, &request.body)) {
		outcome_set(ret, OUTCOME_NEVER, false,
		    "the address cannot stand in a mail");
		return;
	}
	if (net_exchange(way->net, mem, &request, &answer) < 0) {
		outcome_set(ret, OUTCOME_LATER, false, "no memory");
		return;
	}
	if (!answer.reached) {
		outcome_set(ret, answer.never ? OUTCOME_NEVER : OUTCOME_LATER,
		    !answer.never, "%s", answer.why);
		return;
	}
	judge(mem, letter, &answer, ret);
	if (ret->kind == OUTCOME_SENT)
		ref_set(mem, letter, answer.body, ret);
}

const struct way_kind way_smtp = {
	"smtp", way_open, way_send, way_close
};
