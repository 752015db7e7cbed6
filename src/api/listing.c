/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docketd --routes, --errors, --statements: tables as a script reads them. */
#include "api/openapi.h"

#include "base/error.h"
#include "store/audit.h"
#include "store/db.h"
#include "store/lanes.h"
#include "store/outbox.h"
#include "store/queue.h"

void
routes_print(FILE *out, const struct routes *routes)
{
	static const char *const access[ACCESS__MAX] = {
		[ACCESS_ADMIN] = "admin",
		[ACCESS_USER] = "user",
		[ACCESS_ADMIN_OR_KEY] = "admin-or-key",
		[ACCESS_PUBLIC] = "public",
	};
	static const char *const groups[] = {
		[GROUP_MAIN] = "main",
		[GROUP_HASH] = "hash",
	};

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->v[i];

		fprintf(out, "%-6s %-24s %-6s %-4s %-20s %-13s %-11s %s\n",
		    method_names[r->method], r->path, access[r->access],
		    groups[r->group], r->operation,
		    r->canonical ? r->canonical : "-",
		    r->scope ? r->scope : "-", r->summary);
	}
}

void
errors_print(FILE *out)
{
	for (int e = E_OK + 1; e < E__MAX; e++) {
		const struct error_row *row = error_row(e);

		if (e != E_SEAL && e != E_NONE)
			fprintf(out, "%d %-24s %s\n", row->status, row->code,
			    row->title);
	}
}

static void
set_print(FILE *out, const char *role, const struct stmts *set)
{
	for (size_t i = 0; i < set->n; i++)
		fprintf(out, "SET ROLE %s;\nPREPARE %s AS %s;\n", role,
		    set->v[i].name, set->v[i].sql);
}

void
statements_print(FILE *out)
{
	for (size_t i = 0; i < store_statements_n; i++)
		set_print(out, "docket_api", store_statements[i]);
	set_print(out, "docket_courier", &outbox_statements);
	set_print(out, "docket_courier", &lane_statements);
	set_print(out, "docket_courier", &queue_statements);
	set_print(out, "docket_owner", &audit_statements);
}
