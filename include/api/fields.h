/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Short spellings for field rows, so that a row stays a line. */
#ifndef DOCKET_API_FIELDS_H
#define DOCKET_API_FIELDS_H

#include "base/field.h"

/* F(TEXT, struct x, member, "name", flags, min, max, doc, example) */
#define F(type, S, m, name, flags, min, max, doc, ex) \
	{ name, FIELD_##type, flags, offsetof(S, m), min, max, \
	  NULL, NULL, NULL, NULL, doc, ex }
/* With the canonicalising check. */
#define F_CHECK(type, S, m, name, flags, min, max, check, doc, ex) \
	{ name, FIELD_##type, flags, offsetof(S, m), min, max, \
	  NULL, NULL, check, NULL, doc, ex }
/* One of these words. */
#define F_ENUM(S, m, name, flags, choices, doc, ex) \
	{ name, FIELD_ENUM, flags, offsetof(S, m), 0, 0, \
	  NULL, choices, NULL, NULL, doc, ex }
/* A canonicalised word: `choices` is what the document lists. */
#define F_WORD(S, m, name, flags, choices, check, doc, ex) \
	{ name, FIELD_ENUM, flags, offsetof(S, m), 0, 0, \
	  NULL, choices, check, NULL, doc, ex }
/* Printed by a function. */
#define F_PRINT(type, S, m, name, print, doc, ex) \
	{ name, FIELD_##type, 0, offsetof(S, m), 0, 0, \
	  NULL, NULL, NULL, print, doc, ex }
/* An object or a list of `sub`. */
#define F_SUB(type, S, m, name, flags, sub, doc, ex) \
	{ name, FIELD_##type, flags, offsetof(S, m), 0, 0, \
	  &(sub), NULL, NULL, NULL, doc, ex }
/* The same JSON every time. */
#define F_FIXED(name, json, doc) \
	{ name, FIELD_FIXED, 0, 0, 0, 0, NULL, NULL, NULL, NULL, doc, json }

/* {message}, the plainest reply. */
struct message {
	struct text message;
};
extern const struct fields message_reply;

#endif
