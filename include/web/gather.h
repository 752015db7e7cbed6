/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A connection's bytes until a request is there in full: a worker waits for
 * nobody's next byte. */
#ifndef DOCKET_WEB_GATHER_H
#define DOCKET_WEB_GATHER_H

#include "web/records.h"

/* The largest body and the most parameters, in records of a sane size. */
#define GATHER_MAX (512 * 1024)

/* Zero at first. */
struct gather {
	uint8_t *bytes;
	size_t n, room;
	struct records records;
};

enum gathered {
	GATHER_MORE,	/* not yet; come back when the socket has more */
	GATHER_SOCKET,	/* a whole request, still in the socket */
	GATHER_HELD,	/* a whole request, in `bytes` */
	GATHER_OVER,	/* the peer has gone, or spoke something else */
};

/* The socket can be read. What came in one piece, as nginx sends it, costs a
 * look and stays there. Never blocks. */
enum gathered gather_step(struct gather *g, int fd);
/* Forget what is held. */
void gather_drop(struct gather *g);

#endif
