/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The 62 digits 0-9 A-Z a-z, in the order of their bytes. */
#ifndef DOCKET_CORE_BASE62_H
#define DOCKET_CORE_BASE62_H

#define BASE62 62

extern const char base62_digits[BASE62 + 1];

/* 0 to 61, or -1: no digit. */
int base62_value(char c);

#endif
