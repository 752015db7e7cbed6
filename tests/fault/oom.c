/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A preload that lets chosen allocations of one process fail, as told by a
 * file that is mapped by its name, OOM_CONTROL. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define FRAMES 16
#define SITES 4096

enum mode { COUNT = 1, AT_SITE, FROM_SITE };

/* A place in the program from which memory is asked for: the addresses on the
 * stack. tests/lib/oom.py knows this layout. */
struct site {
	uint64_t hash;
	uint64_t times;
	uint64_t size;
	uint64_t frames[FRAMES];
};

struct control {
	uint32_t pid;		/* who is meant; 0: nobody */
	uint32_t children;	/* not pid, but the first child of it that asks */
	uint32_t victim;	/* who that was */
	uint32_t mode;
	uint64_t site;		/* whose first allocation fails */
	uint64_t hits;		/* allocations that failed */
	uint64_t seen;
	uint64_t n_sites;
	uint64_t in_use;	/* mallinfo2 when last looked at */
	uint64_t look;		/* look at the next allocation */
	struct site sites[SITES];
};

static struct control *control;
static bool inside;	/* what we ourselves ask for does not count */

/* A worker's stack ends where it was forked: what lies above differs between
 * the first and those that replace it. */
static uintptr_t forked_at = UINTPTR_MAX;

/* dlsym may ask for memory before it has told where memory comes from. */
static _Alignas(16) char early[16384];
static size_t early_used;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void (*real_free)(void *);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static pid_t (*real_fork)(void);

static void *
early_alloc(size_t n)
{
	void *p = early + early_used;

	early_used += (n + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		abort();
	return p;
}

static bool
is_early(const void *p)
{
	return (const char *)p >= early &&
	    (const char *)p < early + sizeof(early);
}

/* Once; what it asks for itself comes from `early`. */
static void
find_real(void)
{
	static bool begun;

	if (begun)
		return;
	begun = true;
	*(void **)&real_free = dlsym(RTLD_NEXT, "free");
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)&real_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)&real_mmap = dlsym(RTLD_NEXT, "mmap");
	*(void **)&real_fork = dlsym(RTLD_NEXT, "fork");
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
}

static void
note_site(uint64_t hash, size_t size, const uint64_t *frames, int n)
{
	struct site *site;
	uint64_t i;

	if (!control)
		return;
	for (i = 0; i < control->n_sites; i++) {
		if (control->sites[i].hash == hash) {
			control->sites[i].times++;
			return;
		}
	}
	if (i == SITES)
		abort();
	site = &control->sites[i];
	*site = (struct site){ .hash = hash, .times = 1, .size = size };
	for (int k = 0; k < n; k++)
		site->frames[k] = frames[k];
	control->n_sites = i + 1;
}

/* One walk up the stack. */
struct walk {
	uint64_t frames[FRAMES];
	int n;
	int skip;
};

static _Unwind_Reason_Code
step(struct _Unwind_Context *at, void *arg)
{
	struct walk *walk = arg;

	if ((uintptr_t)_Unwind_GetCFA(at) > forked_at || walk->n == FRAMES)
		return _URC_END_OF_STACK;
	if (walk->skip > 0)
		walk->skip--;
	else
		walk->frames[walk->n++] = (uint64_t)_Unwind_GetIP(at);
	return _URC_NO_REASON;
}

/* FNV-1a over the callers; the first three are ours. */
__attribute__((noinline)) static uint64_t
where_from(size_t size)
{
	struct walk walk = { .skip = 3 };
	uint64_t hash = 14695981039346656037u;

	_Unwind_Backtrace(step, &walk);
	for (int i = 0; i < walk.n; i++)
		hash = (hash ^ walk.frames[i]) * 1099511628211u;
	note_site(hash, size, walk.frames, walk.n);
	return hash;
}

/* The unwinder loads a library at its first use: here, not under a malloc. */
__attribute__((constructor)) static void
begin(void)
{
	const char *name = getenv("OOM_CONTROL");
	void *map;
	int fd;

	inside = true;
	find_real();
	where_from(0);
	inside = false;
	fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	map = real_mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		control = map;
}

/* Is this process meant? Of several children the first to ask, alone. */
static bool
is_meant(void)
{
	uint32_t pid = __atomic_load_n(&control->pid, __ATOMIC_ACQUIRE);
	uint32_t self = (uint32_t)getpid(), nobody = 0;

	if (pid == 0 || !control->children)
		return pid == self;
	if (pid != (uint32_t)getppid())
		return false;
	return __atomic_compare_exchange_n(&control->victim, &nobody, self,
	    false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) || nobody == self;
}

/* Shall this one fail? */
__attribute__((noinline)) static bool
fails(size_t size)
{
	uint64_t hash;
	bool hit;

	if (!control || inside || !is_meant())
		return false;
	inside = true;
	if (control->look) {
		control->in_use = mallinfo2().uordblks;
		control->look = 0;
	}
	control->seen++;
	if (control->mode == FROM_SITE && control->hits > 0) {
		hit = true;
	} else {
		hash = where_from(size);
		hit = control->mode != COUNT && hash == control->site &&
		    control->hits == 0;
	}
	control->hits += hit;
	inside = false;
	if (hit)
		errno = ENOMEM;
	return hit;
}

void *
malloc(size_t n)
{
	find_real();
	if (!real_malloc)
		return early_alloc(n);
	return fails(n) ? NULL : real_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	find_real();
	if (!real_malloc)
		return early_alloc(n * size);
	return fails(n * size) ? NULL : real_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	find_real();
	if (!real_malloc || is_early(p))
		abort();
	return fails(n) ? NULL : real_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	find_real();
	return fails(all) ? NULL : real_realloc(p, all);
}

int
posix_memalign(void **ret, size_t align, size_t n)
{
	find_real();
	return fails(n) ? ENOMEM : real_posix_memalign(ret, align, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	find_real();
	return fails(n) ? NULL : real_aligned_alloc(align, n);
}

void
free(void *p)
{
	if (p && !is_early(p) && real_free)
		real_free(p);
}

/* Large pieces, such as Argon2's, come from here without malloc. */
void *
mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	find_real();
	if (flags & MAP_ANONYMOUS && fails(n))
		return MAP_FAILED;
	return real_mmap(at, n, protection, flags, fd, offset);
}

pid_t
fork(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	pid_t pid;

	find_real();
	pid = fails(0) ? -1 : real_fork();
	if (pid == 0)
		forked_at = here + 64;
	return pid;
}
