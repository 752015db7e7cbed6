/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: keys around all keys, for pages that begin a list. */
#ifndef DOCKET_STORE_EDGES_H
#define DOCKET_STORE_EDGES_H

#include "base/uuid.h"

/* Below and above every id that there is; the nil one would be NULL. */
extern const struct uuid edge_low, edge_high;

/* Below and above every instant that PostgreSQL takes from us, in
 * microseconds since 1970. */
#define EDGE_TIME_LOW INT64_C(-200000000000000000)
#define EDGE_TIME_HIGH INT64_C(900000000000000000)

#endif
