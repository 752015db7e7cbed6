# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests that succeed, a row of the table each, and how to see afterwards
that one which did not has left nothing half done."""

import docket
from docket import ROUTES, Client, jwt_parts, new_email, new_name, new_phone

PASSWORD = "correct horse"
LONG = "words that do not fit into a small buffer " * 4


class Sent:
    def __init__(self, method, path, more, **kept):
        self.method, self.path, self.more = method, path, more
        self.__dict__.update(kept)


class World:
    """The people whom the requests are about."""

    def __init__(self, dev):
        self.dev, self.client = dev, Client(dev)
        self.one = docket.person(dev, email=new_email())
        self.admin = docket.login(dev, dev.admin["username"],
                                  dev.admin["password"])
        self.task = self.one.task("standing")
        for i in range(3):
            self.one.task(f"{LONG} {i}", description=LONG, tags=["a", "b"])

    def close(self):
        for client in (self.client, self.one, self.admin):
            client.close()

    def login(self):
        return self.client.post("/auth", json={
            "username": self.one.username, "password": PASSWORD}).json

    def titled(self, title):
        return [t for t in self.one.tasks("?limit=200") if t["title"] == title]


class Case:
    def __init__(self, row, make, check=None, name=None, status=None):
        self.method, self.path = row.method, row.path
        self.row, self.make, self.checker = row, make, check
        self.name = name or str(row)
        self.status = status or row.status

    def prepare(self, world):
        sent = Sent(self.method, self.path, {})
        self.make(world, self.row, sent)
        if self.row.access != "PUBLIC" and "token" not in sent.more:
            sent.more["token"] = (world.admin if self.row.access == "ADMIN"
                                  else world.one).access
        return sent

    def check(self, world, sent, reply):
        if self.checker:
            self.checker(world, sent, reply)

    def __str__(self):
        return self.name


# --- one maker a handler, with its check -----------------------------------

def nothing(world, row, sent):
    sent.path = row.path.replace("{code}", "out_of_memory")


def phone_and_code(world):
    phone = new_phone()
    return phone, docket.send_otp(world.client, phone).json["otp"]


def make_register(world, row, sent):
    sent.body = {"username": new_name(), "password": PASSWORD,
                 "email": new_email()}
    if row.path == "/register":
        sent.body["phone"], sent.body["otp"] = phone_and_code(world)
    sent.more["json"] = sent.body


def check_register(world, sent, reply):
    """There with all that belongs to it, or not at all."""
    again = world.client.post("/auth", None, json={
        "username": sent.body["username"], "password": PASSWORD})
    if reply.status < 300:
        assert again.status == 200, str(again)
    elif again.status != 200:
        assert again.status == 401, str(again)
        free = {k: v for k, v in sent.body.items() if k not in (
            "phone", "otp")}
        world.client.post("/auth/register", 200, json=free)
    else:
        assert again.json["user"]["email"] == sent.body["email"], str(again)


def make_login(world, row, sent):
    sent.more["json"] = {"username": world.one.username,
                         "password": PASSWORD}


def make_token(world, row, sent):
    sent.more["form"] = {"grant_type": "password", "password": PASSWORD,
                         "username": world.one.username}


def check_pair(world, sent, reply):
    """What was given out is good."""
    if reply.status == 200:
        token = reply.json.get("access_token") or reply.json["token"]
        world.client.get("/auth/me", 200, token=token)


def make_refresh(world, row, sent):
    sent.more["json"] = {"refresh_token": world.login()["refresh_token"]}


def check_refresh(world, sent, reply):
    """A new pair, or the old one still counts, or it was spent: not both."""
    check_pair(world, sent, reply)
    again = world.client.post("/auth/refresh", None, json=sent.more["json"])
    assert again.status in (200, 401), str(again)


def make_logout(world, row, sent):
    sent.more["token"] = world.login()["access_token"]


def check_logout(world, sent, reply):
    me = world.client.get("/auth/me", None, token=sent.more["token"])
    assert me.status == 401 if reply.status == 200 else \
        me.status in (200, 401), str(me)


def make_revoke(world, row, sent):
    sent.pair = world.login()
    sent.more["form"] = {"token": sent.pair["refresh_token"]}


def check_revoke(world, sent, reply):
    me = world.client.get("/auth/me", None,
                          token=sent.pair["access_token"])
    assert me.status == 401 if reply.status == 200 else \
        me.status in (200, 401), str(me)


def make_introspect(world, row, sent):
    sent.more["form"] = {"token": world.login()["access_token"]}


def check_introspect(world, sent, reply):
    """An answer that was given is the right one."""
    if reply.status == 200:
        assert reply.json["active"] is True
        assert reply.json["sub"] == world.one.id


def make_key(world, row, sent):
    sent.name = new_name()
    sent.more["json"] = {"name": sent.name, "scopes": ["account"],
                         "allow": ["127.0.0.0/8", "::1"],
                         "expires_at": "2031-01-31T00:00:00Z"}


def keys_of(world):
    return {k["name"]: k for k in world.one.get("/auth/keys").json["keys"]}


def check_key(world, sent, reply):
    """Told and there, or maybe there and not told; it can be taken back."""
    found = keys_of(world).get(sent.name)
    if reply.status == 201:
        world.client.get("/auth/me", 200, token=None, headers=[
            ("X-API-Key", reply.json["api_key"])])
        assert found == {**reply.json["key"], **{
            m: found[m] for m in ("last_used_at", "last_used_ip")}}
    if found:
        world.one.delete("/auth/keys/" + found["id"])


def of_a_key(body):
    def make(world, row, sent):
        sent.name, sent.row = new_name(), row
        made = world.one.post("/auth/keys", 201, json={
            "name": sent.name, "scopes": ["account"]}).json
        sent.id, sent.secret = made["key"]["id"], made["api_key"]
        sent.path = row.at(sent.id)
        if row.takes_body:
            sent.more["json"] = body

    return make


def check_key_change(world, sent, reply):
    """Revoked, rotated or neither: what is told is so."""
    headers = [("X-API-Key", sent.secret)]
    old = world.client.get("/auth/me", None, headers=headers)
    ends = sent.row.handler != "api_key_patch"
    if reply.status == 200:
        assert old.status == (401 if ends else 200), str(old)
    else:
        assert old.status == 200 or ends, str(old)
    world.one.delete("/auth/keys/" + sent.id, None)


def make_by_key(world, row, sent):
    """A key that no worker has seen: parsed, looked up, noted, kept."""
    of_a_key({})(world, row_of("GET /auth/me"), sent)
    sent.more = {"token": None, "headers": [("X-API-Key", sent.secret)]}


def make_person(world, sent):
    """Somebody of one's own, whom the request may hurt."""
    sent.name, sent.phone = new_name(), new_phone()
    envelope = docket.register(world.client, PASSWORD, username=sent.name,
                               phone=sent.phone).json
    sent.more["token"] = envelope["access_token"]


