# SPDX-License-Identifier: AGPL-3.0-or-later
"""/openapi.json says all there is to know, and replies that differ from it
are caught."""

import copy
import json
import re

import jsonschema
import pytest

import contract
from docket import ERRORS, ROOT, ROUTES, Reply
from shapes import Misfit, Shapes
from tables import OAUTH


@pytest.fixture(scope="module")
def found(dev):
    return contract.Contract(contract.of(dev).document)


@pytest.fixture(scope="module")
def document(found):
    return found.document


@pytest.fixture(scope="module")
def operations(document):
    return {node["operationId"]: node for item in document["paths"].values()
            for node in item.values()}


def test_the_contract_is_what_the_service_serves(api, document):
    """That of its defaults, but for what opens /tasks."""
    served = api.get("/openapi.json").json
    assert served["components"]["schemas"] == \
        document["components"]["schemas"]
    assert set(served["paths"]) == set(document["paths"])


# --- what it says ---------------------------------------------------------

def test_it_begins_with_what_it_is(document):
    assert "Authorization: Bearer" in document["info"]["description"]
    assert document["info"]["license"]["identifier"] == "AGPL-3.0-or-later"
    assert document["servers"] and document["externalDocs"]["url"] == "/docs"


def test_tags_come_in_the_tables_order(document, operations):
    table = re.findall(r'^TAG\("(\w+)"', (
        ROOT / "include/tbl/tags.h").read_text(), re.M)
    told = [tag["name"] for tag in document["tags"]]
    assert told == table
    assert all(tag["description"] for tag in document["tags"])
    used = {tag for node in operations.values() for tag in node["tags"]}
    assert used == set(told)


def test_every_operation_is_described(operations):
    for name, node in operations.items():
        assert len(node["description"]) > 20, name
        assert node["summary"] != node["description"], name


@pytest.mark.parametrize("kind", ["http", "oauth2", "apiKey"])
def test_the_ways_in_are_there(document, kind):
    schemes = document["components"]["securitySchemes"].values()
    assert kind in {scheme["type"] for scheme in schemes}
    if kind == "oauth2":
        (flow,) = [scheme["flows"]["password"] for scheme in schemes
                   if scheme["type"] == kind]
        assert set(flow["scopes"]) == {"tasks:read", "tasks:write",
                                       "account", "admin"}


def resolved(found, node):
    return {status: found.shapes.resolve(response)
            for status, response in node["responses"].items()}


def test_every_code_is_shown_where_it_can_occur(found, operations):
    shown = set()
    for row in ROUTES:
        for status, response in resolved(
                found, operations[row.operation]).items():
            if not status.isdigit() or int(status) < 400 or status == "412":
                continue
            media = response["content"]["application/json" if row.oauth else
                                        "application/problem+json"]
            own = media["schema"]["allOf"][1]["properties"]
            for code, example in media["examples"].items():
                value = found.shapes.resolve(example)["value"]
                assert ERRORS[code][0] == int(status), f"{row}: {code}"
                if row.oauth:
                    assert value["error"] == OAUTH[code]
                    assert value["error"] in own["error"]["enum"]
                else:
                    assert value["code"] == code
                    assert value["status"] == int(status)
                    assert code in own["code"]["enum"]
                shown.add(code)
    assert set(ERRORS) - shown <= NOWHERE, "codes that no operation names"


def test_every_code_leads_to_a_page(api, document):
    """nginx's own among them: the type of a problem is an address."""
    told = document["components"]["schemas"]["Problem"]["properties"]
    for code in told["code"]["enum"]:
        assert api.get(f"/problems/{code}").json["code"] == code
    assert {"headers_too_large", "bad_gateway"} <= set(told["code"]["enum"])


# Of HTTP, not of an operation; inside alone; what 412 has no example of.
NOWHERE = {"method_not_allowed", "uri_too_long", "seal_broken", "no_row",
           "version_mismatch"}


def bodies(found, node):
    if "requestBody" in node:
        yield "body", node["requestBody"]
    for status, response in resolved(found, node).items():
        yield status, response


def examples(found, operations):
    for name, node in operations.items():
        for where, part in bodies(found, node):
            for kind, media in part.get("content", {}).items():
                for key, example in media.get("examples", {}).items():
                    yield (f"{name} {where} {kind} {key}", media["schema"],
                           found.shapes.resolve(example)["value"])


