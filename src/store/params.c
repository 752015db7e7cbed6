/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parameters in PostgreSQL's binary format: big-endian, arrays with headers. */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "store/pgtype.h"

static int
next(struct db_params *p)
{
	assert(p->n < DB_PARAMS_MAX);
	p->values[p->n] = NULL;
	p->lengths[p->n] = 0;
	p->formats[p->n] = 1;
	return p->n++;
}

/* The bytes live in the parameter's own scratch. */
static void
push_scratch(struct db_params *p, const void *bytes, size_t n)
{
	int i = next(p);

	memcpy(p->scratch[i], bytes, n);
	p->values[i] = (const char *)p->scratch[i];
	p->lengths[i] = (int)n;
}

void
db_null(struct db_params *p)
{
	next(p);
}

void
db_text(struct db_params *p, struct text t)
{
	int i = next(p);

	p->values[i] = t.s;
	p->lengths[i] = (int)t.n;
}

void
db_bytes(struct db_params *p, struct text t)
{
	db_text(p, t);
}

void
db_uuid(struct db_params *p, const struct uuid *id)
{
	int i = next(p);

	if (uuid_is_nil(id))
		return;
	p->values[i] = (const char *)id->b;
	p->lengths[i] = sizeof(id->b);
}

void
db_int(struct db_params *p, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);

	if (v == INT_NONE)
		db_null(p);
	else
		push_scratch(p, &be, sizeof(be));
}

void
db_int4(struct db_params *p, int32_t v)
{
	uint32_t be = htobe32((uint32_t)v);

	push_scratch(p, &be, sizeof(be));
}

void
db_bool(struct db_params *p, bool v)
{
	char c = v;

	push_scratch(p, &c, 1);
}

void
db_time(struct db_params *p, int64_t us)
{
	db_int(p, us == TIME_NONE ? INT_NONE : us - PG_EPOCH_US);
}

static char *
put4(char *at, size_t v)
{
	uint32_t be = htobe32((uint32_t)v);

	memcpy(at, &be, sizeof(be));
	return at + sizeof(be);
}

/* Dimensions, no NULLs, element type; then length and lower bound of the one
 * dimension, which an empty array does not have. */
static char *
put_header(char *at, uint32_t type, size_t n)
{
	at = put4(at, n > 0);
	at = put4(at, 0);
	at = put4(at, type);
	if (n == 0)
		return at;
	at = put4(at, n);
	return put4(at, 1);
}

#define ARRAY_HEADER 20

static void
push_array(struct db_params *p, const char *array, const char *end)
{
	int i = next(p);

	p->values[i] = array;
	p->lengths[i] = (int)(end - array);
}

void
db_texts(struct db_params *p, struct arena *mem, struct texts v)
{
	size_t size = ARRAY_HEADER;
	char *array, *at;

	if (!v.v) {
		db_null(p);
		return;
	}
	for (size_t i = 0; i < v.n; i++)
		size += 4 + v.v[i].n;
	array = arena_alloc(mem, size);
	at = put_header(array, PG_TEXT, v.n);
	for (size_t i = 0; i < v.n; i++) {
		at = put4(at, v.v[i].n);
		if (v.v[i].n > 0)
			memcpy(at, v.v[i].s, v.v[i].n);
		at += v.v[i].n;
	}
	push_array(p, array, at);
}

void
db_uuids(struct db_params *p, struct arena *mem, const struct uuid *v,
    size_t n)
{
	char *array, *at;

	if (!v) {
		db_null(p);
		return;
	}
	array = arena_alloc(mem, ARRAY_HEADER + n * (4 + sizeof(v->b)));
	at = put_header(array, PG_UUID, n);
	for (size_t i = 0; i < n; i++) {
		at = put4(at, sizeof(v->b));
		memcpy(at, v[i].b, sizeof(v->b));
		at += sizeof(v->b);
	}
	push_array(p, array, at);
}
