/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A second opinion on a JSON text: json-c's values against our own lexer. */
#ifndef DOCKET_TESTS_JSON_ORACLE_H
#define DOCKET_TESTS_JSON_ORACLE_H

#include "base/arena.h"
#include "base/text.h"

/*
 * NULL when json-c, strict and as the service uses it, takes the whole of a
 * text that json_scan has passed, gives every string, number and word of it
 * the value that stands there, and reads back what it prints; else what is
 * wrong.
 */
const char *json_oracle(struct text in, struct arena *mem);

#endif
