/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Small files as a whole: read, and put into their place. */
#ifndef DOCKET_CLI_FILES_H
#define DOCKET_CLI_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

/* Who may do what with a file; without root it stays ours. */
struct file_mode {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* At most 16 MiB. 0, or a negative errno. NUL-terminated. */
int file_get(struct arena *mem, const char *path, struct text *ret);
/* Written beside it, synced, renamed: never half. 0 or a negative errno. */
int file_put(struct arena *mem, const char *path, struct text bytes,
    const struct file_mode *mode);
/* A file in memory alone, 0600, that holds these bytes: a descriptor at its
 * beginning, or a negative errno. */
int file_memory(struct text bytes);
/* All of it, however often that takes. False with errno. */
bool file_write(int fd, struct text bytes);
/* All that lacks of the path, as mkdir -p has it; what is there stays as it
 * is. 0 or a negative errno. */
int file_folder(struct arena *mem, const char *path,
    const struct file_mode *mode);
/* Of the file to the disk. 0 or a negative errno. */
int file_sync(const char *path);

#endif
