# SPDX-License-Identifier: AGPL-3.0-or-later
"""Media types both ways, caching headers, the challenge."""

import pytest

import docket
from docket import ROUTES, Client

JSON_TYPES = ["application/json", "Application/JSON",
              "application/json; charset=utf-8",
              'application/json;charset="UTF-8"']


@pytest.mark.parametrize("kind", JSON_TYPES)
def test_spellings_of_json_are_taken(alice, kind):
    alice.post("/tasks", 201, body=b'{"title":"t"}', type=kind)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml",
                                  "application/jsonx", "text/json",
                                  "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x",
                                  "application/merge-patch+json", "rubbish"])
def test_another_type_is_415(alice, kind):
    reply = alice.post("/tasks", 415, body=b'{"title":"t"}', type=kind)
    assert reply.code == "unsupported_media_type"
    assert "application/json" in reply.header("Accept-Post")
    assert reply.header("Accept-Patch") is None


def test_patch_takes_merge_patch_and_says_so(alice):
    task = alice.task()
    path = "/tasks/" + task["id"]
    alice.patch(path, json={"title": "a"},
                type="application/merge-patch+json")
    alice.patch(path, json={"title": "b"})
    reply = alice.patch(path, 415, json={"title": "c"}, type="text/plain")
    assert "application/merge-patch+json" in reply.header("Accept-Patch")
    assert alice.get(path).json["task"]["title"] == "b"


def test_the_token_endpoint_names_both_types(api):
    reply = api.post("/auth/token", 415, body=b"x", type="text/plain")
    told = reply.header("Accept-Post")
    assert "application/json" in told
    assert "application/x-www-form-urlencoded" in told


