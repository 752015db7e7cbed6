/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the store: how a statement names an event of the audit trail. */
#ifndef DOCKET_STORE_EVENT_H
#define DOCKET_STORE_EVENT_H

#include "base/event.h"

/* A row of tbl/events.h as an SQL literal. That it is one, and that no statement
 * spells an event otherwise, tests/api/48_audit.py sees. */
#define SQL_EVENT(name) "'" #name "'"

#endif