def word_of(world, sent, password):
    """What a login with it says: 200 or 401."""
    return world.client.post("/auth", None, json={
        "username": sent.name, "password": password}).status


def make_me_change(world, row, sent):
    make_person(world, sent)
    sent.email, sent.new = new_email(), new_name()
    code = docket.send_otp(world.client, sent.email, "change").json["otp"]
    sent.more["json"] = {"email": sent.email, "username": sent.new,
                         "otp": code}


def check_me_change(world, sent, reply):
    """Both, or neither."""
    me = world.client.get("/auth/me", token=sent.more["token"]).json
    now = (me["username"], me["email"])
    new, old = (sent.new, sent.email), (sent.name, None)
    assert now == new if reply.status == 200 else now in (new, old), now


def make_me_delete(world, row, sent):
    make_person(world, sent)
    sent.more["json"] = {"password": PASSWORD}


def check_me_delete(world, sent, reply):
    left = word_of(world, sent, PASSWORD)
    assert left == 401 if reply.status == 200 else left in (200, 401)


def make_password(world, row, sent):
    make_person(world, sent)
    sent.more["json"] = {"current_password": PASSWORD,
                         "new_password": "better horse"}


def check_password(world, sent, reply):
    """One password counts."""
    now = (word_of(world, sent, PASSWORD),
           word_of(world, sent, "better horse"))
    assert now == (401, 200) if reply.status == 200 else \
        now in ((200, 401), (401, 200)), now


