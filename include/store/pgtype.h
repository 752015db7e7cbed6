/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: PostgreSQL's built-in type numbers (pg_type.dat). */
#ifndef DOCKET_STORE_PGTYPE_H
#define DOCKET_STORE_PGTYPE_H

#include "store/db.h"

enum pg_type {
	PG_BOOL = 16, PG_BYTEA = 17, PG_NAME = 19, PG_INT8 = 20, PG_INT2 = 21,
	PG_INT4 = 23, PG_TEXT = 25, PG_TEXTS = 1009, PG_BPCHAR = 1042,
	PG_VARCHAR = 1043, PG_TIMESTAMPTZ = 1184, PG_UUID = 2950,
	PG_UUIDS = 2951,
};

/* Timestamps count from 2000-01-01T00:00:00Z, in µs. */
#define PG_EPOCH_US (INT64_C(946684800) * 1000000)

#endif
