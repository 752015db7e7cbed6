/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* FastCGI 1.0 records, looked at before the library gets them: it takes a
 * peer's word for lengths and waits for what was promised. */
#ifndef DOCKET_WEB_RECORDS_H
#define DOCKET_WEB_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Name-value pairs of one request, in all: nginx cannot send more. */
#define RECORDS_PARAMS_MAX 65535
#define RECORDS_ANSWER_MAX 32

/* Where a stream of name-value pairs (§3.4) stands, cut anywhere. */
struct pairs_at {
	uint32_t length[2];	/* of the name, of the value */
	unsigned which;		/* the one that is being read */
	unsigned more;		/* bytes of it still to come */
	uint32_t skip;		/* then so many bytes of name and value */
};

/* Zero before the first byte of a request. */
struct records {
	size_t at;		/* what is before this has been looked at */
	int id;			/* 0: no request has begun */
	bool params_end;
	bool padded;		/* where the library forgets the padding */
	size_t params;		/* bytes of content so far */
	struct pairs_at pairs;
};

enum records_found {
	RECORDS_MORE,	/* sound so far, more is to come */
	RECORDS_WHOLE,	/* one request for a responder, and nothing else */
	RECORDS_ASIDE,	/* a management record (§4) stands at `at` */
	RECORDS_BAD,	/* nothing to be done with this peer */
};

/* Look at what follows `at` in the n bytes. A request comes alone: records of
 * another one, an abort, pairs that end early or hold a NUL are bad. */
enum records_found records_scan(struct records *r, const uint8_t *bytes,
    size_t n);

/* Take the padding out of a whole request; its length then. */
size_t records_strip(uint8_t *bytes, size_t n);
/* The length of a whole record that is known to be there. */
size_t records_length(const uint8_t *record);
/* The answer to a management record: we do not multiplex, and know no other
 * variable and no other type. Returns its length. */
size_t records_answer(const uint8_t *record,
    uint8_t answer[RECORDS_ANSWER_MAX]);

#endif
