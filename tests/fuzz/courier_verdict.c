/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a gateway's reply: no success without its words, and nothing
 * of the letter or of a terminal in what is told. */
#include <stddef.h>
#include <stdint.h>

#include "courier/gateway.h"
#include "lib/input.h"
#include "web/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct verdict_rules gateways[] = {
	{ "twilio", "2xx", "/sid", "/code" },
	{ "vonage", "2xx /messages/0/status=0", "/messages/0/message-id",
	  "/messages/0/status" },
	{ "kavenegar", "2xx /return/status=200", "/entries/0/messageid",
	  "/return/status" },
	{ "http", "200 /a/b=1 /c=", "/", "" },
};

static const long statuses[] = { 200, 201, 302, 400, 401, 429, 500, 0 };

static const struct letter letter = {
	.id = TEXT_INIT("id"), .channel = TEXT_INIT("sms"),
	.to = TEXT_INIT("+98912"), .code = TEXT_INIT("123456"),
};

static void
check_line(const char *s, size_t room)
{
	must(strlen(s) < room, "too long");
	must(!strstr(s, "123456") && !strstr(s, "+98912"), "tells the letter");
	for (; *s; s++)
		must(*s >= ' ' && *s <= '~' && *s != '"' && *s != '\\',
		    "not printable");
}

static void
judge(struct arena *mem, size_t gateway, long status, struct text body)
{
	const struct net_answer answer = { .reached = status != 0,
	    .status = status, .body = body, .why = "why" };
	struct outcome outcome = { 0 };
	struct faults faults = { .n = 0 };

	verdict_gateway(&gateways[gateway], mem, &letter, &answer, &outcome);
	check_line(outcome.why, OUTCOME_WHY);
	check_line(outcome.ref, OUTCOME_REF);
	if (outcome.kind != OUTCOME_SENT) {
		must(outcome.why[0] && !outcome.ref[0], "no reason");
		return;
	}
	must(!outcome.why[0] && !outcome.down, "a reason for a success");
	must(status / 100 == 2, "sent by its status");
	must(gateway == 0 || json_scan(body, mem, &faults),
	    "sent by what is no JSON");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	const char *text;

	if (!mem)
		return 0;
	text = arena_copy(mem, (const char *)data, size);
	for (size_t g = 0; g < sizeof(gateways) / sizeof(gateways[0]); g++)
		for (size_t s = 0; s < sizeof(statuses) /
		    sizeof(statuses[0]); s++)
			judge(mem, g, statuses[s],
			    (struct text){ text, size });
	/* The settings' own little languages. */
	verdict_success_valid(text);
	gateway_url_fault(text);
	arena_free(mem);
	return 0;
}
