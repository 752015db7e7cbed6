/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the hook posts. */
#ifndef DOCKET_COURIER_HOOK_H
#define DOCKET_COURIER_HOOK_H

#include "base/buf.h"
#include "base/settings.h"
#include "courier/letter.h"

/*
 * One object that receivers of GoTrue's hooks "send SMS" and "send email"
 * understand, and in "message" what is ours. user.id is the nil UUID: a code
 * may be for nobody yet, and whether there is somebody is not told. Links are
 * not what Docket sends: token_hash and redirect_to are empty.
 */
void hook_body(struct buf *out, const struct settings *settings,
    const struct letter *letter);

#endif
