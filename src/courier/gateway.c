/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The way gateway: a text message by an HTTP request to a gateway. */
#include "courier/gateway.h"

#include <errno.h>
#include <stdlib.h>

#include "courier/words.h"

struct way {
	const struct settings *settings;
	struct gateway gateway;
	struct words secret;
	struct net *net;
};

/* What goes out; cleansed when it has gone. */
struct parcel {
	struct buf url, headers, body;
	const char *lines[GATEWAY_HEADERS];
	size_t n_lines;
};

static void
parcel_done(struct parcel *parcel)
{
	buf_wipe(&parcel->url);
	buf_wipe(&parcel->headers);
	buf_wipe(&parcel->body);
}

/* Into one buffer, NULs between them; the pointers when it moves no more. */
static bool
put_headers(const struct gateway *g, struct arena *mem,
    const struct fill_values *values, struct parcel *to)
{
	struct text header;
	const char *at;
	size_t n = 0;

	for (; gateway_header(g->headers, n, &header); n++) {
		if (!fill(&to->headers, arena_copy(mem, header.s, header.n),
		    FILL_HEADER, values))
			return false;
		buf_putc(&to->headers, '\0');
	}
	if (to->headers.failed)
		return false;
	at = to->headers.p;
	for (size_t i = 0; i < n; i++) {
		to->lines[to->n_lines++] = at;
		at += strlen(at) + 1;
	}
	return true;
}

static bool
put_all(const struct gateway *g, struct arena *mem,
    const struct fill_values *values, struct parcel *to)
{
	buf_put(&to->url, g->base, g->n_base);
	if (!fill(&to->url, g->path, FILL_FORM, values))
		return false;
	buf_putc(&to->url, '\0');
	if (strcmp(g->method, "POST") == 0) {
		to->lines[to->n_lines++] = g->type;
		if (!fill(&to->body, g->body, g->place, values))
			return false;
	}
	return (!g->headers[0] || put_headers(g, mem, values, to)) &&
	    !to->url.failed && !to->body.failed;
}

static int
exchange(struct way *way, struct arena *mem, const struct parcel *parcel,
    int64_t until_ms, struct net_answer *ret)
{
	struct net_request request = {
		.url = parcel->url.p, .method = way->gateway.method,
		.headers = parcel->lines, .n_headers = parcel->n_lines,
		.body = buf_view(&parcel->body), .until_ms = until_ms,
	};

	if (way->gateway.basic) {
		request.user = text_of(way->settings->courier_gateway_account);
		request.password = way->secret.v[0];
	}
	return net_exchange(way->net, mem, &request, ret);
}

static void
way_send(struct way *way, struct arena *mem, const struct letter *letter,
    struct outcome *ret)
{
	struct fill_value v[GATEWAY_NAMES];
	const struct fill_values values = { v, GATEWAY_NAMES };
	struct parcel parcel = { .n_lines = 0 };
	struct net_answer answer;

	gateway_values(way->settings, way->secret.v[0], v);
	gateway_letter(letter, v);
	if (!put_all(&way->gateway, mem, &values, &parcel))
		outcome_set(ret, OUTCOME_NEVER, false,
		    "the message does not fit the gateway's request");
	else if (exchange(way, mem, &parcel, letter->until_ms, &answer) < 0)
		outcome_set(ret, OUTCOME_LATER, false, "out of memory");
	else
		verdict_gateway(&way->gateway.rules, mem, letter, &answer,
		    ret);
	parcel_done(&parcel);
}

static void
way_close(struct way *way)
{
	if (!way)
		return;
	net_free(way->net);
	words_done(&way->secret);
	free(way);
}

static bool
read_secret(struct way *way, FILE *errors)
{
	return words_load("courier.gateway_secret_file",
	    way->settings->courier_gateway_secret_file, 1, errors,
	    &way->secret) == 0;
}

static int
way_open(const struct settings *settings, FILE *errors, struct way **ret)
{
	struct way *way = calloc(1, sizeof(*way));
	bool good, secret;

	if (!way)
		return -ENOMEM;
	way->settings = settings;
	way->secret.v[0] = TEXT("");
	way->net = net_new(settings, errors);
	good = gateway_plan(settings, errors, &way->gateway, &secret);
	if (secret && !read_secret(way, errors))
		good = false;
	if (!way->net || !good) {
		way_close(way);
		return -EINVAL;
	}
	*ret = way;
	return 0;
}

const struct way_kind way_gateway = {
	"gateway", way_open, way_send, way_close
};
