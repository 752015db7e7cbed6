/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a key ring and as a master secret: keys that may be used, or a
 * refusal by file and line. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ecdsa.h"
#include "core/ring.h"
#include "core/weak.h"
#include "lib/input.h"

static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	file = memfd_create("ring", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return file < 0 || fchmod(file, 0600) || crypto_init();
}

/* "file:line: why" or "file: why", and nothing of the bytes in it. */
static void
check_report(const char *said, bool ok)
{
	const size_t n = strlen(path);

	must(ok == !*said, "the result and the report disagree");
	while (*said) {
		const char *end = strchr(said, '\n');

		must(end && strncmp(said, path, n) == 0 && said[n] == ':',
		    "a refusal without its file");
		said += n + 1;
		said += strspn(said, "0123456789");
		said += *said == ':';
		must(*said == ' ' && said + 1 < end, "a refusal without why");
		for (; said < end; said++)
			must(*said >= ' ' && *said < 0x7f,
			    "a byte of the file in the report");
		said = end + 1;
	}
}

static void
check_secret(const struct secret *s)
{
	must(s->n >= 32 && s->n <= sizeof(s->b), "a secret's length");
	must(!secret_is_weak(s->b, s->n), "a weak secret");
}

static void
check_ring(const struct token_ring *ring)
{
	must(ring->n >= 1 && ring->n <= RING_KEYS && ring->current < ring->n,
	    "no current key");
	for (size_t i = 0; i < ring->n; i++) {
		const struct ring_key *key = &ring->v[i];
		const struct text kid = text_of(key->kid);

		check_secret(&key->secret);
		must(ring_algorithm(text_of(key->alg)) == key->alg,
		    "an algorithm");
		must((strcmp(key->alg, "ES256") == 0) == (key->pair.key !=
		    NULL), "an algorithm without its key");
		must(!key->pair.key || (key->secret.n == CRYPTO_SCALAR &&
		    ecdsa_scalar(key->secret.b)), "no scalar of P-256");
		must(key->since >= 0, "an instant");
		must((key->role == RING_CURRENT) == (i == ring->current),
		    "a second current key");
		must(kid.n >= 1 && kid.n <= RING_KID, "a KID's length");
		must(ring_find(ring, kid) == key, "a KID twice");
	}
}

/* What is printed of it is the same ring, and says no more. */
static void
check_print(const struct token_ring *ring)
{
	struct arena *mem = arena_new(16384);
	struct buf one = { 0 }, two = { 0 };
	struct token_ring *again;

	must(mem, "no memory");
	ring_print(ring, mem, &one);
	must(ftruncate(file, 0) == 0 &&
	    pwrite(file, one.p, one.n, 0) == (ssize_t)one.n, "no room");
	again = token_ring_load(NULL, path, stderr);
	must(again && again->n == ring->n && again->current == ring->current,
	    "a printed ring is another one");
	ring_print(again, mem, &two);
	must(one.n == two.n && memcmp(one.p, two.p, one.n) == 0,
	    "a ring prints otherwise");
	token_ring_free(again);
	buf_done(&one);
	buf_done(&two);
	arena_free(mem);
}

/* Turned, it is a whole ring, with one current and one next key at least. */
static void
check_turn(struct token_ring *ring)
{
	const struct ring_turn turn = {
		.alg = ring_algorithm(TEXT("HS256")),
		.now = INT64_C(1800000000), .keep = 640, .at_once = true,
	};
	bool turned = false;
	const int r = ring_rotate(ring, &turn, &turned);

	must(r == 0 || r == -ENOSPC, "a fault");
	must(r || turned, "told to turn at once");
	check_ring(ring);
	check_print(ring);
}

static void
load_ring(void)
{
	char *said;
	size_t n;
	FILE *err = open_memstream(&said, &n);
	struct token_ring *ring;

	must(err, "no memory");
	ring = token_ring_load(NULL, path, err);
	fclose(err);
	check_report(said, ring != NULL);
	if (ring) {
		check_ring(ring);
		check_print(ring);
		check_turn(ring);
	}
	token_ring_free(ring);
	free(said);
}

static void
load_secret(void)
{
	struct secret secret = { .n = 0 };
	char *said;
	size_t n;
	FILE *err = open_memstream(&said, &n);
	int r;

	must(err, "no memory");
	r = secret_load(NULL, path, err, &secret);
	must(r == 0 || r == -EINVAL, "another fault");
	fclose(err);
	check_report(said, r == 0);
	if (r == 0)
		check_secret(&secret);
	else
		must(secret.n == 0, "refused, yet written");
	secret_done(&secret);
	free(said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	must(ftruncate(file, 0) == 0 &&
	    pwrite(file, data, size, 0) == (ssize_t)size, "no room");
	load_secret();
	load_ring();
	return 0;
}
