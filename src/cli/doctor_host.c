/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Doctor, the host's part: clock, keys, hashing. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/doctor.h"
#include "cli/service.h"
#include "core/password.h"
#include "core/ring.h"

#define APART_US (2 * TIME_SECOND)
#define HASHES 3
#define HASH_SLOW_US 400000
#define KEY_OLD (400 * INT64_C(86400))

/* ---- clock ---- */

/* Codes, tokens and sessions are as good as these clocks agree. */
static void
clock_look(struct doctor *d)
{
	struct timex state = { .modes = 0 };
	const bool known = adjtimex(&state) >= 0;
	const bool loose = known && (state.status & STA_UNSYNC);
	const int64_t apart = d->server_known ?
	    d->server.now - d->asked_at : 0;

	if (apart > APART_US || apart < -APART_US)
		doctor_tell(d, DOCTOR_FAIL, "timedatectl set-ntp true, on "
		    "both hosts", "the database's clock is %" PRId64 " ms off "
		    "ours", apart / 1000);
	if (loose)
		doctor_tell(d, DOCTOR_WARN, "apt install systemd-timesyncd; "
		    "timedatectl says more", "nothing keeps the clock right "
		    "(NTP)");
	doctor_tell(d, DOCTOR_OK, NULL, "%s%s", known ? "kept right by NTP" :
	    "whether NTP keeps it cannot be asked here", d->server_known ?
	    ", as the database's" : "");
}

/* ---- keys ---- */

/* What the loaders say of a file is the fault. */
static const char *
complaint(struct doctor *d, bool (*load)(struct doctor *, FILE *))
{
	char said[1024] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");
	bool good = err && load(d, err);

	if (err)
		fclose(err);
	said[strcspn(said, "\n")] = '\0';
	return good ? NULL : arena_copy(d->mem, said, strlen(said));
}

static bool
secret_good(struct doctor *d, FILE *err)
{
	struct secret secret = { .n = 0 };
	const bool good = secret_load("server.secret_file",
	    d->settings.server_secret_file, err, &secret) == 0;

	secret_done(&secret);
	return good;
}

/* Its age, and whether the next one is there. */
static void
ring_tell(struct doctor *d, const struct token_ring *ring)
{
	const int64_t now = clock_real_us() / TIME_SECOND;
	const struct ring_key *current = &ring->v[ring->current];
	const int64_t age = current->since ? now - current->since : 0;
	bool next = false;

	for (size_t i = 0; i < ring->n; i++)
		next = next || ring->v[i].role == RING_NEXT;
	if (age > KEY_OLD)
		doctor_tell(d, DOCTOR_WARN, next ? "docket key rotate, then "
		    "systemctl reload docket" : "docket key generate, reload, "
		    "and a day later docket key rotate", "key %s signs since "
		    "%" PRId64 " days", current->kid, age / 86400);
	doctor_tell(d, DOCTOR_OK, NULL, "%zu key%s, %s signs (%s)%s", ring->n,
	    ring->n == 1 ? "" : "s", current->kid, current->alg,
	    next ? ", the next one is known" : "");
}

static bool
ring_good(struct doctor *d, FILE *err)
{
	struct token_ring *ring = token_ring_load("auth.key_file",
	    d->settings.auth_key_file, err);

	if (ring)
		ring_tell(d, ring);
	token_ring_free(ring);
	return ring;
}

static const char *
keys_next(const struct doctor *d)
{
	if (geteuid() != 0)
		return "run this as root, or as the service's account";
	if (access(d->settings.server_secret_file, F_OK) < 0 &&
	    access(d->settings.auth_key_file, F_OK) < 0)
		return "nothing is set up here yet: docket setup --domain NAME";
	return "docket key generate makes a ring; a secret is never made anew "
	    "lightly: docket restore --keys brings the old one back";
}

static void
keys_look(struct doctor *d)
{
	const char *why = complaint(d, secret_good);

	if (!why)
		why = complaint(d, ring_good);
	if (why)
		doctor_tell(d, DOCTOR_FAIL, keys_next(d), "%s", why);
}

/* Somebody else's file is one that somebody else may change. */
static void
owner_look(struct doctor *d, const char *path)
{
	const char *name = service_user(d->mem, &d->settings);
	const struct passwd *who = getpwnam(name);
	struct stat st;

	if (stat(path, &st) < 0)
		doctor_tell(d, DOCTOR_FAIL, "see keys", "%s: %s", path,
		    strerror(errno));
	else if (st.st_mode & 0077)
		doctor_tell(d, DOCTOR_FAIL, "chmod 600, and take the key for "
		    "known: docket key rotate --now", "%s: mode %03o, others "
		    "may read it", path, st.st_mode & 0777);
	else if (st.st_uid != 0 && st.st_uid != geteuid() &&
	    (!who || st.st_uid != who->pw_uid))
		doctor_tell(d, DOCTOR_WARN, "chown it to the service's "
		    "account", "%s belongs to uid %u, neither %s nor root",
		    path, st.st_uid, name);
}

static void
files_look(struct doctor *d)
{
	owner_look(d, d->settings.server_secret_file);
	owner_look(d, d->settings.auth_key_file);
	doctor_tell(d, DOCTOR_OK, NULL, "nobody else may read the keys");
}

/* ---- hashing ---- */

static void
hash_look(struct doctor *d)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const long slots = d->settings.auth_hash_slots ?
	    d->settings.auth_hash_slots : cores / 2 > 1 ? cores / 2 : 1;
	int64_t best = INT64_MAX;
	struct text hash;

	if (password_init() < 0)
		return;
	for (int i = 0; i < HASHES; i++) {
		const int64_t from = clock_real_us();

		if (password_hash(d->mem, TEXT("correct horse"), &hash) < 0)
			return;
		if (clock_real_us() - from < best)
			best = clock_real_us() - from;
	}
	if (best > HASH_SLOW_US)
		doctor_tell(d, DOCTOR_WARN, "give the host more, or look who "
		    "else uses it (top)", "one password takes %" PRId64
		    " ms", best / 1000);
	doctor_tell(d, DOCTOR_OK, NULL, "one password takes %" PRId64 " ms; "
	    "%ld slot%s: some %" PRId64 " logins a second", best / 1000,
	    slots, slots == 1 ? "" : "s",
	    slots * TIME_SECOND / (best > 0 ? best : 1));
}

static const struct doctor_check checks[] = {
	{ "clock", clock_look },
	{ "keys", keys_look },
	{ "key-files", files_look },
	{ "hashing", hash_look },
	{ "disk", doctor_disk },
};

const struct doctor_part doctor_host = {
	checks, sizeof(checks) / sizeof(checks[0])
};
