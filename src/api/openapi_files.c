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

/* A file that can be imported, as JSON text. */
static const char *const examples[TASKS__MAX] = {
	[TASKS_JSON] = "{\"tasks\":[{\"title\":\"Sample Task\",\"status\":"
	    "\"pending\",\"due_date\":\"2026-12-31\",\"tags\":[\"home\"]}]}",
	[TASKS_NDJSON] = "\"{\\\"title\\\":\\\"Sample Task\\\"}\\n\"",
	[TASKS_CSV] = "\"title,status,due_date,tags\\r\\n"
	    "Sample Task,pending,2026-12-31,home\\r\\n\"",
	[TASKS_ICS] = "\"BEGIN:VCALENDAR\\r\\nVERSION:2.0\\r\\nPRODID:-//"
	    "example//EN\\r\\nBEGIN:VTODO\\r\\nUID:1@example\\r\\nSUMMARY:"
	    "Sample Task\\r\\nDUE;VALUE=DATE:20261231\\r\\nEND:VTODO\\r\\n"
	    "END:VCALENDAR\\r\\n\"",
};

static void
export_schema(struct document *doc)
{
	struct buf *out = doc->out;

	doc_string(out, "type", "object");
	doc_open(out, "properties", '{');
	doc_open(out, "tasks", '{');
	doc_string(out, "type", "array");
	doc_key(out, "items");
	schema_print(&doc->schemas, out, &task_export, false);
	doc_close(out, '}');
	doc_close(out, '}');
	doc_raw(out, "required", "[\"tasks\"]");
}

/* What else is JSON is taken in several forms; the others are bytes. */
static void
file_schema(struct document *doc, enum task_format format, bool reply)
{
	struct buf *out = doc->out;

	if (format == TASKS_JSON && reply) {
		export_schema(doc);
	} else if (format == TASKS_JSON) {
		doc_raw(out, "type", "[\"object\",\"array\"]");
		doc_string(out, "description", "What an export gives, a list "
		    "of tasks, or what other systems make of one");
	} else {
		doc_string(out, "type", "string");
		doc_string(out, "contentMediaType", task_formats[format].type);
		doc_string(out, "description", reply ?
		    "Of any length; one that is cut off has no end" :
		    "UTF-8, at most tasks.import_kib long");
	}
}

void
openapi_files(struct document *doc, const struct route *route, bool reply)
{
	struct buf *out = doc->out;

	doc_open(out, "content", '{');
	for (int i = 0; i < TASKS__MAX; i++) {
		doc_open(out, task_formats[i].type, '{');
		doc_open(out, "schema", '{');
		file_schema(doc, (enum task_format)i, reply);
		doc_close(out, '}');
		if (!reply)
			doc_raw(out, "example", examples[i]);
		else if (i == TASKS_JSON)
			openapi_examples(doc, route, false);
		doc_close(out, '}');
	}
	doc_close(out, '}');
}
