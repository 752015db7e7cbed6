/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Canonical user names (libunistring's door), e-mail addresses, phones. */
#ifndef DOCKET_CORE_NAMES_H
#define DOCKET_CORE_NAMES_H

#include "base/arena.h"
#include "base/text.h"

/*
 * All three: 0 and the canonical form, or 1 and *ret_why. They fit
 * field_check (base/field.h) with a struct text member.
 */
/* NFKC; 3-64 characters of letters, marks, digits and . _ - inside (no @ and
 * no +, so a name never looks like an e-mail address or a phone);
 * not starting or ending with a dot; no control, space or format characters */
int name_check_username(struct arena *mem, void *member, const char **ret_why);
/* One @, local part <= 64, domain of LDH labels with a dot, <= 254 bytes in
 * all, ASCII; kept as given but for surrounding spaces and the domain's case */
int name_check_email(struct arena *mem, void *member, const char **ret_why);
/* E.164: spaces, dashes, dots, parentheses and a leading 00 are taken off;
 * then ^\+[1-9][0-9]{6,14}$ */
int name_check_phone(struct arena *mem, void *member, const char **ret_why);

/* NFKC, in mem; TEXT_NONE when it is not UTF-8. */
struct text name_nfkc(struct arena *mem, struct text t);
/* What uniqueness is decided by: NFKC case-folded. 0 or a fault. */
int name_key(struct arena *mem, struct text name, struct text *ret);
/* For logs: +98912***567, j***@example.org. */
struct text name_mask(struct arena *mem, struct text address);

#endif
