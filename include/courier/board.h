/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the senders share: who looks for messages, and when each is late. */
#ifndef DOCKET_COURIER_BOARD_H
#define DOCKET_COURIER_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BOARD_LANES 2
#define BOARD_SENDERS 16	/* of a lane, at most */
#define BOARD_SEATS (BOARD_LANES * BOARD_SENDERS)

/* A sender's place; seat i belongs to lane i % BOARD_LANES. */
struct seat {
	_Atomic int64_t due_ms;	/* monotonic: it must be back by then */
	_Atomic uint64_t ended;	/* messages that it has seen the end of */
};

/*
 * Of a lane's idle senders one, the watcher, asks the database; the others
 * wait for the bell. Whoever gets a message lets the watch go and rings, so
 * that the next one looks at once: a burst wakes them one by one, and an idle
 * lane costs one query a poll.
 */
struct board {
	struct {
		_Atomic int watcher;	/* seat + 1; 0: nobody */
		int bell;		/* eventfd */
	} lanes[BOARD_LANES];
	struct seat seats[BOARD_SEATS];
};

/* In shared memory, for the children to come; NULL: no memory or files. */
struct board *board_new(void);
void board_free(struct board *board);

/* Is this seat the watcher, or does it become it? */
bool board_watch(struct board *board, int seat);
/* There may be more: whoever watches next looks at once. */
void board_pass(struct board *board, int seat);
/* It has died, whatever it was. */
void board_forget(struct board *board, int seat);
/* To wait on; board_answer once it rang. */
int board_bell(const struct board *board, int seat);
void board_answer(struct board *board, int seat);

/* Back within ms, or taken for hung. */
void board_promise(struct board *board, int seat, int64_t now_ms, int64_t ms);
bool board_is_late(const struct board *board, int seat, int64_t now_ms);

#endif
