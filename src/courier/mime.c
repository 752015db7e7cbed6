/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writes a mail: headers that nothing breaks out of, an encoded body. */
#include "courier/mime.h"

#include <time.h>

#include "base/uuid.h"
#include "core/names.h"
#include "courier/template.h"

#define LINE 76
/* Of an encoded word's 75 characters 12 are its frame (RFC 2047 §2): 60 of
 * base64 are 45 bytes. The first word shares its line with a name. */
#define WORD_BYTES 45
#define WORD_FIRST 36
#define BASE64_BYTES 57		/* a line of 76 */

bool
mime_sender(const struct settings *settings, FILE *errors,
    struct mime_sender *ret)
{
	struct text address = text_of(settings->courier_mail_from);
	struct arena *mem = arena_new(1024);
	const char *why = NULL;
	bool good = true;

	if (!mem)
		return false;
	if (name_check_email(mem, &address, &why) ||
	    !text_is(address, settings->courier_mail_from)) {
		fprintf(errors, "courier.mail_from %s, its domain in lower "
		    "case\n", why ? why : "must be an e-mail address");
		good = false;
	}
	arena_free(mem);
	ret->address = settings->courier_mail_from;
	ret->name = text_of(settings->courier_mail_name[0] ?
	    settings->courier_mail_name : settings->courier_service_name);
	if (!template_is_line(ret->name)) {
		fputs("courier.mail_name is no UTF-8, or has a control "
		    "character\n", errors);
		good = false;
	}
	return good;
}

/* Does it stand in a header as it is, in `room` characters? */
static bool
is_plain(struct text t, size_t room)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] < ' ' || t.s[i] > '~')
			return false;
	return t.n <= room && (t.n == 0 || (t.s[0] != ' ' &&
	    t.s[t.n - 1] != ' ')) && !memmem(t.s, t.n, "=?", 2);
}

/* Encoded words, a line each, cut between characters. */
static void
put_words(struct buf *out, struct text t)
{
	for (size_t most = WORD_FIRST; t.n > 0; most = WORD_BYTES) {
		size_t n = t.n < most ? t.n : most;

		while (n > 1 && n < t.n && ((uint8_t)t.s[n] & 0xc0) == 0x80)
			n--;
		buf_puts(out, "=?utf-8?B?");
		buf_base64(out, t.s, n);
		buf_puts(out, "?=");
		t.s += n;
		t.n -= n;
		if (t.n > 0)
			buf_puts(out, "\r\n ");
	}
}

/* What takes two characters between quotes. */
static bool
has_quotes(struct text t)
{
	return t.n > 0 && (memchr(t.s, '"', t.n) || memchr(t.s, '\\', t.n));
}

/* A display name (RFC 5322 §3.4): quoted, or encoded. */
static void
put_name(struct buf *out, struct text name)
{
	if (!is_plain(name, has_quotes(name) ? 32 : 64)) {
		put_words(out, name);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.s[i] == '"' || name.s[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, name.s[i]);
	}
	buf_putc(out, '"');
}

/* RFC 5322 §3.3, whatever the locale. */
static void
put_date(struct buf *out, int64_t us)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm = { .tm_year = 0 };

	gmtime_r(&seconds, &tm);
	buf_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d +0000\r\n",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
put_headers(struct buf *out, const struct mime_sender *from,
    const struct letter *letter)
{
	put_date(out, letter->created_at);
	/* The address in a line of its own, which it may fill. */
	buf_printf(out, "Message-ID: <%.*s%s>\r\nFrom: ", TEXT_FMT(letter->id),
	    strchr(from->address, '@'));
	put_name(out, from->name);
	buf_printf(out, "\r\n <%s>\r\nTo:%s<%.*s>\r\nSubject: ",
	    from->address, letter->to.n > LINE - 6 ? "\r\n " : " ",
	    TEXT_FMT(letter->to));
	if (is_plain(letter->subject, LINE - sizeof("Subject: ")))
		buf_text(out, letter->subject);
	else
		put_words(out, letter->subject);
	buf_puts(out, "\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Auto-Submitted: auto-generated\r\n");
}

static bool
is_literal(uint8_t c, bool last)
{
	return (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !last);
}

/* One line of the text, quoted-printable (RFC 2045 §6.7). What a mailbox or a
 * mail server takes for its own at a line's head is quoted too. */
static void
put_quoted(struct buf *out, struct text line)
{
	size_t column = 0;

	for (size_t i = 0; i < line.n; i++) {
		uint8_t c = (uint8_t)line.s[i];
		bool plain = is_literal(c, i + 1 == line.n) &&
		    !(column == 0 && (c == '.' || c == 'F'));

		if (column + (plain ? 1 : 3) > LINE - 1) {
			buf_puts(out, "=\r\n");
			column = 0;
			plain = plain && c != '.' && c != 'F';
		}
		if (plain)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "=%02X", c);
		column += plain ? 1 : 3;
	}
	buf_puts(out, "\r\n");
}

static void
body_quoted(struct buf *out, struct text t)
{
	buf_puts(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	for (;;) {
		const char *end = t.n ? memchr(t.s, '\n', t.n) : NULL;
		size_t n = end ? (size_t)(end - t.s) : t.n;

		put_quoted(out, (struct text){ t.s, n });
		if (!end)
			return;
		t.s += n + 1;
		t.n -= n + 1;
	}
}

/* Of the text with its lines ended as mail has them, which `lines` is. */
static void
body_base64(struct buf *out, struct text lines)
{
	buf_puts(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	while (lines.n > 0) {
		size_t n = lines.n < BASE64_BYTES ? lines.n : BASE64_BYTES;

		buf_base64(out, lines.s, n);
		buf_puts(out, "\r\n");
		lines.s += n;
		lines.n -= n;
	}
}

static struct text
with_crlf(struct arena *mem, struct text t)
{
	char *out = arena_alloc(mem, 2 * t.n + 3);
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] == '\n')
			out[n++] = '\r';
		out[n++] = t.s[i];
	}
	memcpy(out + n, "\r\n", 2);
	return (struct text){ out, n + 2 };
}

/* Base64 where quoted-printable would be the longer and the less readable. */
static bool
is_foreign(struct text t)
{
	size_t high = 0;

	for (size_t i = 0; i < t.n; i++)
		high += (uint8_t)t.s[i] >= 0x80;
	return high > t.n / 6;
}

static bool
is_safe(struct arena *mem, const struct letter *letter)
{
	struct text to = letter->to;
	struct uuid id;
	const char *why;

	return name_check_email(mem, &to, &why) == 0 &&
	    to.n == letter->to.n && uuid_parse(letter->id, &id) &&
	    template_is_line(letter->subject);
}

static void
wipe(void *arg)
{
	buf_wipe(arg);
}

bool
mime_mail(struct arena *mem, const struct mime_sender *from,
    const struct letter *letter, struct text *ret)
{
	struct buf *out = arena_alloc(mem, sizeof(*out));

	if (!is_safe(mem, letter))
		return false;
	arena_defer(mem, wipe, out);
	put_headers(out, from, letter);
	if (is_foreign(letter->text))
		body_base64(out, with_crlf(mem, letter->text));
	else
		body_quoted(out, letter->text);
	if (out->failed)
		arena_oom(mem);
	*ret = buf_view(out);
	return true;
}

struct text
mime_unix(struct arena *mem, struct text mail)
{
	char *out = arena_alloc(mem, mail.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < mail.n; i++)
		if (mail.s[i] != '\r')
			out[n++] = mail.s[i];
	return (struct text){ out, n };
}
