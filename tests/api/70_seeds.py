# SPDX-License-Identifier: AGPL-3.0-or-later
"""The five seed systems' clients work unchanged: a test a row of theirs."""

import re
import time

import pytest

import docket
from docket import (ROUTES, Client, jwt_parts, jwt_sign, new_email, new_name,
                    new_phone, register, send_otp, unb64)

PASSWORD = "password123"
S0_TASK = {"task_id", "title", "description", "status", "due_date",
           "created_at", "updated_at", "user_id", "number", "position"}
ABSENT_TASK = "01936f5c-7e4b-7c1a-9d60-0f5a3f1c2b4d"
S0_USER = {"user_id", "username", "mobile_no", "email", "created_at",
           "updated_at"}


def other_code(code):
    return "%06d" % ((int(code) + 1) % 1000000)


def users_named(dev, name):
    return dev.sql("SELECT count(*) FROM docket.users WHERE username = :'n'",
                   n=name)[0][0]


def age(dev, to, seconds):
    """Make a code, and that one was sent, as old as that."""
    dev.sql("UPDATE docket.otps SET created_at = created_at - :s * interval"
            " '1 s', expires_at = expires_at - :s * interval '1 s'"
            " WHERE address = :'to'; UPDATE docket.otp_budgets SET last_at ="
            " last_at - :s * interval '1 s' WHERE address = :'to'",
            s=seconds, to=to)


def make(person, title="Sample Task", **members):
    return person.post("/tasks/create_task", 201,
                       json={"title": title, **members}).json["task"]


# --- S0: eight addresses under /tasks -------------------------------------

@pytest.mark.parametrize("method", ["GET", "POST"])
def test_s0_1_list_tasks(fresh, method):
    one, two = fresh(), fresh()
    mine, _ = make(one), make(two)
    page = one.request(method, "/tasks/task_list", 200).json
    assert set(page) == {"tasks", "next_cursor"}
    assert page["tasks"] == [mine]
    assert set(mine) == S0_TASK
    # What many clients put into every POST.
    assert one.request(method, "/tasks/task_list", 200, json={}).json == page


def test_s0_1_list_tasks_needs_a_token(api):
    api.get("/tasks/task_list", 401)
    api.post("/tasks/task_list", 401)


def test_s0_1_list_tasks_takes_the_filters(fresh):
    one = fresh()
    make(one, status="Done")
    make(one)
    for query in ("status=Done", "status=completed"):
        page = one.get("/tasks/task_list?" + query).json
        assert [t["status"] for t in page["tasks"]] == ["Done"]
    reply = one.get("/tasks/task_list?limit=1")
    assert reply.json["next_cursor"]
    assert "/tasks/task_list?" in str(reply.all("Link"))


