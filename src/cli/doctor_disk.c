/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Doctor, the disks: room for bytes and for files where we and PostgreSQL
 * write. */
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor.h"

#define FREE_WARN 10
#define FREE_FAIL 3
#define DATA_DIR "/var/lib/postgresql"

/* ---- where PostgreSQL's is ---- */

/* It works in its data directory. Whoever stands in between, a pooler, does
 * not. */
static const char *
folder_of_peer(struct arena *mem, int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t n = sizeof(peer);
	char path[PATH_MAX];
	ssize_t got;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
	    peer.pid <= 0)
		return NULL;
	got = readlink(arena_printf(mem, "/proc/%d/cwd", (int)peer.pid), path,
	    sizeof(path) - 1);
	if (got <= 0)
		return NULL;
	path[got] = '\0';
	return access(arena_printf(mem, "%s/PG_VERSION", path), F_OK) == 0 ?
	    arena_copy(mem, path, (size_t)got) : NULL;
}

const char *
doctor_data(struct arena *mem, const struct db *db,
    const struct doctor_server *server)
{
	return server->data.s ? arena_copy(mem, server->data.s,
	    server->data.n) : folder_of_peer(mem, db_fd(db));
}

/* ---- how much is free ---- */

struct found {
	int least;		/* percent */
	const char *paths;	/* that were looked at */
};

static void
tell(struct doctor *d, const char *path, int percent, const char *what,
    const char *next)
{
	if (percent < FREE_WARN)
		doctor_tell(d, percent < FREE_FAIL ? DOCTOR_FAIL :
		    DOCTOR_WARN, next, "%s: %d %% of its %s are free", path,
		    percent, what);
}

/* 100 where there is no such bound. */
static int
percent_of(fsfilcnt_t free, fsfilcnt_t all)
{
	return all == 0 ? 100 : (int)(free * 100 / all);
}

/* What is not here, or not ours to see, is left out. */
static void
look(struct doctor *d, const char *path, struct found *found)
{
	struct statvfs disk;
	int bytes, files;

	if (!*path || statvfs(path, &disk) < 0 || disk.f_blocks == 0)
		return;
	bytes = percent_of(disk.f_bavail, disk.f_blocks);
	files = percent_of(disk.f_favail, disk.f_files);
	tell(d, path, bytes, "bytes", "df -h, and journalctl --vacuum-size or "
	    "a larger disk");
	tell(d, path, files, "inodes", "df -i, and find out who makes so many "
	    "files (du --inodes)");
	if (bytes < found->least)
		found->least = bytes;
	if (files < found->least)
		found->least = files;
	found->paths = arena_printf(d->mem, "%s%s%s", found->paths,
	    *found->paths ? ", " : "", path);
}

void
doctor_disk(struct doctor *d)
{
	const char *data = d->data ? d->data : DATA_DIR;
	const char *const paths[] = {
		/* The log ahead of the tables may lie elsewhere. */
		data, arena_printf(d->mem, "%s/pg_wal", data),
		d->settings.courier_spool_dir, "/var/log", "/var/log/journal",
		"/var/log/nginx",
	};
	struct found found = { 100, "" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		look(d, paths[i], &found);
	doctor_tell(d, DOCTOR_OK, NULL, "%d %% of bytes and inodes are free, "
	    "or more: %s", found.least, found.paths);
}
