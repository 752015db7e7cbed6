/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the OpenAPI document says of files of tasks. */
#include "api/openapi_parts.h"
#include "api/schema.h"
#include "web/task_file.h"

bool
openapi_takes_file(const struct route *route)
{
	return route->flags & ROUTE_FILE && route->method == POST;
}

/* Its bytes are not ours to describe but by their type. */
void
openapi_files(struct buf *out, bool reply)
{
	doc_open(out, "content", '{');
	for (int i = 0; i < TASKS__MAX; i++) {
		const char *type = task_formats[i].type;

		doc_open(out, type, '{');
		doc_open(out, "schema", '{');
		doc_string(out, "type", "string");
		doc_string(out, "contentMediaType", type);
		doc_string(out, "description", reply ?
		    "Of any length; one that is cut off has no end" :
		    "UTF-8, at most tasks.import_kib long");
		doc_close(out, '}');
		doc_close(out, '}');
	}
	doc_close(out, '}');
}
