/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The bodies of answers that are no success. */
#ifndef DOCKET_WEB_PROBLEM_H
#define DOCKET_WEB_PROBLEM_H

#include "base/error.h"
#include "web/call.h"

/*
 * result (base/error.h) -> the error the client is told, E_OK for success:
 * faults and what never leaves a room become E_INTERNAL (E_MEMORY for
 * -ENOMEM), and on ROUTE_TASKS a user that is gone is E_USER (S3).
 */
enum error problem_error(const struct call *call, int result);
/* The words: the handler's where it had better ones, else the row's. */
const char *problem_detail(const struct call *call, enum error error);
/* The words as RFC 6749 §5.2 and RFC 6750 §3 let them stand in quotes. */
struct text problem_description(struct arena *mem, const char *words);

/* RFC 9457 into call->out; RFC 6749 §5.2 on ROUTE_OAUTH. */
void problem_print(const struct call *call, enum error error);
const char *problem_type(const struct call *call);

#endif