def make_reset(world, row, sent):
    make_person(world, sent)
    del sent.more["token"]
    code = docket.send_otp(world.client, sent.phone, "reset").json["otp"]
    sent.more["json"] = {"phone": sent.phone, "otp": code,
                         "new_password": "better horse"}


def make_cookie(world, pair):
    """What a browser keeps after that login."""
    reply = world.client.post("/auth/cookie", token=pair["access_token"])
    return [("Cookie", reply.header("Set-Cookie").split(";")[0])]


def make_cookie_end(world, row, sent):
    sent.more = {"headers": make_cookie(world, world.login()),
                 "token": None}


def check_cookie_end(world, sent, reply):
    """Over, or alive."""
    left = world.client.get("/auth/check", None, **sent.more)
    assert left.status == 401 if reply.status == 200 else \
        left.status in (204, 401), str(left)


def make_by_cookie(world, row, sent):
    sent.path += "?role=user&scope=account%20tasks:read"
    sent.more = {"headers": make_cookie(world, world.login()),
                 "token": None}


def make_unlock(world, row, sent):
    sent.path = row.at(world.one.id)


def make_send(world, row, sent):
    sent.phone = new_phone()
    sent.more["json"] = {"phone": sent.phone}
    sent.more["headers"] = [("Accept-Language", "fa-IR, fa;q=0.9")]


def check_send(world, sent, reply):
    """A code that was told is a code that counts."""
    if reply.status == 200:
        world.client.post("/otp/verify", 200, json={
            "phone": sent.phone, "otp": reply.json["otp"]})


def make_verify(world, row, sent):
    phone, code = phone_and_code(world)
    sent.more["json"] = {"phone": phone, "otp": code}


def check_verify(world, sent, reply):
    """Good for one time, told or not."""
    again = world.client.post("/otp/verify", None, json=sent.more["json"])
    assert again.status == 400 if reply.status == 200 else \
        again.status in (200, 400), str(again)


def make_create(world, row, sent):
    sent.body = {"title": f"{LONG}{new_name()}", "description": LONG,
                 "tags": ["one", "two"], "priority": 3, "status": "pending"}
    sent.more["json"] = sent.body


def check_create(world, sent, reply):
    """Once, or not at all, and whole."""
    found = world.titled(sent.body["title"])
    assert len(found) == 1 if reply.status == 201 else len(found) < 2
    for task in found:
        assert {k: task[k] for k in sent.body} == sent.body
        world.one.delete("/tasks/" + task["id"])


def make_create_once(world, row, sent):
    make_create(world, row, sent)
    sent.more["headers"] = [("Idempotency-Key", new_name())]


def check_create_once(world, sent, reply):
    """A retry gives what was missing, and no second one."""
    again = world.client.post("/tasks", 201, token=world.one.access,
                              json=sent.body,
                              headers=sent.more["headers"])
    if reply.status == 201:
        assert again.body == reply.body
    assert len(world.titled(sent.body["title"])) == 1
    check_create(world, sent, again)


