/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Result rows -> structs, by the statement's field descriptors. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/pgtype.h"
#include "store/who.h"
#include "store/wire.h"

/* One value as the server sent it. Its type was checked when the statement
 * was prepared; between integers the size tells. */
struct value {
	const char *s;
	size_t n;
};

static uint64_t
read8(const char *s)
{
	uint64_t be;

	memcpy(&be, s, sizeof(be));
	return be64toh(be);
}

static uint32_t
read4(const char *s)
{
	uint32_t be;

	memcpy(&be, s, sizeof(be));
	return be32toh(be);
}

static int
decode_text(struct arena *mem, const struct value *v, void *member)
{
	(void)mem;
	*(struct text *)member = (struct text){ v->s, v->n };
	return 0;
}

static int
decode_int(struct arena *mem, const struct value *v, void *member)
{
	int64_t i;

	(void)mem;
	if (v->n == 8)
		i = (int64_t)read8(v->s);
	else if (v->n == 4)
		i = (int32_t)read4(v->s);
	else if (v->n == 2)
		i = (int16_t)((uint8_t)v->s[0] << 8 | (uint8_t)v->s[1]);
	else
		return -EPROTO;
	*(int64_t *)member = i;
	return 0;
}

static int
decode_bool(struct arena *mem, const struct value *v, void *member)
{
	(void)mem;
	*(bool *)member = v->n == 1 && v->s[0];
	return 0;
}

static int
decode_uuid(struct arena *mem, const struct value *v, void *member)
{
	(void)mem;
	if (v->n != sizeof(struct uuid))
		return -EPROTO;
	memcpy(member, v->s, v->n);
	return 0;
}

/* Both infinities are no instant. */
static int
decode_time(struct arena *mem, const struct value *v, void *member)
{
	int64_t us;

	(void)mem;
	if (v->n != 8)
		return -EPROTO;
	us = (int64_t)read8(v->s);
	*(int64_t *)member = us == INT64_MIN || us == INT64_MAX ? TIME_NONE :
	    us + PG_EPOCH_US;
	return 0;
}

/* The header of a one-dimensional array without NULLs; put_header's mirror. */
static int
array_open(const struct value *v, size_t *ret_n, const char **ret_at)
{
	if (v->n < 12 || read4(v->s) > 1 || read4(v->s + 4) != 0)
		return -EPROTO;
	*ret_n = 0;
	*ret_at = v->s + v->n;
	if (read4(v->s) == 0)
		return 0;
	if (v->n < 20)
		return -EPROTO;
	*ret_n = read4(v->s + 12);
	*ret_at = v->s + 20;
	return *ret_n <= v->n / 4 ? 0 : -EPROTO;
}

/* The next item; NULL past the end of what was sent. */
static const char *
array_next(const struct value *v, const char **at, size_t *ret_n)
{
	const char *end = v->s + v->n, *item;

	if (end - *at < 4)
		return NULL;
	*ret_n = read4(*at);
	item = *at + 4;
	if ((size_t)(end - item) < *ret_n)
		return NULL;
	*at = item + *ret_n;
	return item;
}

static int
decode_texts(struct arena *mem, const struct value *v, void *member)
{
	struct texts t;
	const char *at;
	int error = array_open(v, &t.n, &at);

	if (error)
		return error;
	t.v = arena_array(mem, t.n + 1, sizeof(*t.v));
	for (size_t i = 0; i < t.n; i++)
		if (!(t.v[i].s = array_next(v, &at, &t.v[i].n)))
			return -EPROTO;
	*(struct texts *)member = t;
	return 0;
}

static int
decode_uuids(struct arena *mem, const struct value *v, void *member)
{
	struct uuid *ids;
	const char *at, *item;
	size_t n, size;
	int error = array_open(v, &n, &at);

	if (error)
		return error;
	ids = arena_array(mem, n + 1, sizeof(*ids));
	for (size_t i = 0; i < n; i++) {
		item = array_next(v, &at, &size);
		if (!item || size != sizeof(*ids))
			return -EPROTO;
		memcpy(&ids[i], item, size);
	}
	*(struct list *)member = (struct list){ .v = ids, .n = n };
	return 0;
}

struct decoder {
	int (*decode)(struct arena *mem, const struct value *v, void *member);
	uint32_t types[4];	/* that it takes; 0 ends */
};

