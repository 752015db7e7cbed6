/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Lanes and letters on standard output, for eyes and for programs. */
#include "cli/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "core/names.h"

/* What other sides say is made printable before it is stored; a terminal gets
 * no control character all the same. */
static void
print_text(const char *name, struct text t)
{
	fputs(name, stdout);
	if (!t.s)
		t = TEXT("-");
	for (size_t i = 0; i < t.n; i++)
		putchar(t.s[i] < ' ' || t.s[i] > '~' ? '?' : t.s[i]);
}

void
queue_print_lanes(struct list lanes, struct text channel)
{
	const struct queue_lane *v = lanes.v;

	for (size_t i = 0; i < lanes.n; i++) {
		if (channel.s && !text_equal(channel, v[i].channel))
			continue;
		print_text("lane ", v[i].channel);
		print_text(" ", v[i].state);
		printf(" letters=%" PRId64 " sent=%" PRId64 " failed=%" PRId64
		    " failures=%" PRId64, v[i].letters, v[i].sent,
		    v[i].failed, v[i].failures);
		cli_print_time(" open_until=", v[i].open_until);
		cli_print_time(" held=", v[i].held_at);
		cli_print_time(" failed_at=", v[i].failed_at);
		print_text(" error=", v[i].last_error);
		putchar('\n');
	}
}

static int64_t
age(const struct queue_letter *letter)
{
	return (clock_real_us() - letter->created_at) / TIME_SECOND;
}

static void
print_id(const struct uuid *id)
{
	char out[UUID_CHARS];

	uuid_format(id, out);
	printf("%.*s", UUID_CHARS, out);
}

void
queue_print_letters(struct arena *mem, struct list letters)
{
	const struct queue_letter *v = letters.v;

	for (size_t i = 0; i < letters.n; i++) {
		print_id(&v[i].id);
		print_text(" ", v[i].channel);
		print_text(" ", v[i].state);
		print_text(" to=", name_mask(mem, v[i].address));
		print_text(" purpose=", v[i].purpose);
		printf(" tries=%" PRId64 " age=%" PRId64 "s", v[i].tries,
		    age(&v[i]));
		cli_print_time(" next=", v[i].next_at);
		cli_print_time(" expires=", v[i].expires_at);
		print_text(" error=", v[i].last_error);
		putchar('\n');
	}
}

void
queue_print_whole(struct arena *mem, struct list letters)
{
	const struct queue_letter *v = letters.v;

	for (size_t i = 0; i < letters.n; i++) {
		printf("id:      ");
		print_id(&v[i].id);
		print_text("\nchannel: ", v[i].channel);
		print_text("\nto:      ", name_mask(mem, v[i].address));
		print_text("\npurpose: ", v[i].purpose);
		print_text("\nstate:   ", v[i].state);
		printf("\ntries:   %" PRId64, v[i].tries);
		cli_print_time("\ncreated: ", v[i].created_at);
		cli_print_time("\nnext:    ", v[i].next_at);
		cli_print_time("\nexpires: ", v[i].expires_at);
		cli_print_time("\ndead:    ", v[i].dead_at);
		print_text("\nerror:   ", v[i].last_error);
		printf("\n\n");
	}
}

static void
put_lanes(struct buf *out, struct list lanes)
{
	const struct queue_lane *v = lanes.v;

	for (size_t i = 0; i < lanes.n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		field_print_json(out, &queue_lane_fields, &v[i], FIELD_ALL);
	}
}

static void
put_letters(struct buf *out, struct arena *mem, struct list letters)
{
	const struct queue_letter *v = letters.v;

	for (size_t i = 0; i < letters.n; i++) {
		struct queue_letter shown = v[i];

		shown.address = name_mask(mem, shown.address);
		if (i > 0)
			buf_putc(out, ',');
		field_print_json(out, &queue_letter_fields, &shown, FIELD_ALL);
	}
}

int
queue_print_json(struct arena *mem, struct list lanes, struct list letters)
{
	struct buf out = { 0 };
	int status = EX_OSERR;

	buf_puts(&out, "{\"lanes\":[");
	put_lanes(&out, lanes);
	buf_puts(&out, "],\"letters\":[");
	put_letters(&out, mem, letters);
	buf_puts(&out, "]}\n");
	if (!out.failed) {
		fwrite(out.p, 1, out.n, stdout);
		status = EX_OK;
	}
	buf_done(&out);
	return status;
}