@pytest.mark.parametrize("status", ["To Do", "In Progress", "Done"])
def test_s0_2_create_task(alice, status):
    reply = alice.post("/tasks/create_task", 201, json={
        "title": "Sample Task", "description": "words", "status": status,
        "due_date": "2030-01-31"})
    assert reply.json["message"] == "Task created"
    task = reply.json["task"]
    assert set(task) == S0_TASK
    assert task["status"] == status
    assert task["due_date"] == "2030-01-31"
    assert task["user_id"] == alice.id
    same = alice.get("/tasks/" + task["task_id"]).json["task"]
    assert same["status_label"] == status
    assert reply.header("Location") == "/tasks/" + task["task_id"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("where", ["body", "query"])
def test_s0_3_update_task(alice, method, where):
    task = make(alice, description="stays")
    for ref in (task["task_id"], str(task["number"])):
        body, query = {"status": "In Progress"}, ""
        if where == "body":
            body["task_id"] = ref
        else:
            query = "?task_id=" + ref
        reply = alice.request(method, "/tasks/update_task" + query, 200,
                              json=body)
        changed = reply.json["task"]
        assert set(changed) == S0_TASK
        assert changed["status"] == "In Progress"
        assert changed["description"] == "stays"
        assert changed["task_id"] == task["task_id"]


def test_s0_3_update_task_takes_an_int(alice):
    """`task_id` is the table's key: clients have it as a JSON number."""
    task = make(alice)
    reply = alice.put("/tasks/update_task", json={
        "task_id": task["number"], "title": "by number"})
    assert reply.json["task"]["title"] == "by number"


def test_s0_3_update_task_of_nobody_and_of_others(alice, bob):
    foreign = make(bob)
    for ref in (foreign["task_id"], ABSENT_TASK):
        alice.put("/tasks/update_task", 404,
                  json={"task_id": ref, "title": "x"})
    assert bob.get("/tasks/" + foreign["task_id"]).json["task"]["title"] == \
        foreign["title"]


def test_s0_3_update_task_needs_an_id(alice):
    for body in ({"title": "x"}, {"title": "x", "task_id": "nonsense"}):
        reply = alice.put("/tasks/update_task", 400, json=body)
        assert reply.code in ("task_id_invalid", "invalid_request")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("where", ["body", "query"])
def test_s0_4_delete_task(alice, method, where):
    ref = make(alice)["task_id"]
    if where == "body":
        reply = alice.request(method, "/tasks/delete_task", 200,
                              json={"task_id": ref})
    else:
        reply = alice.request(method, "/tasks/delete_task?task_id=" + ref,
                              200)
    assert reply.json == {"message": "Task deleted"}
    alice.get("/tasks/" + ref, 404)
    assert alice.request(method, "/tasks/delete_task", 404,
                         json={"task_id": ref}).code == "task_not_found"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_s0_5_order_tasks(fresh, method):
    one = fresh()
    ids = [make(one)["task_id"] for _ in range(4)]
    one.request(method, "/tasks/order_task", 200,
                json={"task_ids": ids[::-1]})
    page = one.get("/tasks/task_list").json["tasks"]
    assert [t["task_id"] for t in page] == ids[::-1]
    page = one.get("/tasks?sort=position").json["tasks"]
    assert [t["id"] for t in page] == ids[::-1]
    one.request(method, "/tasks/order_task", 200,
                json={"task_id": ids[0], "before": ids[3]})
    page = one.get("/tasks/task_list").json["tasks"]
    assert [t["task_id"] for t in page] == [ids[0], *ids[:0:-1]]
    one.request(method, "/tasks/order_task", 200,
                json={"task_id": ids[0], "after": ids[1]})
    page = one.get("/tasks?sort=position").json["tasks"]
    assert [t["id"] for t in page] == ids[::-1]


def test_s0_5_order_tasks_all_or_none(fresh, bob):
    """A part of them takes its own places; a stranger among them undoes it."""
    one = fresh()
    ids = [make(one)["task_id"] for _ in range(4)]

    def order():
        return [t["task_id"] for t in one.get("/tasks/task_list"
                                              ).json["tasks"]]

    one.post("/tasks/order_task", json={"task_ids": [ids[3], ids[1]]})
    assert order() == [ids[0], ids[3], ids[2], ids[1]]
    for stranger in (make(bob)["task_id"], ABSENT_TASK):
        one.post("/tasks/order_task", 404,
                 json={"task_ids": [ids[2], stranger, ids[0]]})
    assert order() == [ids[0], ids[3], ids[2], ids[1]]


def test_s0_6_register_user(api):
    phone, email = new_phone(), new_email()
    code = api.post("/tasks/generate_otp", json={"mobile": phone}
                    ).json["otp"]
    envelope = api.post("/tasks/register_user", json={
        "username": new_name(), "password": PASSWORD, "mobile_no": phone,
        "email": email, "otp": code}).json
    assert set(envelope["user"]) == S0_USER
    assert envelope["user"]["mobile_no"] == phone
    assert envelope["user"]["email"] == email
    assert envelope["message"] == "User registered successfully"
    api.get("/tasks/task_list", token=envelope["access_token"])


def test_s0_6_aliases_are_one_store_and_one_budget(api):
    """The code of one address is good at another, and counted with it."""
    phone = new_phone()
    code = api.post("/otp/send", json={"phone": phone}).json["otp"]
    for path in ("/send-otp", "/tasks/generate_otp"):
        assert api.post(path, 429, json={"phone": phone}).code == "otp_wait"
    proof = api.post("/tasks/verify_otp", json={
        "mobile": phone, "otp": code}).json["verification_token"]
    name = new_name()
    api.post("/register", json={"username": name, "password": PASSWORD,
                                "phone": phone, "verification_token": proof})
    token = api.post("/token", form={"username": name, "password": PASSWORD}
                     ).json["access_token"]
    assert api.get("/auth/me", token=token).json["phone"] == phone


@pytest.mark.parametrize("name", ["mobile", "mobile_no", "phone"])
def test_s0_7_s0_8_generate_and_verify_otp(api, name):
    phone = new_phone()
    sent = api.post("/tasks/generate_otp", json={name: phone}).json
    assert sent["message"] == "OTP sent successfully"
    proof = api.post("/tasks/verify_otp", json={
        name: phone, "otp": sent["otp"]}).json
    assert proof["verified"] is True
    api.post("/tasks/register_user", json={
        "username": new_name(), "password": PASSWORD, name: phone,
        "verification_token": proof["verification_token"]})
    reply = api.post("/tasks/verify_otp", 400, json={
        name: phone, "otp": sent["otp"]})
    assert reply.code == "otp_invalid"


def test_s0_9_users_table(dev, fresh):
    one = fresh(phone=new_phone(), email=new_email())
    me = one.get("/auth/me").json
    for column in ("id", "username", "created_at", "updated_at", "phone",
                   "email"):
        assert me[column], column
    row = dev.sql("SELECT password_hash FROM docket.users"
                  " WHERE id = :'id'", id=one.id)
    assert row[0][0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "argon2" not in str(me) and "hash" not in str(me)
    name = new_name()
    changed = one.patch("/auth/me", json={"username": name}).json
    assert changed["username"] == name
    assert changed["updated_at"] > me["updated_at"]
    assert changed["created_at"] == me["created_at"]


def test_s0_10_tasks_table(fresh, dev, admin):
    one = fresh()
    task = make(one, description="words", status="Done",
                due_date="2030-01-31")
    for column in S0_TASK:
        assert task[column], column
    assert task["user_id"] == one.id

    def rows():
        return dev.sql("SELECT id FROM docket.tasks WHERE user_id = :'id'",
                       id=one.id)

    assert rows() == [[task["task_id"]]]
    assert admin.delete(f"/auth/users/{one.id}").status == 200
    assert rows() == [], "tasks go with their user"


def test_s0_10_updated_at_and_labels(alice):
    task = make(alice)
    for label, status in (("In Progress", "in_progress"),
                          ("Done", "completed"), ("To Do", "pending")):
        time.sleep(0.002)  # what is told has milliseconds
        changed = alice.patch(f"/tasks/{task['task_id']}",
                              json={"status": label}).json["task"]
        assert (changed["status"], changed["status_label"]) == \
            (status, label)
        assert changed["updated_at"] > task["updated_at"]
        assert changed["created_at"] == task["created_at"]
        task = {**task, "updated_at": changed["updated_at"]}


def test_s0_10_a_task_has_an_owner(dev):
    """The foreign key is that of the owner's counter, which numbers each
    task: who is not there has none."""
    with pytest.raises(AssertionError, match="counters_user_fkey"):
        dev.sql("INSERT INTO docket.counters (user_id)"
                " VALUES (gen_random_uuid())")
    assert dev.sql(
        "SELECT count(*) FROM docket.tasks t WHERE NOT EXISTS (SELECT FROM"
        " docket.counters c WHERE c.user_id = t.user_id)") == [["0"]]


def test_s0_11_validate_otp_table(api, dev):
    phone = new_phone()
    code = send_otp(api, phone).json["otp"]

    def row():
        return dev.sql(
            "SELECT id, extract(epoch FROM expires_at - created_at)::int,"
            " encode(hash, 'hex'), attempts, consumed_at IS NOT NULL,"
            " otps::text, updated_at FROM docket.otps WHERE address = :'a'",
            a=phone)[0]

    id, seconds, hash, attempts, consumed, text, updated = row()
    assert docket.UUID7.match(id) and seconds == "120"
    assert len(hash) == 64 and not re.search(rf"\b{code}\b", text)
    assert (attempts, consumed) == ("0", "f")
    api.post("/tasks/verify_otp", 400, json={
        "mobile": phone, "otp": other_code(code)})
    assert row()[3:5] == ["1", "f"]
    api.post("/tasks/verify_otp", json={"mobile": phone, "otp": code})
    assert row()[4] == "t" and row()[6] > updated


def test_s0_12_all_of_it_together(dev):
    """OTP, registration, login, tasks behind a JWT: the eight calls."""
    client, phone, name = docket.Client(dev), new_phone(), new_name()
    code = client.post("/tasks/generate_otp", json={"mobile": phone}
                       ).json["otp"]
    client.post("/tasks/register_user", json={
        "username": name, "password": PASSWORD, "mobile_no": phone,
        "otp": code})
    token = client.post("/token", json={"username": name,
                                        "password": PASSWORD}
                        ).json["access_token"]
    assert len(token.split(".")) == 3
    ids = [client.post("/tasks/create_task", 201, token=token, json={
        "title": t}).json["task"]["task_id"] for t in ("one", "two")]
    client.put("/tasks/order_task", token=token,
               json={"task_ids": ids[::-1]})
    client.put("/tasks/update_task", token=token,
               json={"task_id": ids[0], "status": "Done"})
    client.post("/tasks/delete_task", token=token, json={"task_id": ids[1]})
    page = client.get("/tasks/task_list", token=token).json["tasks"]
    assert [(t["task_id"], t["status"]) for t in page] == [(ids[0], "Done")]
    client.close()


# --- S1: OTP, roles, two tokens -------------------------------------------

def test_s1_1_s1_5_send_otp(api):
    sent = api.post("/send-otp", json={"phone": new_phone()}).json
    assert sent["message"] == "OTP sent successfully"
    assert sent["status_code"] == 200
    assert re.fullmatch(r"\d{6}", sent["otp"])
    assert sent["expires_in"] == 120


def test_s1_1_sent_to_the_phone(api, dev):
    """By the courier, which here has a folder in the place of a gateway."""
    phone = new_phone()
    code = api.post("/send-otp", json={"phone": phone}).json["otp"]
    _, message = docket.wait_until(lambda: dev.messages(phone),
                                   f"a message for {phone}")[0]
    assert message["channel"] == "sms" and message["code"] == code


@pytest.mark.parametrize("seconds, status", [(115, 200), (121, 400)])
def test_s1_1_two_minutes(api, dev, seconds, status):
    phone, name = new_phone(), new_name()
    code = api.post("/send-otp", json={"phone": phone}).json["otp"]
    age(dev, phone, seconds)
    reply = api.post("/register", status, json={
        "phone": phone, "username": name, "password": PASSWORD, "otp": code})
    assert users_named(dev, name) == ("1" if status == 200 else "0")
    assert status == 200 or reply.code == "otp_invalid"


def test_s1_1_a_new_code_replaces_the_old(api, dev):
    phone = new_phone()
    old = api.post("/send-otp", json={"phone": phone}).json["otp"]
    age(dev, phone, 61)
    new = api.post("/send-otp", json={"phone": phone}).json["otp"]
    body = {"phone": phone, "username": new_name(), "password": PASSWORD}
    if old != new:
        api.post("/register", 400, json={**body, "otp": old})
    api.post("/register", json={**body, "otp": new})


@pytest.mark.parametrize("phone", ["+98 912 000 0000", "+98-912-000-0000",
                                   "0098 912 0000000", "(+98) 912.0000000"])
def test_s1_2_phones_as_people_write_them(api, phone):
    """Whatever stands between the digits, it is the one number."""
    number = new_phone()
    digits = iter(number[6:])
    typed = phone[:phone.index("912") + 3] + re.sub(
        "0", lambda _: next(digits), phone[phone.index("912") + 3:])
    code = api.post("/send-otp", json={"phone": typed}).json["otp"]
    api.post("/register", json={"phone": number, "username": new_name(),
                                "password": PASSWORD, "otp": code})


def test_s1_2_s1_6_register(api, dev):
    phone, name = new_phone(), new_name()
    code = api.post("/send-otp", json={"phone": phone}).json["otp"]
    body = {"phone": phone, "username": name, "password": PASSWORD,
            "otp": code, "role": "user"}
    assert api.post("/register", 400, json={**body, "otp": other_code(code)}
                    ).code == "otp_invalid"
    assert users_named(dev, name) == "0"
    assert api.post("/register", json=body).json == {
        "message": "User registered successfully", "status_code": 200}
    assert users_named(dev, name) == "1"
    # The code is used: with it nobody else registers.
    other = new_name()
    assert api.post("/register", 400, json={
        **body, "username": other}).code == "otp_invalid"
    assert users_named(dev, other) == "0"


def test_s1_2_code_and_user_are_one_transaction(api, alice):
    """A name that is taken uses no code up."""
    phone = new_phone()
    code = api.post("/send-otp", json={"phone": phone}).json["otp"]
    body = {"phone": phone, "password": PASSWORD, "otp": code}
    assert api.post("/register", 409, json={
        **body, "username": alice.username}).code == "username_taken"
    api.post("/register", json={**body, "username": new_name()})


def test_s1_3_s1_7_token(api):
    name = register(api, PASSWORD).json["user"]["username"]
    tokens = api.post("/token", json={"username": name,
                                      "password": PASSWORD}).json
    assert {"access_token", "refresh_token", "token_type"} <= set(tokens)
    assert tokens["token_type"] == "bearer"
    assert tokens["access_token"] != tokens["refresh_token"]
    # Clients put the type that they were told in front of the token.
    api.get("/tasks", headers=[("Authorization", "{token_type} {access_token}"
                                .format_map(tokens))])
    reply = api.post("/token", 400, json={"username": name,
                                          "password": "wrong password"})
    assert reply.json["error"] == "invalid_grant"


def test_s1_4_roles(admin, alice, fresh, dev):
    assert jwt_parts(admin.access)[1]["role"] == "admin"
    assert jwt_parts(alice.access)[1]["role"] == "user"
    alice.get("/auth/users", 403)
    # The database's word counts, at once, and not the token's.
    one = fresh()
    for role, status in (("admin", 200), ("user", 403)):
        admin.patch(f"/auth/users/{one.id}", json={"role": role})
        assert dev.sql("SELECT role FROM docket.users WHERE id = :'id'",
                       id=one.id) == [[role]]
        one.get("/auth/users", status)
        one.get("/admin-data", status)


def test_s1_6_role_admin_is_not_for_the_asking(api, dev):
    phone = new_phone()
    code = api.post("/send-otp", json={"phone": phone}).json["otp"]
    body = {"phone": phone, "username": new_name(), "password": PASSWORD,
            "otp": code, "role": "admin"}
    assert api.post("/register", 403, json=body).code == "forbidden"
    assert users_named(dev, body["username"]) == "0"
    api.post("/register", json={**body, "role": "user"})


@pytest.mark.parametrize("path", ["/token", "/auth/token"])
@pytest.mark.parametrize("body", [
    lambda t: {"grant_type": "refresh_token", "refresh_token": t},
    lambda t: {"refresh_token": t}], ids=["rfc 6749", "alone"])
def test_s1_8_refresh_token(api, dev, fresh, path, body):
    one = fresh()
    header, claims = jwt_parts(one.access)
    claims["iat"] -= 3600
    claims["exp"] = int(time.time()) - 60
    old = jwt_sign(header, claims, unb64(dev.jwt["key"]))
    assert api.get("/tasks", 401, token=old).code == "token_invalid"
    tokens = api.post(path, json=body(one.refresh)).json
    api.get("/tasks", token=tokens["access_token"])
    assert tokens["refresh_token"] != one.refresh
    assert tokens["token_type"] == "bearer"


def test_s1_9_admin_data(api, alice, admin):
    assert admin.get("/admin-data").json == {
        "message": "Access granted to admin data"}
    assert alice.get("/admin-data", 403).code == "forbidden"
    api.get("/admin-data", 401)


def test_s1_12_the_seeds_own_test(api):
    response = api.post("/send-otp", json={"phone": new_phone()})
    assert response.status == 200
    assert "otp" in response.json


# --- S2: signup, form login, CRUD -----------------------------------------

def test_s2_1_signup(api, dev):
    name = new_name()
    user = api.post("/signup", 201, json={"username": name,
                                          "password": PASSWORD}).json
    assert dev.sql("SELECT password_hash LIKE '$argon2id$%' FROM docket.users"
                   " WHERE username = :'n'", n=name) == [["t"]]
    assert user["username"] == name
    assert isinstance(user["number"], int)
    assert "password" not in str(user) and "token" not in str(user)
    api.post("/token", form={"username": name, "password": PASSWORD})


@pytest.mark.parametrize("form", [
    {"grant_type": "password"}, {}, {"grant_type": "password", "scope": ""},
    {"grant_type": "password", "client_id": "", "client_secret": ""}])
def test_s2_2_token_by_form(api, form):
    name = register(api, PASSWORD).json["user"]["username"]
    tokens = api.post("/token", form={"username": name,
                                      "password": PASSWORD, **form}).json
    assert set(tokens) == {"access_token", "token_type", "expires_in",
                           "refresh_token", "scope"}
    assert tokens["token_type"] == "bearer"


def test_s2_2_as_a_page_of_fastapi_logs_in(api):
    """Its form names a client that there is not, by the header too."""
    name = register(api, PASSWORD).json["user"]["username"]
    tokens = api.post("/token", headers=[("Authorization", "Basic Og==")],
                      form={"grant_type": "password", "username": name,
                            "password": PASSWORD, "scope": "",
                            "client_id": "", "client_secret": ""}).json
    api.get("/tasks", token=tokens["access_token"])


def test_s2_3_tasks(fresh):
    one = fresh()
    made = one.post("/tasks", 201, json={"title": "t", "description": "d"}
                    ).json["task"]
    number = made["number"]
    assert one.get("/tasks").json["tasks"] == [made]
    assert one.get(f"/tasks/{number}").json["task"] == made
    task = one.put(f"/tasks/{number}", json={"status": "completed"}
                   ).json["task"]
    moved = {"status", "status_label", "version", "updated_at",
             "completed_at"}
    assert {k for k in task if task[k] != made[k]} == moved
    assert task["status"] == "completed"
    one.delete(f"/tasks/{number}")
    one.get(f"/tasks/{number}", 404)
    assert one.tasks() == []


def test_s2_4_task_model(fresh):
    """The int id is `number`: it counts up, and is good in every path."""
    one = fresh()
    tasks = [one.task(status="pending") for _ in range(3)]
    assert [t["number"] for t in tasks] == [1, 2, 3]
    task = tasks[1]
    assert (task["user_id"], task["status"]) == (one.id, "pending")
    assert docket.INSTANT.match(task["created_at"])
    assert one.put("/tasks/2", json={"status": "completed"}
                   ).json["task"]["status"] == "completed"
    assert one.get("/tasks/" + task["id"]).json["task"]["status"] == \
        "completed"
    assert one.put("/tasks/2", 400, json={"status": "perhaps"}
                   ).pointers() == {"/status": "choice"}


def test_s2_5_user_model(api):
    name = new_name()
    users = [api.post("/signup", 201, json={
        "username": n, "password": PASSWORD}).json
        for n in (name, new_name())]
    assert users[0]["number"] < users[1]["number"]
    reply = api.post("/signup", 409, json={"username": name.upper(),
                                           "password": PASSWORD})
    assert reply.code == "username_taken"


S2_6 = [("GET", ""), ("POST", ""), ("GET", "/1"), ("PUT", "/1"),
        ("DELETE", "/1")]


@pytest.mark.parametrize("method, path", S2_6)
def test_s2_6_both_jwt_and_api_key(keyed, method, path):
    """In the order of the seed: no key, a wrong one, no token, both."""
    one, key = docket.person(keyed), [("X-API-Key", "123456")]
    one.post("/tasks", 201, json={"title": "t"}, headers=key)

    def ask(expect, **more):
        body = {"json": {"title": "t", "status": "completed"}} \
            if method in ("POST", "PUT") else {}
        return one.request(method, "/tasks" + path, expect, **body, **more)

    assert ask(401).code == "api_key_missing"
    for wrong in ("654321", "12345", "1234567", "123456 123456", "0123456"):
        reply = ask(401, headers=[("X-API-Key", wrong)])
        assert reply.code == "api_key_invalid"
    assert ask(401, headers=key + key).code == "api_key_invalid"
    assert ask(401, token=None, headers=key).code == "token_missing"
    assert ask(401, token="x.y.z", headers=key).code == "token_invalid"
    ask(201 if method == "POST" else 200, headers=key)
    one.close()


def test_s2_6_the_way_in_needs_no_key(keyed):
    client, name = Client(keyed), new_name()
    client.post("/signup", 201, json={"username": name,
                                      "password": PASSWORD})
    token = client.post("/token", form={
        "username": name, "password": PASSWORD}).json["access_token"]
    client.get("/tasks", 200, token=token,
               headers=[("X-API-Key", "123456")])
    client.close()


def test_s2_7_only_ones_own(alice, fresh):
    task, other = alice.task(), fresh()
    path = "/tasks/" + task["id"]
    for method, more in (("GET", {}), ("DELETE", {}),
                         ("PUT", {"json": {"status": "completed"}})):
        reply = other.request(method, path, 404, **more)
        assert reply.code == "task_not_found"
    assert other.tasks() == []
    assert alice.get(path).json["task"] == task


def test_s2_8_errors(api, alice):
    assert api.get("/tasks", 401).code == "token_missing"
    assert alice.get("/tasks/999999", 404).code == "task_not_found"
    assert alice.post("/tasks", 400, json={}).pointers() == {
        "/title": "required"}
    for path in ("/signup", "/token"):
        api.post(path, 400, json={"username": new_name()})
    told = api.post("/signup", 400, json={"username": "a b",
                                          "password": "short"}).pointers()
    assert set(told) == {"/username", "/password"}


# --- S3: the OpenAPI document ---------------------------------------------

def test_s3_1_register(api):
    name, email = new_name(), new_email()
    envelope = api.post("/auth/register", json={
        "username": name, "email": email, "password": "securepassword"}).json
    assert envelope["message"] == "Authentication successful"
    user = envelope["user"]
    assert (user["username"], user["email"]) == (name, email)
    assert docket.UUID7.match(user["id"])
    api.get("/tasks", token=envelope["token"])
    for body in ({"username": name}, {"email": email}, {},
                 {"username": new_name(), "email": "nobody",
                  "password": "securepassword"}):
        reply = api.post("/auth/register", 400, json=body)
        assert reply.json["message"] == \
            "Missing required fields or invalid data."


def test_s3_2_authenticate(api):
    email = new_email()
    register(api, "securepassword", email=email)
    envelope = api.post("/auth", json={"email": email,
                                       "password": "securepassword"}).json
    assert envelope["message"] == "Authentication successful"
    assert envelope["user"]["email"] == email
    api.get("/tasks", token=envelope["token"])
    assert docket.UUID7.match(envelope["user"]["id"])
    for body in ({"email": email}, {"password": "securepassword"}, {}):
        reply = api.post("/auth", 400, json=body)
        assert reply.json["message"] == "Email or password is missing."
    for who in (email, new_email()):
        reply = api.post("/auth", 401, json={"email": who,
                                             "password": "wrong"})
        assert reply.json["message"] == "Invalid credentials."


def test_s3_3_create(fresh, dev):
    one = fresh()
    reply = one.post("/tasks", 201, json={
        "title": "Sample Task",
        "description": "This is a sample task description."})
    assert reply.json["message"] == "Task created"
    task = reply.json["task"]
    assert {"uuid", "title", "description", "user_id", "created_at"} <= \
        set(task)
    assert task["user_id"] == one.id
    assert docket.UUID7.match(task["uuid"])
    assert docket.INSTANT.match(task["created_at"])
    assert reply.header("Location") == "/tasks/" + task["uuid"]
    reply = one.post("/tasks", 400, json={"description": "no title"})
    assert reply.json["message"] == "Missing required fields or invalid data."
    dev.sql("DELETE FROM docket.users WHERE id = :'id'", id=one.id)
    reply = one.post("/tasks", 404, json={"title": "t"})
    assert reply.json["message"] == "User not found."


def test_s3_4_list(fresh, dev):
    one = fresh()
    task = one.task()
    assert one.get("/tasks").json["tasks"] == [task]
    assert {"uuid", "title", "description", "user_id", "created_at"} <= \
        set(task)
    dev.sql("DELETE FROM docket.users WHERE id = :'id'", id=one.id)
    assert one.get("/tasks", 404).json["message"] == "User not found."


def test_s3_5_delete(alice):
    path = "/tasks/" + alice.task()["uuid"]
    assert alice.delete(path).json == {"message": "Task deleted"}
    assert alice.delete(path, 404).json["message"] == "Task not found."
    assert alice.delete("/tasks/nonsense", 400).json["message"] == \
        "Invalid task ID."


S3_DOCUMENT = [
    ("/auth/register", "post", "registerUser",
     {"username", "email", "password"}, {"200", "400"}),
    ("/auth", "post", "authenticateUser", {"email", "password"},
     {"200", "400"}),
    ("/tasks", "post", "createTask", {"title", "description"},
     {"201", "400", "404"}),
    ("/tasks", "get", "getAllTasks", set(), {"200", "404"}),
    ("/tasks/{id}", "delete", "deleteTask", set(), {"200", "400", "404"}),
]


@pytest.mark.parametrize("path, method, operation, members, statuses",
                         S3_DOCUMENT, ids=[row[2] for row in S3_DOCUMENT])
def test_s3_6_the_document(api, path, method, operation, members, statuses):
    """All that the seed's document says is in ours."""
    document = api.get("/openapi.json").json
    said = document["paths"][path][method]
    assert said["operationId"] == operation
    assert statuses <= set(said["responses"])
    if members:
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][
                schema["$ref"].rsplit("/", 1)[1]]
        assert members <= set(schema["properties"])


# --- S4: signup with role and status --------------------------------------

def test_s4_1_register_and_login(api):
    phone, email = new_phone(), new_email()
    code = send_otp(api, phone).json["otp"]
    api.post("/register", json={"username": new_name(), "email": email,
                                "password": PASSWORD, "phone": phone,
                                "otp": code})
    token = api.post("/login", json={"email": email, "password": PASSWORD}
                     ).json
    assert set(token) == {"token"}
    api.get("/tasks", token=token["token"])


@pytest.mark.parametrize("row", [
    row for row in ROUTES if row.path.startswith("/tasks")
    and row.access != "PUBLIC"], ids=str)
def test_s4_1_every_task_route_needs_a_bearer(api, row):
    reply = api.request(row.method, row.at(), 401)
    assert reply.header("WWW-Authenticate").startswith("Bearer")


def test_s4_2_tasks(fresh):
    """PUT takes any member that may change, and changes no other."""
    one = fresh()
    task = one.task(description="words")
    path = "/tasks/" + task["id"]
    for change in ({"title": "x"}, {"description": "y"}, {"priority": 2},
                   {"due_date": "2031-01-31"}, {"tags": ["a"]},
                   {"status": "in_progress", "deadline": "2031-02-01"}):
        before = one.get(path).json["task"]
        after = one.put(path, json=change).json["task"]
        change = {"due_date" if k == "deadline" else k: v
                  for k, v in change.items()}
        assert {k: after[k] for k in change} == change
        rest = set(after) - set(change) - {
            "version", "updated_at", "status_label", "overdue"}
        assert {k: after[k] for k in rest} == {k: before[k] for k in rest}
    assert [t["id"] for t in one.tasks()] == [task["id"]]
    one.delete(path)
    assert one.tasks() == []


def test_s4_3_status_or_deadline(alice):
    path = f"/tasks/{alice.task()['id']}/status"
    assert alice.patch(path, json={"status": "completed"}
                       ).json["task"]["status"] == "completed"
    for name in ("deadline", "due_date"):
        task = alice.patch(path, json={name: "2030-01-31"}).json["task"]
        assert (task["status"], task["due_date"]) == \
            ("completed", "2030-01-31")
        alice.patch(path, json={name: "2030-01-30"})
    task = alice.patch(path, json={"status": "pending",
                                   "deadline": "2031-01-31"}).json["task"]
    assert (task["status"], task["due_date"]) == ("pending", "2031-01-31")
    alice.patch(path, 400, json={})
    assert alice.patch(path, 400, json={"title": "x"}).pointers()[
        "/title"] == "unknown"


def test_s4_4_signup(api, admin):
    body = {"username": new_name(), "password": "test@123",
            "email": new_email()}
    assert api.post("/users/signup", json=body).json == {
        "message": "User added successfully"}
    # The seed lets anybody say admin; we do not.
    body = {"username": new_name(), "password": "test@123",
            "email": new_email(), "role": "admin"}
    assert api.post("/users/signup", 403, json=body).code == "forbidden"
    assert admin.post("/users/signup", json=body).json == {
        "message": "User added successfully"}


@pytest.mark.parametrize("path", ["/users/login", "/login"])
def test_s4_5_login(api, path):
    email = new_email()
    register(api, "test@123", email=email)
    reply = api.post(path, json={"email": email, "password": "test@123"})
    assert set(reply.json) == {"token"}
    header, _ = jwt_parts(reply.json["token"])
    assert header["alg"] == "HS256"
    assert api.post(path, 401, json={"email": email, "password": "x"}
                    ).json["message"] == "Invalid credentials."


def test_s4_6_get_users(api, alice, admin):
    body = {"username": new_name(), "password": "test@123",
            "email": new_email(), "role": "admin"}
    admin.post("/users/signup", json=body)
    path = "/users/get_users?q=" + body["username"]
    user = {"username": body["username"], "email": body["email"],
            "role": "admin", "status": "Y"}
    assert admin.get(path).json == {"users": [user]}
    id = admin.get("/auth/users?q=" + body["username"]
                   ).json["users"][0]["id"]
    admin.patch(f"/auth/users/{id}", json={"status": "N", "role": "user"})
    assert admin.get(path).json == {
        "users": [{**user, "role": "user", "status": "N"}]}
    alice.get("/users/get_users", 403)
    api.get("/users/get_users", 401)


def test_s4_6_get_users_is_a_page(admin, alice, bob):
    page = admin.get("/users/get_users?limit=2").json
    assert set(page) == {"users", "next_cursor"} and len(page["users"]) == 2
    for user in page["users"]:
        assert set(user) == {"username", "email", "role", "status"}
    more = admin.get("/users/get_users?limit=2&cursor="
                     + page["next_cursor"]).json["users"]
    assert more and more[0] not in page["users"]


def test_s4_7_ten_minutes(alice):
    header, claims = jwt_parts(alice.access)
    assert claims["exp"] - claims["iat"] == 600
    assert header["alg"] == "HS256"


def test_s4_8_deadlines(fresh):
    one = fresh()
    late = one.task(due_date="2020-01-01")
    soon = one.task(due_date="2999-01-01")
    assert (late["overdue"], soon["overdue"]) == (True, False)

    def overdue():
        return [t["id"] for t in one.tasks("?overdue=true")]

    assert overdue() == [late["id"]]
    one.patch(f"/tasks/{late['id']}/status", json={"status": "completed"})
    assert overdue() == []


# --- every alias says so --------------------------------------------------

@pytest.mark.parametrize("row", ROUTES, ids=str)
def test_aliases_are_deprecated_and_name_their_heir(admin, row):
    """RFC 9745 (a structured date) and RFC 8288; canonical rows say
    nothing of the kind. On a refusal too, where a client looks first."""
    if row.path == "/auth/logout":
        return
    reply = admin.request(row.method, row.at(),
                          json={} if row.takes_body else docket.ABSENT)
    links = ", ".join(reply.all("Link"))
    if row.canonical is None:
        assert reply.header("Deprecation") is None
        assert "successor-version" not in links
        return
    assert re.fullmatch(r"@\d+", reply.header("Deprecation") or ""), \
        str(reply.headers)
    assert int(reply.header("Deprecation")[1:]) < time.time()
    target = row.canonical.split(" ")[1].split("/{")[0]
    assert f'<{target}>; rel="successor-version"' in links, f"Link: {links}"


ALIASES = [row for row in ROUTES if row.canonical]


@pytest.mark.parametrize("row", ALIASES, ids=str)
def test_an_alias_is_its_canonical_row_in_other_words(row):
    """One handler and one set of rules; names and reply alone differ."""
    whole = {str(r): r for r in ROUTES if not r.canonical}[row.canonical]
    if "ROUTE_SAMPLE" in row.flags:
        assert (row.access, row.scope) == (whole.access, whole.scope)
        return
    for column in ("handler", "access", "scope", "group", "rate"):
        assert getattr(row, column) == getattr(whole, column), column
    safe = {"ROUTE_IDEMPOTENT", "ROUTE_BODY_OPTIONAL", "ROUTE_MERGE",
            "ROUTE_ETAG"}
    assert row.flags - safe == whole.flags - safe
    if row.method == whole.method:
        assert row.flags - {"ROUTE_BODY_OPTIONAL"} == whole.flags


@pytest.mark.parametrize("path", sorted({row.path for row in ALIASES}))
def test_an_alias_has_the_methods_of_its_rows(api, admin, path):
    wanted = {row.method for row in ALIASES if row.path == path}
    wanted |= {"OPTIONS"} | ({"HEAD"} if "GET" in wanted else set())
    assert api.request("OPTIONS", path, 204).allow() == wanted
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - wanted:
        assert api.request(method, path, 405).allow() == wanted
    if "HEAD" in wanted:
        got, head = admin.get(path), admin.request("HEAD", path, 200)
        assert head.body == b"" and head.header("Deprecation") == \
            got.header("Deprecation")
        assert head.all("Link") == got.all("Link")


@pytest.mark.parametrize("path", sorted({
    row.at() for row in ROUTES if "ROUTE_LOCAL" not in row.flags}))
def test_a_slash_at_the_end_is_told(api, path):
    """Some frameworks redirect; here one address has one spelling."""
    reply = api.get(path + "/", 404)
    assert reply.code == "not_found"
    assert "without the slash" in reply.json["detail"]
    assert reply.header("Location") is None


def test_a_slash_is_not_blamed_for_more(api, admin):
    for path in ("/", "/nothing/", "/tasks//", "/tasks/1/2/3/", "/auth/no/"):
        for person in (api, admin):
            reply = person.get(path, 404)
            assert "slash" not in reply.json["detail"], path