/* Field types without a decoder are not columns. */
static const struct decoder decoders[FIELD__MAX] = {
	[FIELD_TEXT] = { decode_text,
	    { PG_TEXT, PG_VARCHAR, PG_NAME, PG_BPCHAR } },
	[FIELD_ENUM] = { decode_text, { PG_TEXT, PG_VARCHAR } },
	[FIELD_INT] = { decode_int, { PG_INT8, PG_INT4, PG_INT2 } },
	[FIELD_BOOL] = { decode_bool, { PG_BOOL } },
	[FIELD_UUID] = { decode_uuid, { PG_UUID } },
	[FIELD_TIME] = { decode_time, { PG_TIMESTAMPTZ } },
	[FIELD_TEXTS] = { decode_texts, { PG_TEXTS } },
	[FIELD_UUIDS] = { decode_uuids, { PG_UUIDS } },
	[FIELD_BYTES] = { decode_text, { PG_BYTEA } },
};

static bool
type_fits(const struct decoder *d, uint32_t type)
{
	for (size_t i = 0; i < 4; i++)
		if (d->types[i] && d->types[i] == type)
			return true;
	return false;
}

static bool
field_check_column(const struct field *f, const struct pg_result *res,
    int column, char *why, size_t size)
{
	if (strcmp(wire_name(res, column), f->name) != 0)
		snprintf(why, size, "column %d is %s, not %s", column + 1,
		    wire_name(res, column), f->name);
	else if (!type_fits(&decoders[f->type], wire_type(res, column)))
		snprintf(why, size, "column %s has type %u", f->name,
		    (unsigned)wire_type(res, column));
	else
		return true;
	return false;
}

bool
row_check(const struct stmt *stmt, const struct pg_result *res, char *why,
    size_t size)
{
	int first = stmt->who, want = first;

	if (stmt->row)
		want += (int)stmt->row->n;
	if (wire_columns(res) != want) {
		snprintf(why, size, "%d columns, not %d", wire_columns(res),
		    want);
		return false;
	}
	if (stmt->who && (strcmp(wire_name(res, 0), "who_state") != 0 ||
	    wire_type(res, 0) != PG_INT4)) {
		snprintf(why, size, "column 1 is not who_state int4");
		return false;
	}
	for (int i = first; i < want; i++)
		if (!field_check_column(&stmt->row->v[i - first], res, i, why,
		    size))
			return false;
	return true;
}

/* One row into one struct; *ret_any: whether any column had a value. */
static int
decode_row(struct arena *mem, const struct stmt *stmt,
    const struct pg_result *res, int row, char *object, bool *ret_any)
{
	int first = stmt->who;

	field_clear(stmt->row, object);
	*ret_any = false;
	for (int i = 0; i < (int)stmt->row->n; i++) {
		const struct field *f = &stmt->row->v[i];
		struct value v = { 0 };
		int error;

		v.s = wire_value(res, row, first + i, &v.n);
		if (!v.s)
			continue;
		*ret_any = true;
		error = decoders[f->type].decode(mem, &v, object + f->offset);
		if (error)
			return error;
	}
	return 0;
}

/* The state is the same in every row: the statement has one `who`. */
static int
decode_who(const struct pg_result *res)
{
	size_t n;
	const char *s = wire_rows(res) > 0 ? wire_value(res, 0, 0, &n) : NULL;

	return s && n == 4 ? who_error((int32_t)read4(s)) : -EPROTO;
}

int
row_decode(struct arena *mem, const struct stmt *stmt, struct pg_result *res,
    struct db_result *ret)
{
	int rows = wire_rows(res), error;
	size_t n = 0;
	char *v;
	bool any;

	*ret = (struct db_result){ .affected = wire_affected(res) };
	if (stmt->who && (ret->who = decode_who(res)) < 0)
		return ret->who;
	if (!stmt->row || ret->who)
		return 0;
	if (wire_columns(res) != (int)stmt->who + (int)stmt->row->n)
		return -EPROTO;
	v = arena_array(mem, (size_t)rows + 1, stmt->row->size);
	for (int i = 0; i < rows; i++) {
		error = decode_row(mem, stmt, res, i, v + n * stmt->row->size,
		    &any);
		if (error)
			return error;
		/* Only beside who_state may a row be missing. */
		n += any || !stmt->who;
	}
	ret->v = v;
	ret->rows = n;
	return 0;
}