def test_every_json_body_and_reply_has_an_example(found, operations):
    for name, node in operations.items():
        for where, part in bodies(found, node):
            if where == "default":
                continue
            for kind, media in part.get("content", {}).items():
                schema = found.shapes.resolve(media["schema"])
                if "json" in kind and schema.get("properties"):
                    assert media.get("examples"), f"{name} {where} {kind}"


def test_every_example_is_what_its_schema_says(found, operations):
    n = 0
    for where, schema, value in examples(found, operations):
        try:
            found.shapes.of(schema)(value)
        except Misfit as misfit:
            pytest.fail(f"{where}: {misfit}")
        n += 1
    assert n > 300


SEEDS = {
    "sendOtpS1": ("body", {"phone": "+989121234567"}),
    "registerUserS1": ("200", {"message": "User registered successfully",
                               "status_code": 200}),
    "issueTokenS1": ("body", {"username": "johndoe",
                              "password": "password123"}),
    "adminDataS1": ("200", {"message": "Access granted to admin data"}),
    "registerUser": ("body", {
        "username": "exampleuser", "email": "exampleuser@example.com",
        "password": "securepassword"}),
    "createTask": ("body", {
        "title": "Sample Task",
        "description": "This is a sample task description."}),
    "updateTask": ("body", {"status": "completed"}),
    "deleteTask": ("200", {"message": "Task deleted"}),
    "signupS4": ("200", {"message": "User added successfully"}),
    "usersLoginS4": ("body", {"email": "gaditya@example.com",
                              "password": "test@123"}),
    "getUsersS4": ("200", {"users": [{
        "username": "gaditya", "email": "gaditya@example.com",
        "role": "admin", "status": "Y"}]}),
}


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_payloads_are_among_the_examples(found, operations, name):
    where, value = SEEDS[name]
    (part,) = [part for at, part in bodies(found, operations[name])
               if at == where]
    told = [found.shapes.resolve(one)["value"] for one in
            part["content"]["application/json"]["examples"].values()]
    assert value in told


def test_headers_are_named_where_rows_have_them(found, operations):
    for row in ROUTES:
        node = operations[row.operation]
        success = resolved(found, node)[str(row.status)]["headers"]
        assert "X-Request-Id" in success
        assert ("Deprecation" in success) == (row.canonical is not None)
        assert ("Idempotency-Replayed" in success) == \
            ("ROUTE_IDEMPOTENT" in row.flags)
        params = [found.shapes.resolve(p)["name"]
                  for p in node["parameters"]]
        assert len(params) == len(set(params)), row
        assert "X-Request-Id" in params
        assert ("If-None-Match" in params) == ("ROUTE_ETAG" in row.flags)
        assert ("If-Match" in params) == ("412" in node["responses"]) or \
            row.handler == "api_task_batch", str(row)


# --- is it well formed? ---------------------------------------------------

def test_every_schema_is_one_of_2020_12(document):
    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "schema":
                    yield value
                elif key == "schemas":
                    yield from value.values()
                elif key != "examples":
                    yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    seen = list(walk(document))
    assert len(seen) > 300
    for schema in seen:
        jsonschema.Draft202012Validator.check_schema(schema)


def spoilt(value):
    """Each way to make another type of one member."""
    if not isinstance(value, dict):
        return
    for name in value:
        yield {**value, name: [[]]}
        yield {k: v for k, v in value.items() if k != name}
    yield {**value, "nobody_knows": 1}


def test_the_nets_shapes_agree_with_a_validator(found, operations, document):
    """What it takes they take; what they refuse it refuses, but for members
    that only a strict reader minds."""
    n = 0
    done = set()
    for where, schema, value in examples(found, operations):
        key = json.dumps([schema, value], sort_keys=True)
        if key in done:
            continue
        done.add(key)
        other = jsonschema.Draft202012Validator(
            {**schema, "components": document["components"]})
        mine = found.shapes.of(schema)
        assert other.is_valid(value), where
        for wrong in spoilt(value):
            try:
                mine(wrong)
                fits = True
            except Misfit as misfit:
                fits = "undocumented" in str(misfit)
            assert fits or not other.is_valid(wrong), f"{where}: {wrong}"
            if "nobody_knows" not in wrong:
                assert other.is_valid(wrong) == fits, f"{where}: {wrong}"
            n += 1
    assert n > 1000


def test_a_keyword_that_nobody_checks_is_refused(document):
    with pytest.raises(AssertionError, match="nobody checks"):
        Shapes(document).of({"type": "object", "minProperties": 1})


