/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Bytes from a socket until they are a whole request. */
#include "web/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TAKES 16
#define ROOM_LEAST 4096

/* What is read first goes here; as nginx sends it, that is all of it. */
static uint8_t shared[64 * 1024];

/* What is held beyond GATHER_MAX, by all connections. */
static size_t large;

static size_t
large_part(size_t room)
{
	return room > GATHER_MAX ? room : 0;
}

void
gather_drop(struct gather *g)
{
	large -= large_part(g->room);
	if (g->bytes != shared)
		free(g->bytes);
	*g = (struct gather){ 0 };
}

static bool
make_room(struct gather *g)
{
	const size_t room = 2 * g->room;
	uint8_t *bytes;

	if (!g->bytes) {
		g->bytes = shared;
		g->room = sizeof(shared);
	}
	if (g->n < g->room)
		return true;
	if (room > GATHER_FILE || large_part(room) + large > GATHER_FILES)
		return false;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): keep() has left it. */
	bytes = realloc(g->bytes, room);
	if (!bytes)
		return false;
	large += large_part(room) - large_part(g->room);
	g->bytes = bytes;
	g->room = room;
	return true;
}

/* Others need the shared memory before the rest is there. */
static bool
keep(struct gather *g)
{
	uint8_t *bytes;

	if (g->bytes != shared)
		return true;
	if (g->n == 0) {
		gather_drop(g);
		return true;
	}
	while (g->room > ROOM_LEAST && g->n < g->room / 2)
		g->room /= 2;
	bytes = malloc(g->room);
	if (!bytes)
		return false;
	g->bytes = memcpy(bytes, shared, g->n);
	return true;
}

/* Answer the management record that is next and take it out. */
static bool
answer_aside(struct gather *g, int fd)
{
	uint8_t answer[RECORDS_ANSWER_MAX];
	uint8_t *record = g->bytes + g->records.at;
	const size_t length = records_length(record);
	const size_t n = records_answer(record, answer);

	g->n -= length;
	memmove(record, record + length, g->n - g->records.at);
	return send(fd, answer, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n;
}

/* What the bytes are by now. */
static enum gathered
judge(struct gather *g, int fd)
{
	enum records_found found;

	while ((found = records_scan(&g->records, g->bytes, g->n)) ==
	    RECORDS_ASIDE)
		if (!answer_aside(g, fd))
			return GATHER_OVER;
	if (found == RECORDS_WHOLE && g->records.padded)
		g->n = records_strip(g->bytes, g->n);
	return found == RECORDS_WHOLE ? GATHER_WHOLE :
	    found == RECORDS_MORE ? GATHER_MORE : GATHER_OVER;
}

/* Read on while there is as much as there was room for: a large body would
 * wait for many turns else. */
static enum gathered
take(struct gather *g, int fd)
{
	enum gathered gathered = GATHER_MORE;

	for (int i = 0; i < TAKES && gathered == GATHER_MORE; i++) {
		ssize_t n;

		if (!make_room(g))
			return GATHER_OVER;
		n = recv(fd, g->bytes + g->n, g->room - g->n, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return GATHER_MORE;
		if (n <= 0)
			return GATHER_OVER;
		g->n += (size_t)n;
		gathered = judge(g, fd);
		if (gathered == GATHER_MORE && !keep(g))
			return GATHER_OVER;
	}
	return gathered;
}

enum gathered
gather_step(struct gather *g, int fd)
{
	const enum gathered gathered = take(g, fd);

	/* Nothing came: nothing is held in what others use. */
	if (gathered == GATHER_MORE && g->n == 0)
		gather_drop(g);
	return gathered;
}
