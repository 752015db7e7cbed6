/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads a folder of migrations: numbered without gaps, checksummed. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/crypto.h"
#include "store/scripts.h"

#define SCRIPT_MAX ((size_t)4 << 20)

static int
is_sql(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && entry->d_name[0] != '.' &&
	    strcmp(entry->d_name + n - 4, ".sql") == 0;
}

/* NNNN_ and something. */
static bool
number_of(const char *name, int64_t *ret)
{
	for (int i = 0; i < 4; i++)
		if (!isdigit((unsigned char)name[i]))
			return false;
	if (name[4] != '_' || name[5] == '.')
		return false;
	*ret = strtol(name, NULL, 10);
	return true;
}

static char *
read_file(const char *path, struct arena *mem, size_t *ret_n)
{
	FILE *f = fopen(path, "re");
	char *bytes = NULL;
	long n = 0;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0 &&
	    (size_t)n <= SCRIPT_MAX && fseek(f, 0, SEEK_SET) == 0) {
		bytes = arena_alloc(mem, (size_t)n + 1);
		*ret_n = (size_t)n;
		if (fread(bytes, 1, *ret_n, f) != *ret_n)
			bytes = NULL;
	}
	fclose(f);
	return bytes;
}

static int
script_read(const char *dir, const char *name, struct arena *mem, FILE *err,
    struct script *ret)
{
	uint8_t hash[CRYPTO_HASH];
	size_t n;

	if (!number_of(name, &ret->number)) {
		fprintf(err, "docket: %s/%s: not NNNN_name.sql\n", dir, name);
		return EX_DATAERR;
	}
	ret->name = arena_copy(mem, name, strlen(name));
	errno = EFBIG;
	ret->sql = read_file(arena_printf(mem, "%s/%s", dir, name), mem, &n);
	if (!ret->sql || crypto_sha256(ret->sql, n, hash)) {
		fprintf(err, "docket: %s/%s: %s\n", dir, name,
		    strerror(errno));
		return EX_NOINPUT;
	}
	hex_write(ret->checksum, hash, sizeof(hash));
	return 0;
}

/* Numbers count up from 1: a file that is missing here is a file that some
 * other database may have. */
static int
check_number(const struct script *s, size_t i, const char *dir, FILE *err)
{
	if (s->number == (int64_t)i + 1)
		return 0;
	fprintf(err, "docket: %s: expected %04zu_*.sql, found %s\n", dir,
	    i + 1, s->name);
	return EX_DATAERR;
}

int
scripts_read(const char *dir, struct arena *mem, FILE *err,
    struct scripts *ret)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_sql, alphasort), status = 0;

	if (n <= 0) {
		fprintf(err, "docket: %s: %s\n", dir,
		    n < 0 ? strerror(errno) : "no migrations here");
		if (n == 0)
			free(names);
		return EX_NOINPUT;
	}
	ret->v = arena_array(mem, (size_t)n, sizeof(*ret->v));
	ret->n = (size_t)n;
	for (int i = 0; i < n; i++) {
		if (status == 0)
			status = script_read(dir, names[i]->d_name, mem, err,
			    &ret->v[i]);
		if (status == 0)
			status = check_number(&ret->v[i], (size_t)i, dir, err);
		free(names[i]);
	}
	free(names);
	return status;
}
