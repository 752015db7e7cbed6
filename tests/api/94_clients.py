# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clients that others' programs make of what Docket says of itself: a typed
one in TypeScript, a Postman collection; and the page's script, which npm has."""

import filecmp
import json
import re
import shutil

import pytest

import npm
import tour
from docket import ROOT, new_name, new_phone, register

pytestmark = pytest.mark.long

# What docs/clients.md installs, of the versions that it names.
TYPESCRIPT = {"openapi-typescript": "7.13.0", "openapi-fetch": "0.17.0",
              "typescript": "5.9.3", "@types/node": "18.19.130"}
NEWMAN = {"newman": "6.2.2"}
SOURCES = ROOT / "tests" / "clients" / "typescript"
PAGE = (ROOT / "docs" / "clients.md").read_text()


@pytest.fixture(scope="module")
def workshop(dev, tmp_path_factory):
    """A folder with the types of the live document, and the compiler."""
    path = tmp_path_factory.mktemp("typescript")
    modules = npm.installed("typescript", TYPESCRIPT) / "node_modules"
    (path / "node_modules").symlink_to(modules)
    (path / "package.json").write_text('{"type":"module"}\n')
    shutil.copy(SOURCES / "tsconfig.json", path)
    npm.run(["node_modules/.bin/openapi-typescript",
             dev.url + "/openapi.json", "-o", "docket.d.ts"], path,
            NODE_EXTRA_CA_CERTS=str(dev.dir / "ca.pem"))
    return path


def compiled(workshop, name):
    shutil.copy(SOURCES / name, workshop)
    return npm.run_any(
        ["node_modules/.bin/tsc", "-p", "tsconfig.json", "--pretty", "false"],
        workshop)


def test_a_typed_client_compiles_and_works(dev, workshop):
    (workshop / "wrong.ts").unlink(missing_ok=True)
    done = compiled(workshop, "client.ts")
    assert done.returncode == 0, done.stdout
    name = new_name("ts")
    said = npm.run(["node", "out/client.js", dev.url, name, "correct horse"],
                   workshop, NODE_EXTRA_CA_CERTS=str(dev.dir / "ca.pem"))
    assert said.splitlines() == [
        "register: 200", "log in: 200", "create: 201", "list: 200",
        "patch: 200", "delete: 200", "get: 404 task_not_found"]
    assert dev.sql("SELECT count(*) FROM docket.users WHERE username = :'n'",
                   n=name) == [["1"]]


def test_a_wrong_member_does_not_compile(workshop):
    """Each line that says so, for the reason that it says, and no other."""
    (workshop / "client.ts").unlink(missing_ok=True)
    done = compiled(workshop, "wrong.ts")
    assert done.returncode != 0
    found = {}
    for line in re.split(r"^(?=\S)", done.stdout, flags=re.M):
        if at := re.match(r"wrong\.ts\((\d+),", line):
            found[int(at[1])] = line
    wanted = {number: line.split(" // ")[1] for number, line in enumerate(
        (SOURCES / "wrong.ts").read_text().splitlines(), 1)
        if "; // " in line}
    assert found.keys() == wanted.keys(), done.stdout
    for number, words in wanted.items():
        for word in words.split(" is missing"):
            assert word in found[number], found[number]


def test_the_lines_of_the_page_do_what_they_say(dev, tmp_path):
    """npm's lines of docs/clients.md, and its program, as they stand."""
    for name, block in zip(("client.ts",), tour.blocks(PAGE, "typescript")):
        (tmp_path / name).write_text(block)
    for package, version in TYPESCRIPT.items():
        assert f"{package}@{version}" in PAGE, package
    lines = "set -eu\n" + "".join(tour.blocks(PAGE, "shell"))
    said = npm.run(["bash", "-c", lines], tmp_path, URL=dev.url,
                   CA=str(dev.dir / "ca.pem"), USERNAME=new_name("page"),
                   PHONE=new_phone(), WALKER=new_name("shell"),
                   ADMIN_USERNAME=dev.admin["username"],
                   ADMIN_PASSWORD=dev.admin["password"])
    for block in tour.blocks(PAGE, "shell"):
        tour.follow(block, said)


# --- Postman ----------------------------------------------------------------

def newman(dev, path, collection, **more):
    (path / "collection.json").write_text(json.dumps(collection))
    values = {"baseUrl": dev.url, "username": new_name("postman"),
              "phone": new_phone(), "adminUsername": dev.admin["username"],
              "adminPassword": dev.admin["password"], **more}
    words = [word for pair in values.items()
             for word in ("--env-var", "=".join(pair))]
    modules = npm.installed("newman", NEWMAN) / "node_modules"
    done = npm.run_any(
        [modules / ".bin" / "newman", "run", "collection.json",
         "--ssl-extra-ca-certs", dev.dir / "ca.pem", "--reporters", "json",
         "--reporter-json-export", "out.json", *words], path)
    return done, json.loads((path / "out.json").read_text())["run"]


@pytest.fixture
def collection(api):
    """As a reader gets it."""
    return api.get("/docs/docket.postman_collection.json", check=False).json


def test_the_whole_collection_is_run(dev, collection, tmp_path):
    done, run = newman(dev, tmp_path, collection)
    requests = [item for folder in collection["item"]
                for item in folder["item"]]
    assert run["failures"] == [], done.stdout
    assert done.returncode == 0
    assert run["stats"]["assertions"] == {
        "total": len(requests), "pending": 0, "failed": 0}
    assert len(run["executions"]) == len(requests)


def test_newman_tells_when_something_is_amiss(dev, api, collection, tmp_path):
    """A name that is taken already: what follows still has its account."""
    name = new_name("taken")
    register(api, username=name, password="correct horse battery")
    done, run = newman(dev, tmp_path, collection, username=name)
    assert done.returncode != 0
    assert [one["source"]["name"] for one in run["failures"]] == \
        ["registerUser"]


# --- what is vendored --------------------------------------------------------

def test_the_script_is_the_one_that_npm_has(tmp_path):
    folder = ROOT / "share" / "docs" / "vendor"
    npm.run([folder / "renew.sh", tmp_path], tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in folder.iterdir()
                          if path.suffix != ".sh")
    same, other, odd = filecmp.cmpfiles(folder, tmp_path, made, shallow=False)
    assert (sorted(same), other, odd) == (made, [], [])


def test_another_package_is_refused(tmp_path):
    """The hash decides, not the name."""
    text = (ROOT / "share/docs/vendor/renew.sh").read_text()
    (tmp_path / "renew.sh").write_text(
        re.sub(r"INTEGRITY=sha512-.", "INTEGRITY=sha512-X", text))
    done = npm.run_any(["sh", tmp_path / "renew.sh", tmp_path], tmp_path)
    assert done.returncode != 0
    assert "not sha512-X" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["renew.sh"]
