/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tries what a service has no business with: a line "WHAT ok|ERRNO" each. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
tell(const char *what, int failed)
{
	printf("%s %s\n", what, failed ? strerrorname_np(errno) : "ok");
	fflush(stdout);
}

/* Of a program's start only the failure comes back. */
static void
try_exec(const char *what, const char *path)
{
	int ends[2], error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		tell(what, 1);
		return;
	}
	if (pid == 0) {
		execl(path, path, (char *)NULL);
		error = errno;
		if (write(ends[1], &error, sizeof(error)) < 0)
			_exit(2);
		_exit(1);
	}
	close(ends[1]);
	if (read(ends[0], &error, sizeof(error)) <= 0)
		error = 0;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	errno = error;
	tell(what, error != 0);
}

static void
try_socket(const char *what, int family, int type)
{
	int fd = socket(family, type, 0);

	tell(what, fd < 0);
	if (fd >= 0)
		close(fd);
}

static void
try_write(const char *what, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	tell(what, fd < 0);
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
}

static void
try_read(const char *what, const char *path)
{
	int fd = open(path, O_RDONLY);

	tell(what, fd < 0);
	if (fd >= 0)
		close(fd);
}

int
main(void)
{
	struct stat st;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	try_exec("exec", "/usr/bin/true");
	try_exec("exec_shell", "/bin/sh");
	try_socket("inet", AF_INET, SOCK_STREAM);
	try_socket("inet6", AF_INET6, SOCK_DGRAM);
	try_socket("netlink", AF_NETLINK, SOCK_RAW);
	try_socket("packet", AF_PACKET, SOCK_RAW);
	try_socket("unix", AF_UNIX, SOCK_STREAM);
	try_write("write_etc", "/etc/docket/probe");
	try_write("write_var", "/var/lib/docket/probe");
	try_write("write_usr", "/usr/share/docket/probe");
	try_read("read_shadow", "/etc/shadow");
	try_read("read_home", "/root/.bashrc");
	try_read("read_secret", "/etc/docket/secret.key");
	tell("write_exec_memory", page == MAP_FAILED);
	if (mount("none", "/mnt", "tmpfs", 0, NULL) == 0) {
		umount2("/mnt", 0);
		tell("mount", 0);
	} else {
		tell("mount", 1);
	}
	tell("user_namespace", unshare(CLONE_NEWUSER));
	tell("personality", personality(0x0040000) < 0);
	tell("setuid_bit", chmod("/proc/self/exe", 04755));
	tell("others", stat("/proc/1", &st));
	tell("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
	return 0;
}
