/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the lists share: how many, and where the next page is. */
#ifndef DOCKET_API_PAGES_H
#define DOCKET_API_PAGES_H

#include "web/call.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200

/* Link: rel=next (RFC 8288), the same address with another cursor. */
void page_link(struct call *call, struct text cursor);

#endif