def of_a_task(body):
    def make(world, row, sent):
        sent.task = world.one.task("to be changed", description="old")
        sent.path = row.at(sent.task["id"])
        if row.takes_body:
            sent.more["json"] = dict(body)
            if "{id}" not in row.path:
                sent.more["json"]["task_id"] = sent.task["id"]
        elif "{id}" not in row.path:
            sent.path += "?task_id=" + sent.task["id"]

    return make


CHANGE = {"title": "changed", "description": LONG}


def check_change(world, sent, reply):
    """Both members are new, or both are old."""
    task = world.one.get("/tasks/" + sent.task["id"]).json["task"]
    now = (task["title"], task["description"])
    new, old = ("changed", LONG), ("to be changed", "old")
    assert now == new if reply.status == 200 else now in (new, old), now
    world.one.delete("/tasks/" + task["id"])


def check_status(world, sent, reply):
    task = world.one.get("/tasks/" + sent.task["id"]).json["task"]
    done = task["status"] == "completed"
    assert done if reply.status == 200 else True
    assert done == bool(task["completed_at"]), task
    world.one.delete("/tasks/" + task["id"])


def check_delete(world, sent, reply):
    left = world.one.get("/tasks/" + sent.task["id"], None)
    assert left.status == 404 if reply.status == 200 else \
        left.status in (200, 404), str(left)


def make_batch(world, row, sent):
    sent.old, sent.gone = (world.one.task(f"{LONG} {new_name()}")
                           for _ in range(2))
    sent.new = new_name()
    sent.more["json"] = {"operations": [
        {"op": "create", "title": sent.new, "description": LONG,
         "tags": ["one", "two"]},
        {"op": "update", "id": sent.old["id"], "if_match": 1,
         "title": sent.new},
        {"op": "delete", "id": sent.gone["number"]}]}


def check_batch(world, sent, reply):
    """All three, or none of them."""
    tasks = world.one.tasks("?limit=200")
    done = [t["title"] for t in tasks].count(sent.new)
    left = sent.gone["id"] in [t["id"] for t in tasks]
    assert (done, left) == (2, False) if reply.status == 200 else \
        (done, left) in ((2, False), (0, True)), (done, left)
    for task in tasks:
        if task["title"] == sent.new or task["id"] == sent.old["id"]:
            world.one.delete("/tasks/" + task["id"])
    world.one.delete("/tasks/" + sent.gone["id"], None)


def make_trash(world, row, sent):
    for _ in range(3):
        world.one.delete("/tasks/" + world.one.task(LONG)["id"])
    sent.path += "?limit=2"


def make_restore(world, row, sent):
    of_a_task({})(world, row, sent)
    world.one.delete("/tasks/" + sent.task["id"])


def check_restore(world, sent, reply):
    left = world.one.get("/tasks/" + sent.task["id"], None)
    assert left.status == 200 if reply.status == 200 else \
        left.status in (200, 404), str(left)


def make_order(world, row, sent):
    sent.ids = [t["id"] for t in world.one.tasks("?limit=200")]
    sent.more["json"] = {"task_ids": sent.ids[::-1]}


def check_order(world, sent, reply):
    """One sequence or the other, nothing between."""
    ids = [t["id"] for t in world.one.tasks("?limit=200")]
    assert ids == sent.ids[::-1] if reply.status == 200 else \
        ids in (sent.ids, sent.ids[::-1]), ids


def make_changes(world, row, sent):
    """Of a task that stands and of one that does not."""
    world.one.put("/tasks/" + world.task["id"], json={"description": LONG})
    token = world.one.get("/tasks/changes?limit=200").json["next"]
    world.one.put("/tasks/" + world.task["id"], json={"description": "short"})
    gone = world.one.task("to be told")
    world.one.delete("/tasks/" + gone["id"])
    sent.path = "/tasks/changes?since=" + token


def check_changes(world, sent, reply):
    if reply.status == 200:
        assert [c["deleted"] for c in reply.json["changes"]] == [False, True]


def make_session_revoke(world, row, sent):
    sent.pair = world.login()
    sent.path = row.at(jwt_parts(sent.pair["access_token"])[1]["sid"])


