/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keys around all keys, for pages that begin a list. */
#include "store/edges.h"

const struct uuid edge_low = { { [15] = 1 } };
const struct uuid edge_high = { {
	255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255
} };
