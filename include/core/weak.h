/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Secrets that the whole world knows. */
#ifndef DOCKET_CORE_WEAK_H
#define DOCKET_CORE_WEAK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A known default (alpha, secret, changeme, ...), alone, repeated, or padded
 * with one byte; or any block of up to 16 bytes said over and over.
 */
bool secret_is_weak(const void *bytes, size_t n);

#endif
