/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Is it alive, can it serve, what does it offer. */
#include "api/api.h"
#include "api/fields.h"
#include "base/error.h"
#include "store/db.h"
#include "web/call.h"

struct health {
	struct text status;
};

static const struct field health_rows[] = {
	F(TEXT, struct health, status, "status", 0, 0, 0, "", "\"ok\""),
};
const struct fields health_reply =
    FIELDS("Health", health_rows, struct health);

static const struct health ok = { TEXT_INIT("ok") };

int
api_health(struct call *call)
{
	call->reply.object = &ok;
	return 0;
}

/* Ready means connected with every statement prepared, which fails when the
 * schema is not the one this build was made for. */
int
api_ready(struct call *call)
{
	call->reply.object = &ok;
	return db_ready(call->app->db) ? 0 : E_DATABASE;
}

int
api_openapi(struct call *call)
{
	call->reply.raw = call->app->openapi;
	return 0;
}
