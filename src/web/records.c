/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whether bytes are a whole, sound FastCGI request. */
#include "web/records.h"

#include <string.h>

/* FastCGI 1.0 §8 */
enum {
	VERSION = 1, BEGIN = 1, PARAMS = 4, STDIN = 5, GET_VALUES = 9,
	GET_VALUES_RESULT = 10, UNKNOWN_TYPE = 11, RESPONDER = 1, HEAD = 8
};

static int
id_of(const uint8_t *record)
{
	return record[2] << 8 | record[3];
}

static size_t
content_of(const uint8_t *record)
{
	return (size_t)record[4] << 8 | record[5];
}

size_t
records_length(const uint8_t *record)
{
	return HEAD + content_of(record) + record[6];
}

/* A length is one byte, or four when the first has its highest bit. */
static bool
length_feed(struct pairs_at *p, uint8_t byte)
{
	uint32_t *length = &p->length[p->which];

	if (p->more > 0) {
		*length = *length << 8 | byte;
		p->more--;
	} else if (byte & 0x80) {
		*length = byte & 0x7f;
		p->more = 3;
	} else {
		*length = byte;
	}
	if (p->more > 0)
		return true;
	if (*length > RECORDS_PARAMS_MAX)
		return false;
	if (p->which == 1)
		p->skip = p->length[0] + p->length[1];
	p->which ^= 1;
	return true;
}

/* The library makes C strings of names and values: no NUL. */
static bool
pairs_feed(struct pairs_at *p, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		size_t step = 1;

		if (p->skip > 0) {
			step = p->skip < n ? p->skip : n;
			if (memchr(bytes, 0, step))
				return false;
			p->skip -= (uint32_t)step;
		} else if (!length_feed(p, *bytes)) {
			return false;
		}
		bytes += step;
		n -= step;
	}
	return true;
}

static bool
pairs_are_whole(const struct pairs_at *p)
{
	return p->skip == 0 && p->more == 0 && p->which == 0;
}

/* May a record with this head come now? */
static bool
head_fits(const struct records *r, const uint8_t *head)
{
	if (head[0] != VERSION)
		return false;
	if (id_of(head) == 0)
		return head[1] != BEGIN;
	if (r->id == 0)
		return head[1] == BEGIN && content_of(head) == 8;
	return id_of(head) == r->id &&
	    head[1] == (r->params_end ? STDIN : PARAMS);
}

static enum records_found
begin(struct records *r, const uint8_t *record)
{
	const int role = record[HEAD] << 8 | record[HEAD + 1];

	r->id = id_of(record);
	return role == RESPONDER ? RECORDS_MORE : RECORDS_BAD;
}

static enum records_found
params(struct records *r, const uint8_t *record)
{
	const size_t n = content_of(record);

	r->params += n;
	r->params_end = n == 0;
	if (r->params > RECORDS_PARAMS_MAX ||
	    !pairs_feed(&r->pairs, record + HEAD, n) ||
	    (r->params_end && !pairs_are_whole(&r->pairs)))
		return RECORDS_BAD;
	return RECORDS_MORE;
}

/* libfcgi 2.4.2 turns to the next stream without skipping the padding of the
 * record that told it to. */
static bool
forgets_padding(const uint8_t *record)
{
	return record[1] == BEGIN || content_of(record) == 0;
}

/* A whole record whose head fits. */
static enum records_found
record_scan(struct records *r, const uint8_t *record)
{
	if (record[1] == BEGIN)
		return begin(r, record);
	if (record[1] == PARAMS)
		return params(r, record);
	return content_of(record) == 0 ? RECORDS_WHOLE : RECORDS_MORE;
}

enum records_found
records_scan(struct records *r, const uint8_t *bytes, size_t n)
{
	enum records_found found = RECORDS_MORE;

	while (found == RECORDS_MORE && n - r->at >= HEAD) {
		const uint8_t *record = bytes + r->at;

		if (!head_fits(r, record))
			return RECORDS_BAD;
		if (n - r->at < records_length(record))
			return RECORDS_MORE;
		if (id_of(record) == 0)
			return RECORDS_ASIDE;
		r->padded |= record[6] > 0 && forgets_padding(record);
		found = record_scan(r, record);
		r->at += records_length(record);
	}
	/* The next request begins after the reply to this one. */
	if (found == RECORDS_WHOLE && r->at != n)
		return RECORDS_BAD;
	if (found == RECORDS_MORE && r->at < n && bytes[r->at] != VERSION)
		return RECORDS_BAD;
	return found;
}

size_t
records_strip(uint8_t *bytes, size_t n)
{
	size_t to = 0;

	for (size_t at = 0, length; at < n; at += length) {
		const size_t kept = HEAD + content_of(bytes + at);

		length = records_length(bytes + at);
		memmove(bytes + to, bytes + at, kept);
		bytes[to + 6] = 0;
		to += kept;
	}
	return to;
}

/* Whether FCGI_GET_VALUES names the variable. */
static bool
asks_for(const uint8_t *record, const char *name)
{
	const uint8_t *at = record + HEAD, *end = at + content_of(record);
	const size_t n = strlen(name);

	/* Our names are short, so are their lengths: one byte each. */
	while (end - at >= 2 && !((at[0] | at[1]) & 0x80)) {
		if (at[0] == n && (size_t)(end - at) - 2 >= n &&
		    memcmp(at + 2, name, n) == 0)
			return true;
		if (end - at < 2 + at[0] + at[1])
			break;
		at += 2 + at[0] + at[1];
	}
	return false;
}

size_t
records_answer(const uint8_t *record, uint8_t answer[RECORDS_ANSWER_MAX])
{
	static const char mpxs[] = "FCGI_MPXS_CONNS";
	const uint8_t n = sizeof(mpxs) - 1;

	memset(answer, 0, RECORDS_ANSWER_MAX);
	answer[0] = VERSION;
	if (record[1] != GET_VALUES) {
		answer[1] = UNKNOWN_TYPE;
		answer[5] = 8;
		answer[HEAD] = record[1];
		return HEAD + 8;
	}
	answer[1] = GET_VALUES_RESULT;
	if (!asks_for(record, mpxs))
		return HEAD;
	answer[5] = (uint8_t)(2 + n + 1);
	answer[6] = -answer[5] & 7;
	answer[HEAD] = n;
	answer[HEAD + 1] = 1;
	memcpy(answer + HEAD + 2, mpxs, n);
	answer[HEAD + 2 + n] = '0';
	return records_length(answer);
}