# --- does the net catch? --------------------------------------------------

@pytest.fixture(scope="module")
def good(alice):
    """A reply that fits, to be spoilt."""
    return alice.post("/tasks", 201, json={"title": "spoil me"})


def altered(reply, status=None, headers=None, change=None):
    document = copy.deepcopy(reply.json)
    if change:
        change(document)
    return Reply(reply.method, reply.path, status or reply.status,
                 reply.headers if headers is None else headers,
                 json.dumps(document).encode())


def without(reply, name, *more):
    return [(k, v) for k, v in reply.headers if k != name] + list(more)


def test_the_reply_itself_fits(found, good):
    found.check(good)
    found.check(altered(good))


ALTERED = {
    "undocumented status": lambda r: altered(r, status=202),
    "extra: undocumented member": lambda r: altered(
        r, change=lambda d: d["task"].update(extra=1)),
    "position: missing member": lambda r: altered(
        r, change=lambda d: d["task"].pop("position")),
    "version: 'one' is no integer": lambda r: altered(
        r, change=lambda d: d["task"].update(version="one")),
    "title: None is no string": lambda r: altered(
        r, change=lambda d: d["task"].update(title=None)),
    "priority: True is no integer": lambda r: altered(
        r, change=lambda d: d["task"].update(priority=True)),
    "status: 'open' is none of": lambda r: altered(
        r, change=lambda d: d["task"].update(status="open")),
    "created_at: 'today' is not date-time": lambda r: altered(
        r, change=lambda d: d["task"].update(created_at="today")),
    "user_id: '7' is not uuid": lambda r: altered(
        r, change=lambda d: d["task"].update(user_id="7")),
    "0: 7 is no string": lambda r: altered(
        r, change=lambda d: d["task"].update(tags=[7])),
    "undocumented type text/html": lambda r: altered(
        r, headers=without(r, "Content-Type",
                           ("Content-Type", "text/html"))),
    "undocumented header": lambda r: altered(
        r, headers=r.headers + [("X-Debug", "1")]),
    "location: missing header": lambda r: altered(
        r, headers=without(r, "Location")),
    "etag: 'W/": lambda r: altered(
        r, headers=without(r, "ETag", ("ETag", 'W/"1"'))),
}


@pytest.mark.parametrize("why", ALTERED)
def test_the_net_catches(found, good, why):
    with pytest.raises(AssertionError) as caught:
        found.check(ALTERED[why](good))
    assert "against /openapi.json" in str(caught.value)
    assert why in str(caught.value), str(caught.value)
    assert "createTask 20" in str(caught.value)


def test_the_net_knows_each_operations_codes(found, api):
    """A problem that is whole, but of another operation."""
    refused = api.get("/tasks", 401)
    wrong = refused.json | {"code": "refresh_invalid"}
    with pytest.raises(AssertionError, match="'refresh_invalid' is none of"):
        found.check(altered(refused, change=lambda d: d.update(wrong)))


def test_an_alias_without_its_headers_is_caught(found, alice):
    reply = alice.get("/tasks/task_list")
    for name in ("Deprecation", "Link"):
        with pytest.raises(AssertionError, match="missing header"):
            found.check(altered(reply, headers=without(reply, name)))


def test_a_method_that_there_is_not_is_no_success(found, good):
    reply = altered(good)
    reply.method = "PUT"
    with pytest.raises(AssertionError, match="no such method"):
        found.check(reply)


def test_an_address_that_there_is_not_is_no_success(found, good):
    reply = altered(good)
    reply.path = "/tasks/1/2/3"
    with pytest.raises(AssertionError, match="no such address"):
        found.check(reply)


def test_a_wrong_reply_fails_the_test_that_saw_it(alice, monkeypatch):
    """Through the client that all tests use."""
    exchange = alice.exchange

    def spoil(*sent):
        return altered(exchange(*sent), change=lambda d: d.update(extra=1))

    monkeypatch.setattr(alice, "exchange", spoil)
    with pytest.raises(AssertionError, match="extra: undocumented member"):
        alice.get("/auth/me")


def test_what_was_seen_is_counted(found, good):
    before = found.seen["createTask", 201]
    found.check(good)
    assert found.seen["createTask", 201] == before + 1
    lines = list(found.summary())
    assert re.match(r"contract: \d+ replies fit; \d+ of \d+", lines[0])
    assert ("deleteUser", 200) in found.documented()