def check_session_revoke(world, sent, reply):
    """Over, or alive."""
    me = world.client.get("/auth/me", None, token=sent.pair["access_token"])
    assert me.status == 401 if reply.status == 200 else \
        me.status in (200, 401), str(me)


def of_a_user(body):
    def make(world, row, sent):
        sent.user = docket.register(world.client).json["user"]
        sent.path = row.at(sent.user["id"])
        if row.takes_body:
            sent.more["json"] = dict(body)

    return make


PROMOTED = {"role": "admin", "status": "N"}


def check_promoted(world, sent, reply):
    """Both members are new, or both are old."""
    user = world.admin.get("/auth/users/" + sent.user["id"]).json
    now = (user["role"], user["status"])
    new, old = ("admin", "N"), ("user", "Y")
    assert now == new if reply.status == 200 else now in (new, old), now
    world.admin.delete("/auth/users/" + user["id"])


def check_gone(world, sent, reply):
    left = world.admin.get("/auth/users/" + sent.user["id"], None)
    assert left.status == 404 if reply.status == 200 else \
        left.status in (200, 404), str(left)


# --- files ------------------------------------------------------------------

def make_export(world, row, sent):
    sent.path = "/tasks/export?format=csv&tag=a"


def check_export(world, sent, reply):
    """Whole, or said to be none."""
    if reply.status == 200:
        assert reply.body.count(b"\r\n") == 4, reply


def make_import(world, row, sent):
    sent.title = new_name()
    sent.more["body"] = "".join(
        f"BEGIN:VTODO\r\nSUMMARY:{sent.title}\r\nCATEGORIES:x\\,y,z\r\n"
        f"DESCRIPTION:{LONG * 3}\r\nDUE;TZID=Europe/Berlin:20310131T093000"
        "\r\nEND:VTODO\r\n" for _ in range(3)).join(
        ("BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n")).encode()
    sent.more["type"] = "text/calendar"


def check_import(world, sent, reply):
    """All three or none."""
    made = titled_through_sql(world, sent.title)
    if reply.status == 503 and reply.code == "outcome_unknown":
        assert made in (0, 3), reply
    else:
        assert made == (3 if reply.status == 200 else 0), reply
    world.dev.sql("DELETE FROM docket.tasks WHERE title = :'t'",
                  t=sent.title)


def titled_through_sql(world, title):
    return int(world.dev.sql("SELECT count(*) FROM docket.tasks WHERE title"
                             " = :'t'", t=title)[0][0])


