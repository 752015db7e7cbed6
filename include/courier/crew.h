/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The courier's parent: keeps the senders of both lanes. */
#ifndef DOCKET_COURIER_CREW_H
#define DOCKET_COURIER_CREW_H

#include "courier/claim.h"

/*
 * Until SIGTERM or SIGINT; with `once` until every sender has found nothing
 * more to do. A sender that dies is replaced; many that die before any message
 * has ended are the end (EX_SOFTWARE, or what they said). A sysexits code.
 */
int courier_run(const struct courier *courier);

#endif
