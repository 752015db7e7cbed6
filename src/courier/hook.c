/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The way hook: a signed POST to a receiver of the sysadmin's own. */
#include "courier/hook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "courier/gateway.h"
#include "courier/webhook.h"
#include "courier/words.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"
#define SECRETS 2

struct way {
	const struct settings *settings;
	struct secret secrets[SECRETS];
	size_t n_secrets;
	struct net *net;
};

static void
member(struct buf *out, char before, const char *name, struct text value)
{
	buf_name(out, before, name);
	buf_json(out, value);
}

static void
put_user(struct buf *out, const struct letter *letter, bool sms)
{
	const struct text none = TEXT("");

	buf_name(out, '{', "user");
	member(out, '{', "id", TEXT(NOBODY));
	member(out, ',', "aud", TEXT("authenticated"));
	member(out, ',', "role", TEXT("authenticated"));
	member(out, ',', "email", sms ? none : letter->to);
	member(out, ',', "phone", sms ? letter->to : none);
	buf_puts(out, ",\"app_metadata\":{},\"user_metadata\":{}}");
}

/* GoTrue's word for a purpose. */
static struct text
action(struct text purpose)
{
	static const struct {
		const char *purpose;
		struct text action;
	} rows[] = {
		{ "register", TEXT_INIT("signup") },
		{ "login", TEXT_INIT("magiclink") },
		{ "reset", TEXT_INIT("recovery") },
		{ "change", TEXT_INIT("email_change") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_is(purpose, rows[i].purpose))
			return rows[i].action;
	return purpose;
}

static void
put_email(struct buf *out, const struct settings *settings,
    const struct letter *letter)
{
	const struct text none = TEXT("");

	buf_name(out, ',', "email_data");
	member(out, '{', "token", letter->code);
	member(out, ',', "token_hash", none);
	member(out, ',', "redirect_to", none);
	member(out, ',', "email_action_type", action(letter->purpose));
	member(out, ',', "site_url", text_of(settings->server_public_url));
	member(out, ',', "token_new", none);
	member(out, ',', "token_hash_new", none);
	buf_putc(out, '}');
}

static void
put_instant(struct buf *out, const char *name, int64_t us)
{
	buf_name(out, ',', name);
	buf_putc(out, '"');
	buf_time(out, us);
	buf_putc(out, '"');
}

static void
put_message(struct buf *out, const struct settings *settings,
    const struct letter *letter)
{
	buf_name(out, ',', "message");
	member(out, '{', "id", letter->id);
	member(out, ',', "channel", letter->channel);
	member(out, ',', "to", letter->to);
	member(out, ',', "purpose", letter->purpose);
	member(out, ',', "code", letter->code);
	member(out, ',', "text", letter->text);
	put_instant(out, "created_at", letter->created_at);
	put_instant(out, "expires_at", letter->created_at +
	    settings->otp_ttl * TIME_SECOND);
	buf_putc(out, '}');
}

void
hook_body(struct buf *out, const struct settings *settings,
    const struct letter *letter)
{
	const bool sms = text_is(letter->channel, "sms");

	put_user(out, letter, sms);
	if (sms) {
		buf_name(out, ',', "sms");
		member(out, '{', "otp", letter->code);
		buf_putc(out, '}');
	} else {
		put_email(out, settings, letter);
	}
	put_message(out, settings, letter);
	buf_putc(out, '}');
}

/* The id is the message's on every try, so a receiver can tell a repetition;
 * the timestamp is this try's, so that it is not refused as old. */
static int
post(struct way *way, struct arena *mem, const struct letter *letter,
    struct text body, struct net_answer *ret)
{
	const int64_t now = clock_real_us() / TIME_SECOND;
	struct text signature = TEXT("");
	const struct text id = letter->id;
	int r = webhook_sign(mem, way->secrets, way->n_secrets, id, now, body,
	    &signature);
	const char *const headers[] = {
		"Content-Type: application/json",
		arena_printf(mem, "webhook-id: %.*s", TEXT_FMT(id)),
		arena_printf(mem, "webhook-timestamp: %" PRId64, now),
		arena_printf(mem, "webhook-signature: %.*s",
		    TEXT_FMT(signature)),
	};
	const struct net_request request = {
		.url = way->settings->courier_hook_url, .method = "POST",
		.headers = headers,
		.n_headers = sizeof(headers) / sizeof(headers[0]),
		.body = body, .until_ms = letter->until_ms,
	};

	return r ? r : net_exchange(way->net, mem, &request, ret);
}

static void
way_send(struct way *way, struct arena *mem, const struct letter *letter,
    struct outcome *ret)
{
	struct net_answer answer;
	struct buf body = { 0 };
	int r = -ENOMEM;

	hook_body(&body, way->settings, letter);
	if (!body.failed)
		r = post(way, mem, letter, buf_view(&body), &answer);
	if (r < 0)
		outcome_set(ret, OUTCOME_LATER, false, "%s",
		    r == -ENOMEM ? "out of memory" : "cannot be signed");
	else
		verdict_hook(&answer, ret);
	buf_wipe(&body);
}

static void
way_close(struct way *way)
{
	if (!way)
		return;
	net_free(way->net);
	for (size_t i = 0; i < SECRETS; i++)
		secret_done(&way->secrets[i]);
	free(way);
}

static bool
read_secrets(struct way *way, FILE *errors)
{
	static const char name[] = "courier.hook_secret_file";
	const char *file = way->settings->courier_hook_secret_file;
	struct words words;
	bool good = true;

	if (!file[0]) {
		fprintf(errors, "%s: must be given\n", name);
		return false;
	}
	if (words_load(name, file, SECRETS, errors, &words) < 0)
		return false;
	for (size_t i = 0; i < words.n; i++) {
		const char *why = webhook_secret(words.v[i],
		    &way->secrets[i]);

		if (why) {
			fprintf(errors, "%s: %s: secret %zu: %s\n", name,
			    file, i + 1, why);
			good = false;
		}
	}
	way->n_secrets = words.n;
	words_done(&words);
	return good;
}

static int
way_open(const struct settings *settings, FILE *errors, struct way **ret)
{
	const char *url = gateway_url_fault(settings->courier_hook_url);
	struct way *way = calloc(1, sizeof(*way));
	bool good;

	if (!way)
		return -ENOMEM;
	way->settings = settings;
	way->net = net_new(settings, errors);
	if (url)
		fprintf(errors, "courier.hook_url: %s\n", url);
	good = read_secrets(way, errors);
	if (!way->net || url || !good) {
		way_close(way);
		return -EINVAL;
	}
	*ret = way;
	return 0;
}

const struct way_kind way_hook = {
	"hook", way_open, way_send, way_close
};
