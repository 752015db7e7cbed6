/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document's operations refer to. */
#ifndef DOCKET_API_OPENAPI_PARTS_H
#define DOCKET_API_OPENAPI_PARTS_H

#include "api/schema.h"
#include "base/settings.h"

/* The tag of a row: seed aliases, what needs no database, else the first
 * segment of the path. Not NUL-terminated. */
struct text openapi_tag(const struct route *route);
/* The value of `tags`: each tag of the rows once, with words. */
void openapi_tags(struct buf *out, const struct routes *routes);
/* The value of `info`. */
void openapi_info(struct buf *out);
/* The value of `components`. */
void openapi_components(struct buf *out, const struct schemas *schemas,
    const struct routes *routes, const struct settings *settings);

/* References to the headers that tell of limits; `headers` of a success, left
 * out when there are none; the definitions of the former. */
void openapi_limits(struct buf *out);
void openapi_headers(struct buf *out, const struct route *route);
void openapi_limit_headers(struct buf *out);

/* The value of `securitySchemes`, within its braces. */
void openapi_schemes(struct buf *out, const struct routes *routes,
    const struct settings *settings);

/* The `responses` of an operation, by what its row can give. */
void openapi_responses(struct buf *out, const struct schemas *schemas,
    const struct route *route);

/* A body that is a file of tasks; `content` with a media type each. */
bool openapi_takes_file(const struct route *route);
void openapi_files(struct buf *out, bool reply);

#endif
