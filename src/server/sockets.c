/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Listening sockets: from systemd when it passes some, else opened here. */
#include "server/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "web/route.h"

#define SOCKET_BACKLOG 4096
#define INHERIT_FIRST 3		/* sd_listen_fds(3): SD_LISTEN_FDS_START */
#define INHERIT_MAX 64

static const char *const unit_names[SERVER_GROUPS] = {
	[GROUP_MAIN] = "docket.socket",
	[GROUP_HASH] = "docket-auth.socket",
};

static int
fill_address(const char *path, struct sockaddr_un *ret)
{
	if (strlen(path) > SOCKET_PATH_MAX || !path[0])
		return -ENAMETOOLONG;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

/* Make room for our socket file; never take a living one away. */
static int
remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EAGAIN is a full backlog: somebody is there. */
	if (connect(fd, (const struct sockaddr *)address,
	    sizeof(*address)) == 0 || errno != ECONNREFUSED)
		r = -EADDRINUSE;
	else if (unlink(address->sun_path) < 0 && errno != ENOENT)
		r = -errno;
	close(fd);
	return r;
}

/* The mask, not chmod alone: between bind and chmod anybody could connect. */
static int
bind_file(int fd, const struct sockaddr_un *address,
    const struct socket_owner *owner, struct listener *l)
{
	mode_t before = umask(0117);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	struct stat st;

	if (r < 0)
		r = -errno;
	umask(before);
	if (r < 0)
		return r;
	if (chown(address->sun_path, owner->uid, owner->gid) < 0 ||
	    chmod(address->sun_path, 0660) < 0 ||
	    lstat(address->sun_path, &st) < 0 ||
	    listen(fd, SOCKET_BACKLOG) < 0) {
		r = -errno;
		unlink(address->sun_path);
		return r;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

int
socket_open(const char *path, const struct socket_owner *owner,
    struct listener *ret)
{
	struct listener l = { .fd = -1, .inherited = false };
	struct sockaddr_un address;
	int r = fill_address(path, &address);

	if (r == 0)
		r = remove_stale(&address);
	if (r < 0)
		return r;
	memcpy(l.path, path, strlen(path));
	l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l.fd < 0)
		/* cppcheck-suppress memleak ; there is none to close */
		return -errno;
	r = bind_file(l.fd, &address, owner, &l);
	if (r < 0) {
		close(l.fd);
		return r;
	}
	*ret = l;
	return 0;
}

/* What kind of socket somebody else made. */
static bool
has_option(int fd, int option, int want)
{
	int value = 0;
	socklen_t n = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &n) == 0 &&
	    value == want;
}

/* Bound to this very path; abstract and unnamed sockets are at none. */
static bool
is_at(int fd, const char *path)
{
	struct sockaddr_un a = { 0 };
	socklen_t n = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &n) == 0 &&
	    a.sun_family == AF_UNIX && n > sizeof(a.sun_family) &&
	    strncmp(a.sun_path, path, sizeof(a.sun_path)) == 0;
}

/* Which group the passed socket is for, or -1. */
static int
group_of(int fd, const char *name, const struct listener *v)
{
	for (int g = 0; g < SERVER_GROUPS; g++)
		if (name && strcmp(name, unit_names[g]) == 0)
			return g;
	for (int g = 0; g < SERVER_GROUPS; g++)
		if (v[g].path[0] && is_at(fd, v[g].path))
			return g;
	return -1;
}

/* Take it into its group's place; what nobody asked for is closed. */
static int
inherit_one(int fd, const char *name, struct listener *v)
{
	int g = group_of(fd, name, v);

	if (g < 0 || v[g].fd >= 0) {
		log_event(LOG_WARN, "socket_unknown", "fd=%d name=\"%s\"", fd,
		    name ? name : "");
		close(fd);
		return 0;
	}
	/* Unix only: whoever connects is trusted with 2 GiB allocations. */
	if (!has_option(fd, SO_DOMAIN, AF_UNIX) ||
	    !has_option(fd, SO_TYPE, SOCK_STREAM) ||
	    !has_option(fd, SO_ACCEPTCONN, 1)) {
		log_event(LOG_ERROR_, "socket_refused", "fd=%d name=\"%s\" "
		    "why=\"not a listening Unix stream socket\"", fd,
		    name ? name : "");
		return -EPROTOTYPE;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	v[g].fd = fd;
	v[g].inherited = true;
	return 0;
}

static long
env_number(const char *name)
{
	const char *s = getenv(name);

	return s ? strtol(s, NULL, 10) : 0;
}

int
sockets_inherit(struct listener v[SERVER_GROUPS], int first_fd)
{
	long n = env_number("LISTEN_FDS");
	const char *env = getenv("LISTEN_FDNAMES");
	char *names = env ? strdup(env) : NULL;
	char *rest = names;
	int r = 0;

	if (env_number("LISTEN_PID") != (long)getpid() || n > INHERIT_MAX)
		n = 0;
	for (int i = 0; i < n && r == 0; i++) {
		const char *name = strsep(&rest, ":");

		r = inherit_one(first_fd + i, name, v);
	}
	free(names);
	/* Whatever we start was not meant. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return r;
}

static const char *
path_of(const struct settings *s, int group)
{
	return group == GROUP_MAIN ? s->server_socket : s->server_auth_socket;
}

/* The user we become owns the file, nginx's group may connect. */
static int
find_owner(const struct settings *s, const struct account *user,
    struct socket_owner *ret)
{
	*ret = (struct socket_owner){ user->uid, user->gid };
	if (!s->server_socket_group[0])
		return 0;
	if (user_group(s->server_socket_group, &ret->gid) == 0)
		return 0;
	log_event(LOG_ERROR_, "socket_refused",
	    "why=\"server.socket_group: no such group\" group=\"%s\"",
	    s->server_socket_group);
	return -ENOENT;
}

/* Words for what an administrator can do something about. */
static const char *
reason(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "another process listens on it";
	case -EEXIST:
		return "the file exists and is no socket";
	case -ENAMETOOLONG:
		return "a socket path has 1 to 107 bytes";
	case -ENOENT:
		return "its folder does not exist";
	default:
		return strerror(-error);
	}
}

int
sockets_open(const struct settings *s, const struct account *user,
    struct listener v[SERVER_GROUPS])
{
	struct socket_owner owner;
	int r;

	for (int g = 0; g < SERVER_GROUPS; g++) {
		v[g] = (struct listener){ .fd = -1 };
		strncpy(v[g].path, path_of(s, g), SOCKET_PATH_MAX);
	}
	r = find_owner(s, user, &owner);
	if (r == 0)
		r = sockets_inherit(v, INHERIT_FIRST);
	for (int g = 0; g < SERVER_GROUPS && r == 0; g++) {
		const char *path = path_of(s, g);

		if (v[g].fd >= 0)
			continue;
		r = socket_open(path, &owner, &v[g]);
		if (r < 0)
			log_event(LOG_ERROR_, "socket_refused",
			    "path=\"%s\" why=\"%s\"", path, reason(r));
	}
	if (r < 0)
		sockets_close(v);
	return r;
}

static bool
is_our_file(const struct listener *l)
{
	struct stat st;

	return !l->inherited && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino;
}

void
sockets_close(struct listener v[SERVER_GROUPS])
{
	for (int g = 0; g < SERVER_GROUPS; g++) {
		if (v[g].fd < 0)
			continue;
		/* First the file: once nobody listens, it is anybody's to
		 * replace, and its inode number free for another. */
		if (is_our_file(&v[g]))
			unlink(v[g].path);
		close(v[g].fd);
		v[g].fd = -1;
	}
}
