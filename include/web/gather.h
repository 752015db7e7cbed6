/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A connection's bytes until a request is there in full: a worker waits for
 * nobody's next byte. */
#ifndef DOCKET_WEB_GATHER_H
#define DOCKET_WEB_GATHER_H

#include "web/records.h"

/* The largest body and the most parameters, in records of a sane size. */
#define GATHER_MAX (512 * 1024)
/* A file that is imported may be larger, and one of 16 MiB is there in full;
 * what all connections of a process hold beyond the above is bounded too. */
#define GATHER_FILE (32 * 1024 * 1024)
#define GATHER_FILES (64 * 1024 * 1024)

/* Zero at first. */
struct gather {
	uint8_t *bytes;
	size_t n, room;
	struct records records;
};

enum gathered {
	GATHER_MORE,	/* not yet; come back when the socket has more */
	GATHER_WHOLE,	/* a request in `bytes`: use it, then drop it */
	GATHER_OVER,	/* the peer has gone, or spoke something else */
};

/* The socket can be read. Never blocks. A whole request may stand in memory
 * that all connections share: only one may be in hand at a time. */
enum gathered gather_step(struct gather *g, int fd);
/* Forget what is held. */
void gather_drop(struct gather *g);

#endif
