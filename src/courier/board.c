/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The senders' shared memory: the watch of a lane, its bell, promises. */
#include "courier/board.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static int
lane_of(int seat)
{
	return seat % BOARD_LANES;
}

struct board *
board_new(void)
{
	struct board *board = mmap(NULL, sizeof(*board),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool good = true;

	if (board == MAP_FAILED)
		return NULL;
	for (int i = 0; i < BOARD_LANES; i++) {
		board->lanes[i].bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		good &= board->lanes[i].bell >= 0;
	}
	if (good)
		return board;
	board_free(board);
	return NULL;
}

void
board_free(struct board *board)
{
	if (!board)
		return;
	for (int i = 0; i < BOARD_LANES; i++)
		if (board->lanes[i].bell >= 0)
			close(board->lanes[i].bell);
	munmap(board, sizeof(*board));
}

bool
board_watch(struct board *board, int seat)
{
	int nobody = 0;

	return atomic_compare_exchange_strong(
	    &board->lanes[lane_of(seat)].watcher, &nobody, seat + 1) ||
	    nobody == seat + 1;
}

/* A bell that is full already rings. */
static void
ring(struct board *board, int lane)
{
	(void)eventfd_write(board->lanes[lane].bell, 1);
}

void
board_pass(struct board *board, int seat)
{
	int lane = lane_of(seat), me = seat + 1;

	atomic_compare_exchange_strong(&board->lanes[lane].watcher, &me, 0);
	if (atomic_load(&board->lanes[lane].watcher) == 0)
		ring(board, lane);
}

void
board_forget(struct board *board, int seat)
{
	board_pass(board, seat);
	atomic_store(&board->seats[seat].due_ms, 0);
	atomic_store(&board->seats[seat].ended, 0);
}

int
board_bell(const struct board *board, int seat)
{
	return board->lanes[lane_of(seat)].bell;
}

void
board_answer(struct board *board, int seat)
{
	eventfd_t n;

	/* Another one may have been faster. */
	(void)eventfd_read(board_bell(board, seat), &n);
}

void
board_promise(struct board *board, int seat, int64_t now_ms, int64_t ms)
{
	atomic_store(&board->seats[seat].due_ms, now_ms + ms);
}

bool
board_is_late(const struct board *board, int seat, int64_t now_ms)
{
	int64_t due = atomic_load(&board->seats[seat].due_ms);

	return due != 0 && now_ms > due;
}
