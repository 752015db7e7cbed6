/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Bytes from a socket until they are a whole request. */
#include "web/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM_FIRST (16 * 1024)
#define TAKES 16

void
gather_drop(struct gather *g)
{
	free(g->bytes);
	*g = (struct gather){ 0 };
}

/* What a read that gave nothing says. */
static enum gathered
nothing(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? GATHER_MORE :
	    GATHER_OVER;
}

static bool
make_room(struct gather *g)
{
	const size_t room = g->room ? 2 * g->room : ROOM_FIRST;
	uint8_t *bytes;

	if (g->n < g->room)
		return true;
	if (room > GATHER_MAX)
		return false;
	bytes = realloc(g->bytes, room);
	if (!bytes)
		return false;
	g->bytes = bytes;
	g->room = room;
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

/* Take some of what the socket has. */
static enum gathered
take(struct gather *g, int fd)
{
	enum records_found found;
	ssize_t n;

	if (!make_room(g))
		return GATHER_OVER;
	n = recv(fd, g->bytes + g->n, g->room - g->n, MSG_DONTWAIT);
	if (n <= 0)
		return nothing(n);
	g->n += (size_t)n;
	while ((found = records_scan(&g->records, g->bytes, g->n)) ==
	    RECORDS_ASIDE)
		if (!answer_aside(g, fd))
			return GATHER_OVER;
	if (g->n == 0)
		gather_drop(g);
	if (found == RECORDS_WHOLE) {
		g->n = records_strip(g->bytes, g->n);
		return GATHER_HELD;
	}
	return found == RECORDS_MORE ? GATHER_MORE : GATHER_OVER;
}

/* Most of what is there, or a large body would wait for many turns. */
static enum gathered
take_most(struct gather *g, int fd)
{
	enum gathered gathered = GATHER_MORE;

	for (int i = 0; i < TAKES && gathered == GATHER_MORE; i++) {
		const size_t before = g->n;

		gathered = take(g, fd);
		if (g->n == before)
			break;
	}
	return gathered;
}

enum gathered
gather_step(struct gather *g, int fd)
{
	static uint8_t seen[64 * 1024];
	struct records records = { 0 };
	enum records_found found;
	ssize_t n;

	if (g->n > 0)
		return take_most(g, fd);
	n = recv(fd, seen, sizeof(seen), MSG_PEEK | MSG_DONTWAIT);
	if (n <= 0)
		return nothing(n);
	found = records_scan(&records, seen, (size_t)n);
	if (found == RECORDS_WHOLE && !records.padded)
		return GATHER_SOCKET;
	return found == RECORDS_BAD ? GATHER_OVER : take_most(g, fd);
}