HANDLERS = {
    "api_register": (make_register, check_register),
    "api_login": (make_login, check_pair),
    "api_token": (make_token, check_pair),
    "api_refresh": (make_refresh, check_refresh),
    "api_logout": (make_logout, check_logout),
    "api_revoke": (make_revoke, check_revoke),
    "api_introspect": (make_introspect, check_introspect),
    "api_jwks": (nothing, None),
    "api_metadata": (nothing, None),
    "api_me": (nothing, None),
    "api_me_change": (make_me_change, check_me_change),
    "api_me_delete": (make_me_delete, check_me_delete),
    "api_password": (make_password, check_password),
    "api_password_reset": (make_reset, check_password),
    "api_users": (nothing, None),
    "api_sessions": (nothing, None),
    "api_session_revoke": (make_session_revoke, check_session_revoke),
    "api_user_get": (of_a_user({}), None),
    "api_user_patch": (of_a_user(PROMOTED), check_promoted),
    "api_user_delete": (of_a_user({}), check_gone),
    "api_user_unlock": (make_unlock, None),
    "api_admin_data": (nothing, None),
    "api_keys": (nothing, None),
    "api_key_create": (make_key, check_key),
    "api_key_patch": (of_a_key({"name": LONG[:60], "allow": ["::1",
                      "127.0.0.1"], "scopes": ["account", "tasks:read"]}),
                      check_key_change),
    "api_key_delete": (of_a_key({}), check_key_change),
    "api_key_rotate": (of_a_key({"grace_seconds": 0}), check_key_change),
    "api_check": (nothing, None),
    "api_cookie_set": (nothing, None),
    "api_cookie_end": (make_cookie_end, check_cookie_end),
    "api_otp_send": (make_send, check_send),
    "api_otp_verify": (make_verify, check_verify),
    "api_task_list": (nothing, None),
    "api_task_create": (make_create, check_create),
    "api_task_order": (make_order, check_order),
    "api_task_get": (of_a_task({}), None),
    "api_task_put": (of_a_task(CHANGE), check_change),
    "api_task_delete": (of_a_task({}), check_delete),
    "api_trash_list": (make_trash, None),
    "api_task_batch": (make_batch, check_batch),
    "api_task_restore": (make_restore, check_restore),
    "api_task_status": (of_a_task({"status": "completed"}), check_status),
    "api_task_changes": (make_changes, check_changes),
    "api_task_export": (make_export, check_export),
    "api_task_import": (make_import, check_import),
    "api_health": (nothing, None),
    "api_ready": (nothing, None),
    "api_openapi": (nothing, None),
    "api_metrics": (nothing, None),
    "api_problem": (nothing, None),
}


# --- and what else a handler can be asked -----------------------------------

def row_of(name):
    return next(row for row in ROUTES if str(row) == name)


def make_filters(world, row, sent):
    sent.path = ("/tasks?q=buffer&tag=a&status=pending&priority=0&limit=2"
                 "&sort=-created_at&count=exact")


def check_filters(world, sent, reply):
    if reply.status == 200:
        assert len(reply.json["tasks"]) == 2 and reply.json["total"] == 3


def make_taken(world, row, sent):
    sent.more["json"] = {"username": world.one.username,
                         "password": PASSWORD}


def make_wrong(world, row, sent):
    sent.more["json"] = {"username": world.one.username,
                         "password": "wrong horse"}


def make_refresh_grant(world, row, sent):
    sent.more["form"] = {"grant_type": "refresh_token",
                         "refresh_token": world.login()["refresh_token"]}


def make_otp_grant(world, row, sent):
    phone, code = phone_and_code(world)
    docket.register(world.client, PASSWORD, phone=phone, otp=code)
    code = docket.send_otp(world.client, phone, "login").json["otp"]
    sent.more["form"] = {"grant_type": "otp", "phone": phone, "otp": code}


def make_stale(world, row, sent):
    of_a_task(CHANGE)(world, row, sent)
    sent.more["headers"] = [("If-Match", '"99"')]


EXTRA = [
    Case(row_of("GET /tasks"), make_filters, check_filters,
         "GET /tasks?filters"),
    Case(row_of("GET /tasks/changes"), nothing, None,
         "GET /tasks/changes from the beginning"),
    Case(row_of("POST /tasks"), make_create_once, check_create_once,
         "POST /tasks once"),
    Case(row_of("POST /auth/register"), make_taken, None,
         "POST /auth/register taken", 409),
    Case(row_of("POST /auth"), make_wrong, None, "POST /auth wrong", 401),
    Case(row_of("POST /auth/token"), make_refresh_grant, check_pair,
         "POST /auth/token refresh"),
    Case(row_of("GET /auth/me"), make_by_key, None, "GET /auth/me by key"),
    Case(row_of("GET /auth/check"), make_by_cookie, None,
         "GET /auth/check by cookie"),
    Case(row_of("POST /auth/token"), make_otp_grant, check_pair,
         "POST /auth/token otp"),
    Case(row_of("PUT /tasks/{id}"), make_stale, None,
         "PUT /tasks/{id} stale", 412),
]

CASES = [Case(row, *HANDLERS[row.handler]) for row in ROUTES] + EXTRA
