/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* server/sockets: files that are replaced, files that are not, inheritance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/sockets.h"

static char folder[] = "/tmp/docket-socket-XXXXXX";
static const struct socket_owner nobody = { (uid_t)-1, (gid_t)-1 };

static const char *
at(const char *name)
{
	static char path[2][64];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void
close_one(struct listener *l)
{
	struct listener v[SERVER_GROUPS] = { *l, { .fd = -1 } };

	sockets_close(v);
}

static void
opens_for_owner_and_group_alone(void **state)
{
	struct listener l;
	struct stat st;

	(void)state;
	assert_int_equal(socket_open(at("a"), &nobody, &l), 0);
	assert_int_equal(lstat(at("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
	assert_false(l.inherited);
	close_one(&l);
	assert_int_equal(access(at("a"), F_OK), -1);
}

static void
a_path_has_107_bytes_at_most(void **state)
{
	char path[SOCKET_PATH_MAX + 2];
	struct listener l;

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path, folder, strlen(folder));
	path[strlen(folder)] = '/';
	path[SOCKET_PATH_MAX + 1] = '\0';
	assert_int_equal(socket_open(path, &nobody, &l), -ENAMETOOLONG);
	path[SOCKET_PATH_MAX] = '\0';
	assert_int_equal(socket_open(path, &nobody, &l), 0);
	assert_int_equal(access(path, F_OK), 0);
	close_one(&l);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(socket_open("", &nobody, &l), -ENAMETOOLONG);
}

static void
replaces_the_dead_and_leaves_the_living(void **state)
{
	struct listener first, second;

	(void)state;
	assert_int_equal(socket_open(at("b"), &nobody, &first), 0);
	assert_int_equal(socket_open(at("b"), &nobody, &second), -EADDRINUSE);
	/* the file stays, as after kill -9 */
	close(first.fd);
	assert_int_equal(access(at("b"), F_OK), 0);
	assert_int_equal(socket_open(at("b"), &nobody, &second), 0);
	close_one(&second);
	assert_int_equal(access(at("b"), F_OK), -1);
}

static void
removes_no_file_but_its_own(void **state)
{
	struct listener l;
	int fd;

	(void)state;
	assert_int_equal(socket_open(at("g"), &nobody, &l), 0);
	assert_int_equal(unlink(at("g")), 0);
	fd = open(at("g"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	close_one(&l);
	assert_int_equal(unlink(at("g")), 0);
}

static void
never_removes_what_is_no_socket(void **state)
{
	struct listener l;
	int fd = open(at("file"), O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	assert_int_equal(socket_open(at("file"), &nobody, &l), -EEXIST);
	assert_int_equal(access(at("file"), F_OK), 0);
	assert_int_equal(unlink(at("file")), 0);
	assert_int_equal(socket_open(at("no/where"), &nobody, &l), -ENOENT);
}

/* A listening Unix socket as systemd would pass it. */
static int
passed(const char *path)
{
	struct listener l;

	assert_int_equal(socket_open(path, &nobody, &l), 0);
	fcntl(l.fd, F_SETFL, 0);
	fcntl(l.fd, F_SETFD, 0);
	return l.fd;
}

static void
announce(int n, const char *names, long pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", n);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%ld", pid);
	setenv("LISTEN_PID", text, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
}

/* Put fd where a run of passed descriptors begins. */
static int
place(int fd, int first)
{
	assert_int_equal(dup2(fd, first), first);
	close(fd);
	return first;
}

static void
inherits_by_name(void **state)
{
	struct listener v[SERVER_GROUPS] = { { .fd = -1 }, { .fd = -1 } };

	(void)state;
	place(passed(at("c")), 50);
	place(passed(at("d")), 51);
	announce(2, "docket-auth.socket:docket.socket", (long)getpid());
	assert_int_equal(sockets_inherit(v, 50), 0);
	assert_int_equal(v[0].fd, 51);
	assert_int_equal(v[1].fd, 50);
	assert_true(v[0].inherited && v[1].inherited);
	assert_true(fcntl(50, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(50, F_GETFD) & FD_CLOEXEC);
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
	sockets_close(v);
	/* systemd's files are systemd's */
	assert_int_equal(unlink(at("c")), 0);
	assert_int_equal(unlink(at("d")), 0);
}

static void
inherits_by_path(void **state)
{
	struct listener v[SERVER_GROUPS] = { { .fd = -1 }, { .fd = -1 } };

	(void)state;
	strcpy(v[0].path, at("e"));
	strcpy(v[1].path, at("f"));
	place(passed(at("f")), 50);
	place(passed(at("other")), 51);
	announce(2, NULL, (long)getpid());
	assert_int_equal(sockets_inherit(v, 50), 0);
	assert_int_equal(v[0].fd, -1);
	assert_int_equal(v[1].fd, 50);
	/* nobody knows the other: closed */
	assert_int_equal(fcntl(51, F_GETFD), -1);
	sockets_close(v);
	assert_int_equal(unlink(at("f")), 0);
	assert_int_equal(unlink(at("other")), 0);
}

static void
what_is_for_another_process_is_not_ours(void **state)
{
	struct listener v[SERVER_GROUPS] = { { .fd = -1 }, { .fd = -1 } };

	(void)state;
	announce(2, "docket.socket:docket-auth.socket", 1);
	assert_int_equal(sockets_inherit(v, 50), 0);
	assert_int_equal(v[0].fd, -1);
	assert_null(getenv("LISTEN_PID"));
}

static void
refuses_tcp(void **state)
{
	struct listener v[SERVER_GROUPS] = { { .fd = -1 }, { .fd = -1 } };
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	place(fd, 50);
	announce(1, "docket.socket", (long)getpid());
	assert_int_equal(sockets_inherit(v, 50), -EPROTOTYPE);
	assert_int_equal(v[0].fd, -1);
	close(50);
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_for_owner_and_group_alone),
		cmocka_unit_test(a_path_has_107_bytes_at_most),
		cmocka_unit_test(replaces_the_dead_and_leaves_the_living),
		cmocka_unit_test(removes_no_file_but_its_own),
		cmocka_unit_test(never_removes_what_is_no_socket),
		cmocka_unit_test(inherits_by_name),
		cmocka_unit_test(inherits_by_path),
		cmocka_unit_test(what_is_for_another_process_is_not_ours),
		cmocka_unit_test(refuses_tcp),
	};

	return cmocka_run_group_tests_name("server_sockets", tests, set_up,
	    tear_down);
}
