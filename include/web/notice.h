/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Security events in the log, as fail2ban reads them. */
#ifndef DOCKET_WEB_NOTICE_H
#define DOCKET_WEB_NOTICE_H

#include "base/event.h"
#include "web/call.h"

/*
 * One line: NAME ip=ADDRESS user=ID route=OPERATION rid=ID. The address comes
 * first and is what inet_ntop printed; nothing else in the line is a client's
 * words but the request id, which has neither blanks nor equal signs. user:
 * whose credential it was, NULL or nil when nobody's.
 */
void notice(const struct call *call, enum event event,
    const struct uuid *user);

#endif
