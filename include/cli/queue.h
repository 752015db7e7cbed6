/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How docket queue prints: addresses masked, control characters gone. */
#ifndef DOCKET_CLI_QUEUE_H
#define DOCKET_CLI_QUEUE_H

#include "store/queue.h"

/* A line a lane; channel: only that one's, TEXT_NONE: all. */
void queue_print_lanes(struct list lanes, struct text channel);
/* A line a letter. */
void queue_print_letters(struct arena *mem, struct list letters);
/* A line a member, an empty one behind each letter. */
void queue_print_whole(struct arena *mem, struct list letters);
/* {"lanes": [...], "letters": [...]}; a sysexits code. */
int queue_print_json(struct arena *mem, struct list lanes,
    struct list letters);

#endif
