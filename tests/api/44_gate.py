# SPDX-License-Identifier: AGPL-3.0-or-later
"""One login for other sites: GET /auth/check, the cookie for browsers, and
the nginx example that ships, in front of files and an application."""

import concurrent.futures
import time

import pytest

import docket
import guarded
import instance
import trail
from docket import Client, jwt_parts, new_name, rate_limits
from guarded import attributes, cookie_of, forge, next_of

NAME = "__Host-docket"
PAGE = [("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html,*/*;q=0.8")]
OLD_PAGE = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
SCRIPT = [("Sec-Fetch-Mode", "cors"), ("Accept", "*/*")]


@pytest.fixture(scope="module")
def site(dev):
    with guarded.site(dev) as found:
        yield found


@pytest.fixture
def visit(site):
    """Visitors of the site who live as long as the test."""
    made = []

    def make(**more):
        made.append(site.visitor(**more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def enter(one):
    """The cookie of somebody's session, as a browser sends it."""
    return cookie_of(one.post("/auth/cookie"))


def api_key(one, *scopes):
    return one.post("/auth/keys", 201, json={
        "name": "a key", "scopes": list(scopes)}).json["api_key"]


def check(client, query="", expect=204, **more):
    reply = client.get("/auth/check" + query, expect, **more)
    assert reply.header("Cache-Control") == "no-store"
    told = [reply.header(f"X-User-{n}") for n in ("Id", "Name", "Role")]
    assert all(told) if reply.status == 204 else not any(told), str(reply)
    return reply


def ways(one):
    """The same person in three ways, as arguments of a request."""
    return {"bearer": {"token": one.access},
            "cookie": {"token": None, "headers": [("Cookie", enter(one))]},
            "key": {"token": None, "headers": [
                ("X-API-Key", api_key(one, "account", "tasks:read"))]}}


# --- the question -------------------------------------------------------------

def test_it_says_who_it_is_in_three_ways(fresh, api):
    one = fresh()
    for way, more in ways(one).items():
        reply = check(api, **more)
        assert reply.header("X-User-Id") == one.id, way
        assert reply.header("X-User-Name") == one.username
        assert reply.header("X-User-Role") == "user"
        head = api.request("HEAD", "/auth/check", 204, **more)
        assert head.header("X-User-Id") == one.id
    assert check(api, expect=401).code == "token_missing"
    check(api, expect=401, token="e30.e30.x")


def test_a_role_is_asked_of_the_database(fresh, api, admin):
    one = fresh()
    boss = api_key(admin, "account", "admin")
    meek = api_key(admin, "account")
    for more in ways(one).values():
        check(api, "?role=user", **more)
        reply = check(api, "?role=admin", 403, **more)
        assert reply.code == "forbidden"
    for more in ({"token": admin.access},
                 {"headers": [("Cookie", enter(admin))]},
                 {"headers": [("X-API-Key", boss)]}):
        assert check(api, "?role=admin", **more).header("X-User-Role") == \
            "admin"
        check(api, "?role=user", **more)
    reply = check(api, "?role=admin", 403, headers=[("X-API-Key", meek)])
    assert reply.code == "insufficient_scope"


def test_a_scope_is_asked_of_the_credential(fresh, api, admin):
    one = fresh()
    for way, more in ways(one).items():
        for scope in ("account", "tasks:read", "tasks:read%20account",
                      "account+tasks:read", "%20account%20"):
            check(api, "?scope=" + scope, **more)
        reply = check(api, "?scope=account+admin", 403, **more)
        assert reply.code == "insufficient_scope"
        assert 'scope="admin"' in reply.header("WWW-Authenticate")
        check(api, "?scope=account+tasks:write", way == "key" and 403 or 204,
              **more)
    check(api, "?scope=admin", token=admin.access)
    check(api, "?scope=admin", headers=[("Cookie", enter(admin))])
    # What the gate's own row asks of a key.
    reply = check(api, expect=403, headers=[
        ("X-API-Key", api_key(one, "tasks:read"))])
    assert reply.code == "insufficient_scope"


@pytest.mark.parametrize("query", [
    "?role=root", "?role=Admin", "?role=user,admin", "?role=%20admin",
    "?role=%00", "?scope=root", "?scope=tasks", "?scope=account,admin",
    "?scope=account+Tasks:read", "?role=user&scope=x", "?role=x&scope=account"
    ])
def test_a_word_that_does_not_exist_lets_nobody_in(api, admin, query):
    """nginx would make a 500 of a 400."""
    expect = 400 if "%00" in query else 403
    check(api, query, expect, token=admin.access)
    check(api, query, expect, headers=[("Cookie", enter(admin))])


@pytest.mark.parametrize("query", [
    "?role=", "?scope=", "?roles=admin", "?role=admin&role=user", "?Role=a"])
def test_what_is_no_question_is_400(api, admin, query):
    check(api, query, 400, token=admin.access)


@pytest.mark.parametrize("name, told", [
    ("plain.Name-1_2~", "plain.Name-1_2~"),
    ("Žofie", "%C5%BDofie"),
    ("کاربر", "%DA%A9%D8%A7%D8%B1%D8%A8%D8%B1"),
    # None that the API takes: as an import or a later rule might.
    ("two words", "two%20words"), ("a%0d%0aX: b", "a%250d%250aX%3A%20b"),
    ("a\r\nX-User-Role: admin", "a%0D%0AX-User-Role%3A%20admin"),
    ("🦊", "%F0%9F%A6%8A")])
def test_a_name_is_told_in_ascii(dev, fresh, api, visit, name, told):
    tail, one = new_name("-"), fresh()
    dev.sql("UPDATE docket.users SET username = :'name', username_key ="
            " :'name' WHERE id = :'id'", id=one.id, name=name + tail)
    reply = check(api, token=one.access)
    assert reply.header("X-User-Name") == told + tail
    assert reply.header("X-User-Role") == "user"
    _, headers = visit(cookie=enter(one)).seen()
    assert headers["x-user-name"] == [told + tail]
    assert headers["x-user-role"] == ["user"]


def test_the_next_question_knows(dev, fresh, api, admin):
    """Logout, ban, a lower role, the end of a session, of the account."""
    for what, code in (("logout", "token_revoked"), ("ban", "user_inactive"),
                       ("session", "token_revoked"),
                       ("account", "user_deleted")):
        one = fresh()
        key = {"token": None, "headers": [
            ("X-API-Key", api_key(one, "account"))]}
        open_ = {"bearer": {"token": one.access},
                 "cookie": {"token": None,
                            "headers": [("Cookie", enter(one))]}}
        for more in (*open_.values(), key):
            check(api, **more)
        {"logout": lambda: one.post("/auth/logout"),
         "ban": lambda: admin.patch("/auth/users/" + one.id,
                                    json={"status": "N"}),
         "session": lambda: one.delete(
             "/auth/sessions/" + jwt_parts(one.access)[1]["sid"]),
         "account": lambda: one.delete(
             "/auth/me", json={"password": one.password})}[what]()
        for way, more in open_.items():
            assert check(api, expect=401, **more).code == code, (what, way)
        # A key outlives logins, no more.
        check(api, expect=204 if what in ("logout", "session") else 401,
              **key)


def test_a_lower_role_is_403_at_once(fresh, api, admin, visit):
    one = fresh()
    admin.patch("/auth/users/" + one.id, json={"role": "admin"})
    one = docket.login(one.dev, one.username, one.password)
    visitor = visit(cookie=enter(one))
    check(api, "?role=admin", token=one.access)
    assert visitor.get("/reports/").body == b"the reports"
    admin.patch("/auth/users/" + one.id, json={"role": "user"})
    assert check(api, "?role=admin", 403, token=one.access).code == \
        "forbidden"
    assert check(api, "?scope=admin", 403, token=one.access).code == \
        "insufficient_scope"
    visitor.get("/reports/", 403)
    visitor.get("/notes.txt", 200)
    one.close()


def test_a_question_writes_nothing(fresh, api, ledger):
    one = fresh()
    asked = ways(one)
    check(api, **asked["key"])  # its last use, once a minute
    before = ledger.settled()
    for more in asked.values():
        check(api, **more)
        check(api, "?role=admin", 403, **more)
    check(api, expect=401, token="x")
    assert ledger.changed(before) == []


def gate_schemes(document):
    """The cookie's name, and how many operations it opens."""
    parts = document["components"]["securitySchemes"]
    return parts.get("gateCookie", {}).get("name"), sum(
        {"gateCookie": []} in operation.get("security", [])
        for row in document["paths"].values() for operation in row.values())


def test_the_document_tells_of_it(api):
    document = api.get("/openapi.json").json
    scheme = document["components"]["securitySchemes"]["gateCookie"]
    assert scheme.items() >= {"type": "apiKey", "in": "cookie",
                              "name": NAME}.items()
    opened = [(path, method) for path, row in document["paths"].items()
              for method, operation in row.items()
              if {"gateCookie": []} in operation.get("security", [])]
    assert opened == [("/auth/check", "get")]
    said = document["paths"]["/auth/check"]["get"]
    assert {"bearer": []} in said["security"]
    assert "content" not in said["responses"]["204"]


# --- the cookie ---------------------------------------------------------------

def test_the_cookie_is_the_browsers_alone(fresh, api):
    reply = fresh().post("/auth/cookie")
    pair, rest = attributes(reply)
    assert pair.startswith(NAME + "=")
    assert set(rest) == {"Path=/", "Max-Age=43200", "Secure", "HttpOnly",
                         "SameSite=Strict"}
    assert reply.json == {"message": "Cookie set", "expires_in": 43200}
    assert reply.header("Cache-Control") == "no-store"


def test_a_cookie_opens_the_gate_and_nothing_else(dev, fresh, api, ledger):
    """So nothing can be done by making a browser ask."""
    one = fresh()
    cookie = enter(one)
    pass_ = cookie.split("=", 1)[1]
    sent = [("Cookie", cookie)]
    before = ledger.settled()
    for row in docket.ROUTES:
        if row.access == "PUBLIC" or row.handler == "api_check":
            continue
        body = {"json": {}} if row.takes_body else {}
        api.request(row.method, row.at(), 401, headers=sent, **body)
    assert ledger.changed(before) == []
    check(api, headers=sent)
    # Nor is what is in it a token of any kind, nor the other way round.
    api.get("/auth/me", 401, token=pass_)
    check(api, expect=401, token=pass_)
    api.post("/auth/refresh", 401, json={"refresh_token": pass_})
    for token in (one.access, one.refresh):
        check(api, expect=401, headers=[("Cookie", f"{NAME}={token}")])


@pytest.mark.parametrize("make, opens", [
    (lambda c: c, True), (lambda c: "a=1; " + c + "; b=2", True),
    (lambda c: c.replace(NAME, NAME.lower()), False),
    (lambda c: c.replace(NAME, "docket"), False), (lambda c: c[:-1], False),
    (lambda c: c + "A", False), (lambda c: c + "; " + c, False),
    (lambda c: f"{NAME}=x; " + c, False), (lambda c: f'{NAME}="{c}"', False),
    (lambda c: c.replace("=", "%3D"), False), (lambda c: NAME + "=", False)])
def test_a_cookie_is_read_strictly(fresh, api, visit, make, opens):
    cookie = make(enter(fresh()))
    check(api, expect=204 if opens else 401, headers=[("Cookie", cookie)])
    visit(cookie=cookie).get("/notes.txt", 200 if opens else 401)


def test_two_cookie_lines_are_one_too_many(fresh, api):
    cookie = enter(fresh())
    check(api, expect=401, headers=[("Cookie", cookie), ("Cookie", cookie)])


def test_forged_and_old_passes_are_refused(dev, fresh, api):
    one, other = fresh(), fresh()
    sid, now = jwt_parts(one.access)[1]["sid"], int(time.time())

    def status(*words, **more):
        return check(api, expect=None, headers=[
            ("Cookie", f"{NAME}={forge(dev, *words, **more)}")]).status

    assert status(one.id, sid, now + 60) == 204
    assert status(one.id, sid, now - 1) == 401
    assert status(one.id, sid, now) == 401
    assert status(one.id, sid, now + 60, version=2) == 401
    assert status(one.id, sid, now + 60, purpose=b"refresh") == 401
    assert status(other.id, sid, now + 60) == 401  # not that one's session
    assert status(one.id, one.id, now + 60) == 401


def test_signing_out_ends_the_session(fresh, api):
    one = fresh()
    cookie = enter(one)
    sent = [("Cookie", cookie)]
    reply = api.delete("/auth/cookie", headers=sent)
    pair, rest = attributes(reply)
    assert pair == NAME + "=" and "Max-Age=0" in rest and "Path=/" in rest
    check(api, expect=401, headers=sent)
    assert one.get("/auth/me", 401).code == "token_revoked"
    # Again, or never signed in: there is nothing left to sign out of.
    for headers in (sent, [], [("Cookie", NAME + "=x")]):
        reply = api.delete("/auth/cookie", headers=headers)
        assert "Max-Age=0" in attributes(reply)[1]
    assert trail.events(one.dev, one.id).count("logout") == 1


def test_a_cookie_needs_a_living_session(fresh, api):
    one = fresh()
    key = api_key(one, "account")
    api.post("/auth/cookie", 401, headers=[("X-API-Key", key)])
    api.post("/auth/cookie", 401, headers=[("Cookie", enter(one))])
    one.post("/auth/logout")
    reply = one.post("/auth/cookie", 401)
    assert reply.code == "token_revoked" and not reply.header("Set-Cookie")


# --- the site -----------------------------------------------------------------

def test_strangers_are_shown_the_way_in(visit):
    stranger = visit()
    served = stranger.dev.app.served
    for path in ("/", "/notes.txt", "/reports/", "/app/a?b=c&d=%2f", "/nope",
                 "/_docket/nope", "/app/../notes.txt"):
        for headers in (PAGE, OLD_PAGE):
            reply = stranger.get(path, 302, headers=headers)
            assert next_of(reply) == path
            assert reply.header("Cache-Control") == "no-store"
        reply = stranger.get(path, 401, headers=SCRIPT)
        assert reply.type == "application/problem+json"
        assert reply.json["code"] == "token_missing"
        assert reply.header("WWW-Authenticate").startswith("Bearer")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            stranger.request(method, path, 401, headers=PAGE)
    assert stranger.dev.app.served == served


def test_the_questions_are_not_for_visitors(visit, fresh):
    one = visit(cookie=enter(fresh()))
    for path in ("/_docket/check", "/_docket/admin", "/_docket/away"):
        one.get(path, 404)
    one.get("/_docket/guard.conf", 404)
    one.get("/_docket/me", 204)


@pytest.mark.parametrize("way", ["token", "cookie", "key"])
def test_whoever_has_an_account_is_let_in(visit, fresh, way):
    one = fresh()
    visitor = visit(**{way: {"token": lambda: one.access,
                             "cookie": lambda: enter(one),
                             "key": lambda: api_key(one, "account")}[way]()})
    assert visitor.get("/").body == b"the front"
    reply = visitor.get("/notes.txt")
    assert reply.body == b"notes"
    assert reply.header("Cache-Control") == "private, no-cache"
    _, headers = visitor.seen()
    assert headers["x-user-id"] == [one.id]
    assert headers["x-user-name"] == [one.username]
    assert headers["x-user-role"] == ["user"]
    reply = visitor.get("/reports/", 403)
    assert b"Not for this account" in reply.body
    visitor.get("/nope", 404)


def test_nobody_forges_who_he_is(visit, fresh, admin):
    one = fresh()
    lies = [(name, value) for name, value in (
        ("X-User-Id", admin.id), ("X-User-Name", "admin"),
        ("X-User-Role", "admin"), ("x-user-role", "admin"),
        ("X_User_Role", "admin"), ("X-User_Role", "admin"))]
    _, headers = visit(cookie=enter(one)).seen(headers=lies)
    told = {name: values for name, values in headers.items()
            if "user" in name and name != "user-agent"}
    assert told == {"x-user-id": [one.id], "x-user-name": [one.username],
                    "x-user-role": ["user"]}
    visit().get("/app/", 401, headers=lies)
    visit(cookie=enter(one)).get("/reports/", 403, headers=lies)


def test_credentials_stay_in_front(visit, fresh):
    """The application could do as its visitor does."""
    one = fresh()
    cookie = enter(one)
    for sent, left in ((cookie, None), ("a=1; " + cookie, "a=1"),
                       (cookie + "; b=2", "b=2"),
                       ("a=1; " + cookie + "; b=2", "a=1; b=2"),
                       (f"x{cookie}; " + cookie, f"x{cookie}")):
        _, headers = visit(cookie=sent).seen()
        assert headers.get("cookie") == (left and [left]), sent
    key = api_key(one, "account")
    for visitor in (visit(token=one.access), visit(key=key)):
        said, headers = visitor.seen()
        assert not {"cookie", "authorization", "x-api-key"} & set(headers)
        assert one.access not in str(said) and key not in str(said)


def test_every_method_and_body_comes_through(visit, fresh):
    visitor = visit(cookie=enter(fresh()))
    body = b"a body " * 4000
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        said, _ = visitor.seen(method, "/app/x?y=1", body=body,
                               type="text/plain")
        assert (said["method"], said["path"]) == (method, "/x?y=1")
        assert said["body"].encode() == body
    visitor.request("HEAD", "/app/", 200)


@pytest.mark.parametrize("headers", [
    [("Connection", "Upgrade"), ("Upgrade", "websocket")],
    [("Accept", "text/event-stream")], [("Accept", "application/xml")],
    [("If-None-Match", "*")], [("If-Match", '"1"')],
    [("Idempotency-Key", "")], [("Expect", "100-continue")],
    [("X-Original-URI", "/"), ("X-Original-Method", "GET")],
    [("X-Forwarded-For", "203.0.113.9")], [("Range", "bytes=0-1")]])
def test_what_is_the_sites_business_changes_no_answer(visit, fresh, headers):
    inside = visit(cookie=enter(fresh()))
    inside.get("/app/", 200, headers=headers)
    visit().get("/app/", 401, headers=headers)


def test_an_applications_own_answers_are_its_own(visit, fresh):
    visitor = visit(cookie=enter(fresh()))
    reply = visitor.get("/app/500", 500)
    assert reply.json["path"] == "/500"


def test_the_next_page_knows(visit, fresh, admin, api):
    for end in (lambda one: one.post("/auth/logout"),
                lambda one: admin.patch("/auth/users/" + one.id,
                                        json={"status": "N"})):
        one = fresh()
        visitors = [visit(cookie=enter(one)), visit(token=one.access)]
        for visitor in visitors:
            visitor.get("/notes.txt", 200)
            visitor.seen()
        end(one)
        for visitor in visitors:
            visitor.get("/notes.txt", 401)
            visitor.get("/app/", 401)
            visitor.get("/", 302, headers=PAGE)


def test_signing_in_as_the_page_does(visit, fresh):
    one, visitor = fresh(), visit()
    reply = visitor.post("/_docket/auth", json={
        "username": one.username, "password": "wrong"}, expect=401)
    assert reply.json["code"] == "credentials_invalid"
    pair = visitor.post("/_docket/auth", json={
        "username": one.username, "password": one.password}).json
    reply = visitor.post("/_docket/cookie", token=pair["access_token"])
    visitor.cookie = cookie_of(reply)
    assert visitor.get("/notes.txt").body == b"notes"
    reply = visitor.get("/_docket/me", 204)
    assert reply.header("X-User-Name") == one.username
    reply = visitor.delete("/_docket/cookie")
    assert "Max-Age=0" in attributes(reply)[1]
    visitor.get("/notes.txt", 401)
    visitor.get("/_docket/me", 401)
    one.get("/auth/me")  # another session of theirs


def test_the_pages_hold_to_themselves(visit):
    stranger = visit()
    for name, kind in (("signin.html", "text/html; charset=utf-8"),
                       ("signin.js", "text/javascript; charset=utf-8"),
                       ("signin.css", "text/css; charset=utf-8"),
                       ("forbidden.html", "text/html; charset=utf-8")):
        reply = stranger.get("/_docket/" + name)
        assert reply.type == kind
        policy = reply.header("Content-Security-Policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert reply.header("X-Frame-Options") == "DENY"
        text = reply.body.decode()
        assert "http:" not in text and "https:" not in text
        for way in ("<style", "onclick", "style=", "innerHTML", "eval(",
                    "localStorage", "sessionStorage", "document.cookie"):
            assert way not in text, f"{name}: {way}"


def test_no_answer_is_no_entry(dev, fresh):
    """Docket away: nobody is let in, and it is said so."""
    def away(config, routes):
        return config, routes.replace("/docket.sock", "/nobody.sock")

    one = fresh()
    with guarded.site(dev, away) as alone:
        for visitor in (alone.visitor(cookie=enter(one)), alone.visitor(),
                        alone.visitor(token=one.access)):
            for path in ("/", "/app/", "/reports/"):
                reply = visitor.get(path, 503, headers=PAGE)
                assert reply.header("Retry-After") == "5"
                assert reply.body.startswith(b"Who may see this")
            visitor.close()
        assert alone.app.served == 0


def test_a_wrong_word_in_the_settings_closes(dev, fresh, admin):
    """role=amdin: 403 for all; rol=admin: nobody either."""
    cookie = enter(admin)
    for wrong, status in (("?role=amdin", 403), ("?rol=admin", 503)):
        with guarded.site(dev) as other:
            path = other.place / "docket-guard.conf"
            path.write_text(path.read_text().replace("?role=admin", wrong))
            other.reload()
            visitor = other.visitor(cookie=cookie)
            docket.wait_until(lambda: visitor.get("/reports/", None).status
                              == status, f"{status} for {wrong}")
            visitor.get("/notes.txt", 200)
            visitor.close()


# --- limits -------------------------------------------------------------------

CHECKS, ANONYMOUS = 12, 9


@pytest.fixture(scope="module")
def limited():
    with instance.running(f"limits.checks_user={CHECKS}",
                          f"limits.requests_anonymous={ANONYMOUS}",
                          "limits.requests_user=40",
                          "auth.gate_cookie=gate",
                          "auth.gate_domain=localhost",
                          "auth.gate_ttl=1h", "server.workers=2") as found:
        yield found


def test_checks_have_a_quota_of_their_own(limited):
    one = docket.person(limited)
    cookie = enter(one)
    for left in range(CHECKS - 1, -1, -1):
        told = rate_limits(check(one))
        if told["check"]["r"] != left:
            pytest.skip("too slow to count: one came back meanwhile")
        assert (told["check"]["q"], told["check"]["w"]) == (CHECKS, 60)
    reply = one.get("/auth/check", 429)
    assert list(rate_limits(reply)) == ["check"]
    told = rate_limits(one.get("/tasks"))["user"]
    assert told["r"] >= 38, "checks counted as requests"
    # By whichever way, it is the same user.
    with guarded.site(limited) as other:
        visitor = other.visitor(cookie=cookie)
        reply = visitor.get("/notes.txt", 503, headers=PAGE)
        assert reply.header("Retry-After")
        visitor.close()
    one.close()


def test_the_cookie_as_the_settings_say(limited):
    one = docket.person(limited)
    pair, rest = attributes(one.post("/auth/cookie"))
    assert pair.startswith("gate=")
    assert {"Domain=localhost", "Max-Age=3600"} <= set(rest)
    assert gate_schemes(one.get("/openapi.json").json) == ("gate", 1)
    with guarded.site(limited) as other:
        visitor = other.visitor(cookie="a=1; " + pair)
        assert visitor.seen()[1]["cookie"] == ["a=1"]
        visitor.close()
    one.close()


def test_guesses_are_counted_by_client(limited):
    """A bearer or a cookie that is wrong: at the gate as anywhere else."""
    one = docket.person(limited)
    cookie = enter(one)
    with guarded.site(limited) as other:
        visitor, begun = other.visitor(), time.monotonic()
        seen = []
        for n in range(ANONYMOUS + 6):
            wrong = f"gate={docket.b64(bytes(57))[:-1]}A"
            more = {"headers": [("Cookie", wrong)]} if n % 2 else \
                {"token": f"e30.e30.{n}"}
            seen.append(visitor.get("/notes.txt", None, **more).status)
        back = int((time.monotonic() - begun) / (60 / ANONYMOUS))
        passed = seen.count(401)
        assert set(seen) == {401, 503} and passed <= ANONYMOUS + back, seen
        # Who is right is somebody else.
        assert visitor.get("/notes.txt", headers=[("Cookie", cookie)])
        visitor.close()
    reply = Client(limited).get("/auth/check", 429)
    assert "anonymous" in rate_limits(reply)
    one.close()


def test_passwords_at_the_sites_door_count_as_at_dockets():
    with instance.running("limits.login_failures=3",
                          "server.workers=2") as dev:
        one = docket.person(dev)
        with guarded.site(dev) as other:
            visitor = other.visitor()
            said = [visitor.post("/_docket/auth", None, json={
                "username": one.username, "password": "wrong horse"}).status
                for _ in range(4)]
            assert said == [401, 401, 401, 429]
            reply = visitor.post("/_docket/auth", 429, json={
                "username": one.username, "password": one.password})
            assert int(reply.header("Retry-After")) > 0
            visitor.close()
        one.post("/auth", 429, json={"username": one.username,
                                     "password": one.password})
        one.close()


def test_without_a_cookies_name_there_is_none():
    with instance.running("auth.gate_cookie=", "server.workers=2") as dev:
        one = docket.person(dev)
        assert gate_schemes(one.get("/openapi.json").json) == (None, 0)
        for method in ("POST", "DELETE"):
            reply = one.request(method, "/auth/cookie", 404)
            assert not reply.header("Set-Cookie")
        sid = jwt_parts(one.access)[1]["sid"]
        value = forge(dev, one.id, sid, int(time.time()) + 60)
        for name in ("", NAME):
            check(one, expect=401, token=None,
                  headers=[("Cookie", f"{name}={value}")])
        check(one)
        with guarded.site(dev) as other:
            visitor = other.visitor(token=one.access, cookie="a=1; =x")
            assert visitor.seen()[1]["cookie"] == ["a=1; =x"]
            visitor.close()
        one.close()


def test_many_pages_at_once(site, fresh):
    """Fifty files of a page, over ten connections, all let in; and the same
    for a stranger, none."""
    cookie = enter(fresh())
    visitors = [site.visitor(cookie=cookie) for _ in range(10)]
    stranger = [site.visitor() for _ in range(5)]

    def page(visitor):
        said = [visitor.get("/notes.txt", None).status for _ in range(10)]
        visitor.close()
        return said

    with concurrent.futures.ThreadPoolExecutor(15) as pool:
        inside = list(pool.map(page, visitors + stranger))
    assert inside == [[200] * 10] * 10 + [[401] * 10] * 5
