/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* systemd-journald's native protocol by hand, as documented for those who want
 * no libsystemd: one datagram an entry. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log_form.h"

#define AT_ONCE 32

static struct sockaddr_un address;

int
journal_open(const char *path)
{
	const size_t n = strlen(path);

	if (n >= sizeof(address.sun_path) || access(path, W_OK) < 0)
		return -1;
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, path, n + 1);
	/* Not connected: journald may be restarted under us. */
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Its MESSAGE, as any service's standard error. */
static void
write_instead(const struct iovec *entry)
{
	static const char name[] = "MESSAGE=";
	const char *s = entry->iov_base, *at;

	at = memmem(s, entry->iov_len, "\nMESSAGE=", sizeof(name));
	if (!at)
		return;
	at += sizeof(name);
	if (write(STDERR_FILENO, at, (size_t)(s + entry->iov_len - at)) < 0)
		return;		/* and there is nobody else to tell */
}

/* Those that did not go are told elsewhere, one after the other. */
static void
send_some(int fd, struct iovec *v, unsigned n)
{
	struct mmsghdr m[AT_ONCE] = { 0 };
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		m[i].msg_hdr.msg_name = &address;
		m[i].msg_hdr.msg_namelen = sizeof(address);
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		int sent = sendmmsg(fd, m + done, n - done, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent > 0)
			done += (unsigned)sent;
		else
			write_instead(&v[done++]);
	}
}

void
journal_send(int fd, const char *entries, size_t n)
{
	struct iovec v[AT_ONCE];
	unsigned count = 0;
	uint16_t length;

	for (const char *end = entries + n; entries < end; entries += length) {
		memcpy(&length, entries, sizeof(length));
		entries += sizeof(length);
		v[count++] = (struct iovec){ (char *)(uintptr_t)entries,
			length };
		if (count == AT_ONCE || entries + length == end) {
			send_some(fd, v, count);
			count = 0;
		}
	}
}
