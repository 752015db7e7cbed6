/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a template file, and as the texts of a mail: no template that is
 * taken breaks out of its place, no text out of its header or its body. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "courier/mime.h"
#include "courier/template.h"
#include "lib/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"

static const char *const headers[] = {
	"Date: ", "Message-ID: <" ID "@docket.example>\r\n", "From: ", "To:",
	"Subject: ", "MIME-Version: 1.0\r\n",
	"Content-Type: text/plain; charset=utf-8\r\n",
	"Auto-Submitted: auto-generated\r\n", "Content-Transfer-Encoding: ",
};

#define HEADERS (sizeof(headers) / sizeof(headers[0]))

/* What is behind one line. */
static struct text
line_check(struct text t, size_t most)
{
	const char *end = memmem(t.s, t.n, "\r\n", 2);
	size_t n = end ? (size_t)(end - t.s) : 0;

	must(end && n <= most, "a line without end, or too long");
	for (size_t i = 0; i < n; i++)
		must(t.s[i] >= ' ' && t.s[i] <= '~', "not printable");
	return (struct text){ t.s + n + 2, t.n - n - 2 };
}

/* The nine, once each and in order, then an empty line; the body. */
static struct text
headers_check(struct text mail)
{
	for (size_t i = 0; i < HEADERS; i++) {
		must(mail.n >= strlen(headers[i]) && memcmp(mail.s,
		    headers[i], strlen(headers[i])) == 0, "another header");
		mail = line_check(mail, 998);
		while (mail.n > 0 && mail.s[0] == ' ')
			mail = line_check(mail, 998);
	}
	must(mail.n >= 2 && memcmp(mail.s, "\r\n", 2) == 0, "more headers");
	return (struct text){ mail.s + 2, mail.n - 2 };
}

static size_t
unbase64(struct text t, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned v = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		const char *at = strchr(alphabet, t.s[i]);

		if (!at || !t.s[i])
			continue;
		v = v << 6 | (unsigned)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits & 0xff);
		}
	}
	return n;
}

static size_t
unquote(struct text t, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] != '=') {
			out[n++] = t.s[i];
			continue;
		}
		if (t.s[i + 1] != '\r')
			out[n++] = (char)(hex_value(t.s[i + 1]) << 4 |
			    hex_value(t.s[i + 2]));
		i += 2;
	}
	return n;
}

/* The body says what the text says, its lines ended by CRLF. */
static void
body_check(struct arena *mem, struct text mail, struct text body,
    struct text text)
{
	char *out = arena_alloc(mem, body.n + 1);
	static const char line[] = "\r\nContent-Transfer-Encoding: base64\r\n";
	bool b64 = memmem(mail.s, mail.n - body.n, line, sizeof(line) - 1);
	size_t n, at = 0;

	for (struct text t = body; t.n > 0; )
		t = line_check(t, 76);
	n = b64 ? unbase64(body, out) : unquote(body, out);
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] == '\n')
			must(at < n && out[at++] == '\r', "no line end");
		must(at < n && out[at++] == text.s[i], "another text");
	}
	must(n == at + 2 && memcmp(out + at, "\r\n", 2) == 0, "its end");
}

static void
mail_check(struct arena *mem, struct text name, struct letter *letter)
{
	const struct mime_sender from = { "a@docket.example", name };
	struct text mail, body;

	letter->id = TEXT(ID);
	letter->created_at = INT64_C(1800000000123456);
	if (!mime_mail(mem, &from, letter, &mail))
		return;
	body = headers_check(mail);
	/* Quoted-printable keeps what is no control character; the contract
	 * of a letter forbids those. */
	body_check(mem, mail, body, letter->text);
}

/* A part of the input up to a NUL. */
static struct text
part(struct text *in)
{
	const char *nul = in->n ? memchr(in->s, '\0', in->n) : NULL;
	struct text t = { in->s, nul ? (size_t)(nul - in->s) : in->n };

	in->s += t.n + (nul ? 1 : 0);
	in->n -= t.n + (nul ? 1 : 0);
	return t;
}

static void
any_mail(struct arena *mem, struct text in)
{
	struct text name = part(&in);
	struct letter letter = { .to = part(&in), .subject = part(&in),
		.text = in };

	mail_check(mem, name, &letter);
}

static void
wording_check(struct arena *mem, const struct template_part *wording,
    bool mail)
{
	static const struct text values[TEMPLATE_VARS] = {
		TEXT_INIT("123456"), TEXT_INIT("2 minutes"), TEXT_INIT("2"),
		TEXT_INIT("120"), TEXT_INIT("{{Docket}}"), { NULL, 0 },
	};
	struct letter letter = { .to = TEXT("a@example.org") };

	letter.text = template_fill(mem, wording->text, values);
	must(text_chars(letter.text) >= 0, "no UTF-8");
	must(memmem(letter.text.s, letter.text.n, "123456", 6), "no code");
	for (size_t i = 0; i < letter.text.n; i++)
		must((uint8_t)letter.text.s[i] >= ' ' ||
		    letter.text.s[i] == '\n', "a control character");
	must(mail == (wording->subject.s != NULL), "its subject");
	if (!mail)
		return;
	letter.subject = template_fill(mem, wording->subject, values);
	must(template_is_line(letter.subject), "a subject of two lines");
	mail_check(mem, TEXT("Docket"), &letter);
}

static void
any_template(struct arena *mem, struct text in, bool mail)
{
	const struct template_rules rules = { .mail = mail };
	struct template template;
	char *said = NULL;
	size_t n = 0;
	FILE *errors = open_memstream(&said, &n);
	unsigned faults;

	if (!errors)
		return;
	faults = template_parse(in, "x", &rules, errors, &template);
	fclose(errors);
	must((faults == 0) == (n == 0), "a fault that is not told");
	for (size_t i = 0; i < TEMPLATE_PURPOSES && faults == 0; i++)
		wording_check(mem, &template.parts[i], mail);
	free(said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem = arena_new(4096);
	struct text in = { (const char *)data + 1, size - 1 };

	if (mem && size > 0) {
		if (data[0] == 'm')
			any_mail(mem, in);
		else
			any_template(mem, in, data[0] & 1);
	}
	arena_free(mem);
	return 0;
}
