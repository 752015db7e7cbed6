/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The OpenAPI 3.1 document and the other listings, from the tables alone. */
#ifndef DOCKET_API_OPENAPI_H
#define DOCKET_API_OPENAPI_H

#include <stdio.h>

#include "base/buf.h"
#include "base/settings.h"
#include "web/route.h"

/* It tells of the settings auth.tasks_auth and auth.gate_cookie. */
void openapi_print(struct buf *out, const struct routes *routes,
    const struct settings *settings);
/* docketd --routes: method, path, access, group, operation, alias of. */
void routes_print(FILE *out, const struct routes *routes);
/* docketd --errors: status, code, title. */
void errors_print(FILE *out);
/* docketd --statements: the role, then a PREPARE, of each. */
void statements_print(FILE *out);
/* docketd --nginx: upstreams, maps and locations for these settings. */
void nginx_print(FILE *out, const struct routes *routes,
    const struct settings *settings);

#endif
