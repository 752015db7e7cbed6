/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Entries of the audit trail as text, JSON and CSV, in printable ASCII. */
#include <string.h>

#include "cli/audit.h"

static bool
is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

/* Bytes that are not printable as \xNN, a backslash and a quote behind one. */
static void
put_safe(struct buf *out, struct text t, char quote)
{
	for (size_t i = 0; i < t.n; i++) {
		const char c = t.s[i];

		if (!is_plain(c))
			buf_printf(out, "\\x%02x", (unsigned char)c);
		else if (c == '\\' || c == quote)
			buf_printf(out, "\\%c", c);
		else
			buf_putc(out, c);
	}
}

/* ---- text ---- */

static bool
is_word(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is_plain(t.s[i]) || strchr(" \"\\=", t.s[i]))
			return false;
	return t.n > 0;
}

static void
put_member(struct buf *out, const char *name, struct text t)
{
	if (!t.s)
		return;
	buf_printf(out, " %s=", name);
	if (is_word(t)) {
		buf_text(out, t);
		return;
	}
	buf_putc(out, '"');
	put_safe(out, t, '"');
	buf_putc(out, '"');
}

static void
put_id(struct buf *out, const char *name, const struct uuid *id)
{
	if (uuid_is_nil(id))
		return;
	buf_printf(out, " %s=", name);
	buf_uuid(out, id);
}

void
audit_as_text(struct buf *out, const struct audit_entry *e)
{
	buf_time(out, e->at);
	buf_putc(out, ' ');
	put_safe(out, e->event, '"');
	put_member(out, "ip", e->ip);
	put_id(out, "user", &e->user_id);
	put_id(out, "by", &e->actor_id);
	put_id(out, "session", &e->session_id);
	put_member(out, "address", e->address);
	put_member(out, "detail", e->detail);
	put_member(out, "rid", e->request_id);
	buf_putc(out, '\n');
}

/* ---- JSON ---- */

/* The character at s, well-formed UTF-8 as all that the database holds, and
 * its length. */
static uint32_t
decode(const char *s, size_t *ret_n)
{
	const unsigned char lead = (unsigned char)s[0];
	uint32_t c;

	*ret_n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	c = *ret_n == 1 ? lead : lead & (0x7fu >> *ret_n);
	for (size_t i = 1; i < *ret_n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

/* What the JSON writer lets pass, but for what may mean something to whoever
 * shows it: DEL, and all beyond ASCII. */
static void
put_ascii(struct buf *out, struct text json)
{
	uint32_t c;
	size_t n;

	for (size_t i = 0; i < json.n; i += n) {
		c = decode(json.s + i, &n);
		if (c < 0x7f)
			buf_putc(out, (char)c);
		else if (c < 0x10000)
			buf_printf(out, "\\u%04x", c);
		else
			buf_printf(out, "\\u%04x\\u%04x",
			    0xd800 + ((c - 0x10000) >> 10),
			    0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

void
audit_as_json(struct buf *out, const struct audit_entry *e)
{
	struct buf line = { 0 };

	field_print_json(&line, &audit_row, e, FIELD_ALL);
	put_ascii(out, buf_view(&line));
	buf_putc(out, '\n');
	out->failed |= line.failed;
	buf_done(&line);
}

/* ---- CSV ---- */

static void
put_cell(struct buf *out, struct text t)
{
	const bool formula = t.n > 0 && strchr("=+-@", t.s[0]);
	bool quoted = false;

	for (size_t i = 0; i < t.n; i++)
		quoted |= t.s[i] == ',' || t.s[i] == '"' || t.s[i] == ' ';
	if (quoted)
		buf_putc(out, '"');
	if (formula)
		buf_putc(out, '\'');
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] == '"')
			buf_puts(out, "\"\"");
		else
			put_safe(out, (struct text){ t.s + i, 1 }, '\0');
	if (quoted)
		buf_putc(out, '"');
}

static void
put_text_cell(struct buf *out, struct text t)
{
	buf_putc(out, ',');
	put_cell(out, t);
}

static void
put_id_cell(struct buf *out, const struct uuid *id)
{
	buf_putc(out, ',');
	if (!uuid_is_nil(id))
		buf_uuid(out, id);
}

void
audit_csv_head(struct buf *out)
{
	for (size_t i = 0; i < audit_row.n; i++)
		buf_printf(out, "%s%s", i ? "," : "", audit_row.v[i].name);
	buf_puts(out, "\r\n");
}

void
audit_as_csv(struct buf *out, const struct audit_entry *e)
{
	buf_int(out, e->id);
	buf_putc(out, ',');
	buf_time(out, e->at);
	put_text_cell(out, e->event);
	put_id_cell(out, &e->user_id);
	put_id_cell(out, &e->actor_id);
	put_id_cell(out, &e->session_id);
	put_text_cell(out, e->ip);
	put_text_cell(out, e->request_id);
	put_text_cell(out, e->address);
	put_text_cell(out, e->detail);
	buf_puts(out, "\r\n");
}
