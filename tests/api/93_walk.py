# SPDX-License-Identifier: AGPL-3.0-or-later
"""The walk through the interface: as a file for editors it is run from the
first to the last request, and as a Postman collection it is the same one."""

import json
import re
import subprocess

import pytest

import httpfile
from docket import ROUTES, new_name, new_phone

SCHEMA = ("https://schema.getpostman.com/json/collection/v2.1.0/"
          "collection.json")


def printed(dev, what):
    done = subprocess.run([dev.docketd(), what], capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.fixture(scope="module")
def text(dev):
    return printed(dev, "--http")


@pytest.fixture
def walk(dev, text):
    """With an account, a number and an admin of its own."""
    found = httpfile.File(text)
    found.variables.update(
        baseUrl=dev.url, username=new_name("walk"), phone=new_phone(),
        adminUsername=dev.admin["username"],
        adminPassword=dev.admin["password"])
    return found


@pytest.fixture(scope="module")
def collection(dev):
    return json.loads(printed(dev, "--postman"))


def items(collection):
    return [item for folder in collection["item"] for item in folder["item"]]


def row_of(method, path):
    """The row that serves an address: the most literal one."""
    found = [row for row in ROUTES if row.method == method and re.fullmatch(
        re.sub(r"{\w+}", "[^/]+", row.path), path.split("?")[0])]
    assert found, f"{method} {path} is nobody's"
    return min(found, key=lambda row: row.path.count("{"))


def test_every_route_is_walked_but_aliases(walk):
    walked = {row_of(one.method, one.url.replace("{{baseUrl}}", "")).operation
              for one in walk.requests}
    # Nor what only nginx's own host is told.
    wanted = {row.operation for row in ROUTES
              if not row.canonical and "ROUTE_LOCAL" not in row.flags}
    assert wanted - walked == set(), "include/tbl/walk.h lacks a STEP"
    assert walked <= wanted


def test_each_says_what_the_document_says(walk):
    for one in walk.requests:
        row = row_of(one.method, one.url.replace("{{baseUrl}}", ""))
        assert one.status == row.status, one.name
        sent = [v for k, v in one.headers if k == "Authorization"]
        assert bool(sent) == (row.access != "PUBLIC"), one.name


def test_names_are_unique_and_variables_are_known(walk):
    names = [one.name for one in walk.requests]
    assert len(names) == len(set(names)) and all(names)
    for request, field in walk.fields():
        name, dot, _ = field.partition(".response.body.$.")
        if dot:
            assert names.index(name) < names.index(request.name), field
        else:
            assert field in walk.variables, f"{request.name}: {field}"


def test_the_file_is_run_from_top_to_bottom(api, walk, dev):
    for one in walk.requests:
        reply = walk.send(api, one)
        assert reply.status == one.status, f"{one.name}: {reply}"
    name = walk.variables["username"]
    assert dev.sql("SELECT count(*) FROM docket.users WHERE username IN"
                   " (:'a', :'b')", a=name, b="guest." + name) == [["0"]]


def test_it_can_be_run_again(api, walk):
    """Its account is gone at its end, so its name is free; a number's codes
    are not, so those wait."""
    for _ in range(2):
        for one in walk.requests:
            if "otp" in one.name.lower() or one.name in (
                    "changeProfile", "resetPassword"):
                continue
            if one.name in ("authenticateAfterReset", "changePassword"):
                one.body = one.body.replace("{{newPassword}}", "{{password}}")
            reply = walk.send(api, one)
            assert reply.status == one.status, f"{one.name}: {reply}"


# --- the same for Postman --------------------------------------------------

def test_the_collection_is_one(collection):
    assert collection["info"]["schema"] == SCHEMA
    assert collection["info"]["name"] == "Docket"
    for item in items(collection):
        request = item["request"]
        assert {"method", "auth", "header", "url"} <= set(request)
        path = "/".join(["{{baseUrl}}", *request["url"]["path"]])
        assert request["url"]["raw"].split("?")[0] == path
        query = [f"{q['key']}={q['value']}"
                 for q in request["url"].get("query", ())]
        assert "&".join(query) == "".join(
            request["url"]["raw"].split("?")[1:])


def test_both_are_the_same_walk(collection, walk):
    assert [(item["name"], item["request"]["method"])
            for item in items(collection)] == \
        [(one.name, one.method) for one in walk.requests]
    for item, one in zip(items(collection), walk.requests):
        words = "\n".join(item["event"][0]["script"]["exec"])
        assert f"have.status({one.status})" in words
        assert ("body" in item["request"]) == (one.body is not None)


def test_the_login_keeps_the_token(collection):
    login = next(i for i in items(collection)
                 if i["name"] == "authenticateUser")
    words = "\n".join(login["event"][0]["script"]["exec"])
    assert 'pm.collectionVariables.set("token", ' \
        'pm.response.json().access_token);' in words
    task = next(i for i in items(collection) if i["name"] == "createTask")
    assert task["request"]["auth"]["bearer"][0]["value"] == "{{token}}"


def test_a_reader_finds_the_variables(collection):
    said = {v["key"]: v["value"] for v in collection["variable"]}
    assert len(said) == len(collection["variable"])
    assert {"baseUrl", "username", "password", "token"} <= set(said)
    assert said["token"] == ""
    for item in items(collection):
        for name in re.findall(r"{{([^{}]+)}}", json.dumps(item)):
            assert name in said, f"{item['name']}: {name}"


@pytest.mark.parametrize("option,name", [
    ("--http", "docket.http"),
    ("--postman", "docket.postman_collection.json")])
def test_what_is_served_is_what_this_build_prints(api, dev, option, name):
    assert api.get("/docs/" + name, check=False).body.decode() == \
        printed(dev, option)
