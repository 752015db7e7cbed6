# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where the rows of the route table name a task, and requests that work. What
else a row may name by its id is told apart, so that no test mistakes it."""

from tables import ROUTES

# What each handler takes besides the task's name.
BODY = {
    "api_task_put": {"title": "changed"},
    "api_task_status": {"status": "completed"},
    "api_task_create": {"title": "made"},
    "api_task_delete": {},
    "api_logout": {},
    "api_introspect": {"token": "x"},
    "api_key_create": {"name": "a key", "scopes": ["account"]},
    "api_key_patch": {"name": "renamed"},
    "api_key_rotate": {"grace_seconds": 60},
    "api_user_patch": {},
    "api_me_change": {"email": None},
    "api_me_delete": {"password": "correct horse"},
    "api_password": {"current_password": "correct horse",
                     "new_password": "correct horse"},
}

# The first two segments of rows whose {id} is no task's.
OTHERS = {"/auth/sessions": "session", "/auth/users": "user",
          "/auth/keys": "key"}

# The three rows that order: `ref` is the task in question, `own` another.
ORDER = {
    "task_ids, behind": lambda ref, own: {"task_ids": [own, ref]},
    "task_ids, in front": lambda ref, own: {"task_ids": [ref, own]},
    "task_ids, alone": lambda ref, own: {"task_ids": [ref]},
    "task_id before": lambda ref, own: {"task_id": ref, "before": own},
    "task_id after": lambda ref, own: {"task_id": ref, "after": own},
    "before": lambda ref, own: {"task_id": own, "before": ref},
    "after": lambda ref, own: {"task_id": own, "after": ref},
    "beside itself": lambda ref, own: {"task_id": ref, "before": ref},
}


# What a batch does to the task in question.
BATCH = {
    "update": lambda ref, own: [{"op": "update", "id": ref, "title": "t"}],
    "delete": lambda ref, own: [{"op": "delete", "id": ref}],
    "delete, purge": lambda ref, own: [
        {"op": "delete", "id": ref, "purge": True}],
    "behind others": lambda ref, own: [
        {"op": "create", "title": "made"},
        {"op": "update", "id": own, "title": "t"},
        {"op": "update", "id": ref, "status": "done"}],
}


class Place:
    """One way in which one row names a task (or none)."""

    def __init__(self, row, how, path=None, body=None, method=None):
        self.row, self.how = row, how
        self.method = method or row.method
        self.path = path or (lambda ref: row.at(ref))
        self.body = body

    def send(self, client, ref, own, expect=None, **more):
        """`own` is another task of the caller's, where one is needed."""
        path = self.path(ref) + more.pop("query", "")
        if self.body and "json" not in more and "body" not in more:
            more["json"] = self.body(ref, own)
        if self.row.takes_file and "json" not in more:
            more.setdefault("body", b"[]")
        return client.request(self.method, path, expect, **more)

    @property
    def named(self):
        """Does it name a task at all?"""
        return self.how != "-" and self.noun == "task"

    @property
    def noun(self):
        """What the {id} of its row is of."""
        return OTHERS.get("/".join(self.row.path.split("/")[:3]), "task")

    def ready(self, client, ref, **more):
        """Bring a task of the caller's to where the row looks for it."""
        if self.row.handler == "api_task_restore":
            client.delete(f"/tasks/{ref}", **more)

    def __str__(self):
        return f"{self.method} {self.row.path} ({self.how})"


def body_of(row):
    if not row.takes_body:
        return None
    assert row.handler in BODY, f"teach tests/lib/places.py {row}"
    return lambda ref, own: BODY[row.handler]


def with_id(row):
    make = body_of(row)
    yield Place(row, "path", body=make)
    if row.method == "GET":
        yield Place(row, "path", method="HEAD")
    if row.query == "task_delete_query":
        yield Place(row, "path, purge",
                    path=lambda ref: row.at(ref) + "?purge=true")


def alias(row):
    """update_task and delete_task: the name in the body or in the query."""
    body = BODY[row.handler]
    yield Place(row, "body",
                body=lambda ref, own: {"task_id": str(ref), **body})
    yield Place(row, "query", body=lambda ref, own: body,
                path=lambda ref: f"{row.path}?task_id={ref}")
    yield Place(row, "body and query",
                body=lambda ref, own: {"task_id": str(ref), **body},
                path=lambda ref: f"{row.path}?task_id={ref}")
    if row.handler == "api_task_delete":
        yield Place(row, "query, purge", body=lambda ref, own: body,
                    path=lambda ref: f"{row.path}?task_id={ref}&purge=true")


def places(row):
    if "{id}" in row.path:
        return list(with_id(row))
    if row.query == "s0_task_query":
        return list(alias(row))
    if row.body == "order_body":
        return [Place(row, how, body=body) for how, body in ORDER.items()]
    if row.body == "batch_body":
        return [Place(row, how, body=lambda ref, own, make=make: {
            "operations": make(ref, own)}) for how, make in BATCH.items()]
    plain = [Place(row, "-", body=body_of(row))]
    if row.method == "GET":
        plain.append(Place(row, "-", method="HEAD"))
    return plain


PLACES = [p for row in ROUTES if row.access != "PUBLIC" for p in places(row)]