@pytest.mark.parametrize("accept", [
    "*/*", "application/json", "application/*", "text/html, */*;q=0.1",
    "application/json;q=0.5, text/html", "APPLICATION/JSON",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"])
def test_accept_that_allows_json(alice, accept):
    alice.get("/tasks?limit=1", 200, headers=[("Accept", accept)])


@pytest.mark.parametrize("accept", ["text/html", "application/xml",
                                    "application/json;q=0", "image/*"])
def test_accept_that_rules_json_out_is_406(alice, accept):
    reply = alice.get("/tasks?limit=1", 406, headers=[("Accept", accept)])
    assert reply.code == "not_acceptable"


@pytest.mark.parametrize("row", [r for r in ROUTES if r.path.startswith(
    ("/auth", "/otp"))], ids=str)
def test_accounts_are_never_stored_by_caches(api, row):
    """Success or refusal alike."""
    reply = api.request(row.method, row.path,
                        json={} if row.takes_body else docket.ABSENT)
    assert reply.header("Cache-Control") == "no-store", str(reply)


def test_tasks_are_private(alice):
    task = alice.task()
    for path in ("/tasks", "/tasks/" + task["id"]):
        reply = alice.get(path)
        assert reply.header("Cache-Control") == "private, no-cache"
        vary = reply.header("Vary") or ""
        assert "authorization" in vary.lower()


def test_rate_limit_headers_are_well_formed_if_told(alice):
    """Dev has no limit per client; what is told must still parse."""
    told = alice.get("/tasks?limit=1").header("RateLimit")
    if told is not None:
        assert ";r=" in told


# --- JSON -----------------------------------------------------------------

BAD_JSON = {
    "empty": b"",
    "space": b"  ",
    "cut": b'{"title":"t"',
    "trailing": b'{"title":"t"} x',
    "two": b'{"title":"t"}{"title":"t"}',
    "array": b'[{"title":"t"}]',
    "string": b'"title"',
    "null": b"null",
    "number": b"1",
    "comment": b'{"title":"t"/**/}',
    "comma": b'{"title":"t",}',
    "single quotes": b"{'title':'t'}",
    "bare name": b'{title:"t"}',
    "nan": b'{"title":"t","priority":NaN}',
    "leading zero": b'{"title":"t","priority":01}',
    "plus": b'{"title":"t","priority":+1}',
    "bare dot": b'{"title":"t","priority":1.}',
    "raw newline": b'{"title":"a\nb"}',
    "raw tab": b'{"title":"a\tb"}',
    "bad escape": b'{"title":"a\\xb"}',
    "lone surrogate": b'{"title":"\\ud800"}',
    "NUL": b'{"title":"a\\u0000b"}',
    "raw NUL": b'{"title":"a\x00b"}',
    "not utf-8": b'{"title":"\xff"}',
    "overlong": b'{"title":"\xc0\xaf"}',
    "surrogate bytes": b'{"title":"\xed\xa0\x80"}',
    "bom": b'\xef\xbb\xbf{"title":"t"}',
    "utf-16": '{"title":"t"}'.encode("utf-16"),
    "deep": b'{"title":"t","x":' + b"[" * 17 + b"]" * 17 + b"}",
    "very deep": b"[" * 100000,
    "duplicate": b'{"title":"t","title":"u"}',
    "escaped duplicate": b'{"title":"t","t\\u0069tle":"u"}',
    "big": b'{"title":"t","priority":99999999999999999999}',
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_bad_json_is_400_and_says_where(alice, body):
    reply = alice.post("/tasks", 400, body=body)
    assert reply.code in ("invalid_json", "invalid_request"), str(reply)
    assert reply.json["errors"], str(reply)
    assert reply.json["message"] == "Missing required fields or invalid data."


def test_a_duplicate_member_has_its_pointer(alice):
    reply = alice.post("/tasks", 400, body=BAD_JSON["duplicate"])
    assert reply.pointers() == {"/title": "duplicate"}


def test_pointers_are_escaped(alice):
    """RFC 6901 section 3: ~ is ~0 and / is ~1."""
    reply = alice.post("/tasks", 400, json={"title": "t", "a/b~c": 1})
    assert reply.pointers() == {"/a~1b~0c": "unknown"}


def test_all_faults_are_told_at_once(alice):
    reply = alice.post("/tasks", 400, json={
        "title": "", "priority": 10, "status": "maybe", "due_date": "soon",
        "tags": "work", "description": 5, "surprise": True})
    assert reply.code == "invalid_request"
    assert set(reply.pointers()) == {
        "/title", "/priority", "/status", "/due_date", "/tags",
        "/description", "/surprise"}
    assert reply.pointers()["/surprise"] == "unknown"


def test_text_comes_back_byte_for_byte(alice):
    text = 'Ü "quoted" \\ / \u2028 \U0001f600 \x7f \t\n end'
    task = alice.task(title="t", description=text)
    assert task["description"] == text
    assert alice.get("/tasks/" + task["id"]).json["task"]["description"] \
        == text


def test_escapes_mean_what_they_say(alice):
    reply = alice.post("/tasks", 201,
                       body=b'{"title":"\\ud83d\\ude00\\u00e9\\/"}')
    assert reply.json["task"]["title"] == "\U0001f600\u00e9/"


def test_an_unknown_query_name_is_refused(alice):
    reply = alice.get("/tasks?limit=1&colour=red", 400)
    assert reply.pointers() == {"?colour": "unknown"}


def test_a_query_name_twice_is_refused(alice):
    reply = alice.get("/tasks?limit=1&limit=2", 400)
    assert reply.pointers() == {"?limit": "duplicate"}


def test_every_error_document_leads_somewhere(api):
    """`type` is an address that says more (RFC 9457 section 3.1.1)."""
    document = api.get("/nothing", 404).json
    assert document["instance"] == "/nothing"
    told = api.get(document["type"]).json
    assert (told["code"], told["status"]) == ("not_found", 404)
    assert told["title"] == document["title"]
    assert api.get("/problems/nonesuch", 404).code == "not_found"


def test_a_repeated_member_hides_no_other_fault(dev):
    body = ('{"username": "ab", "password": "short", "colour": 1,'
            ' "username": "ab"}')
    reply = Client(dev).post("/auth/register", 400, body=body.encode())
    told = {(e["pointer"], e["code"]) for e in reply.json["errors"]}
    assert told == {("/username", "duplicate"), ("/username", "length"),
                    ("/password", "format"), ("/colour", "unknown")}
