# SPDX-License-Identifier: AGPL-3.0-or-later
"""The instance under test, the people in it, and: is it alive after each?"""

import os
import pathlib
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lib"))
sys.dont_write_bytecode = True
pytest.register_assert_rewrite("docket", "load", "postgres", "storm", "watch")

import browser  # noqa: E402
import contract  # noqa: E402
import docket  # noqa: E402
import instance  # noqa: E402
import made  # noqa: E402
from ledger import Ledger  # noqa: E402


def pytest_configure(config):
    # ./dev ends us so: what the tests have started is then ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true",
                     help="also the tests that take minutes")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.path.parent.name == "fault":
            item.add_marker(pytest.mark.alone)
    if config.getoption("--long") or os.environ.get("LONG") == "1":
        return
    skip = pytest.mark.skip(reason="only with --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter, config):
    for report in terminalreporter.getreports("passed"):
        for line in report.capstdout.splitlines():
            if line.startswith("score: "):
                terminalreporter.write_line(line)
    for line in contract.summary():
        # What was never seen says something of a whole run alone.
        if config.getoption("--long") or "never" not in line:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def dev():
    directory = docket.SHARED
    try:
        found = docket.Dev(directory)
        found.workers()
        docket.Client(found).get("/healthz", check=False)
    except (OSError, ValueError) as error:
        pytest.exit(f"nothing serves from {directory} ({error}): "
                    "./dev run --detach first", returncode=2)
    made.mould(found)  # before anybody counts the people
    return found


@pytest.fixture(scope="session")
def own():
    """An instance of four workers that a test may treat badly."""
    with instance.running("server.workers=4", prompt=True) as own:
        yield own


@pytest.fixture(scope="session")
def keyed():
    """Where tasks need a token and a key, as the third seed's did, and codes
    go to their owners alone; the dev profile brings the seed's key."""
    with instance.running("auth.tasks_auth=jwt+apikey", "otp.echo=off",
                          "server.workers=4",
                          "server.auth_workers=2") as keyed:
        yield keyed


@pytest.fixture(scope="session")
def strict():
    """Where whoever changes a task must have seen it."""
    with instance.running("tasks.require_if_match=on") as strict:
        yield strict


@pytest.fixture(scope="session")
def mine():
    """Nobody's requests are counted here but the tests' own, and nobody else
    misses a worker."""
    with instance.running("server.workers=3", "server.auth_workers=2",
                          prompt=True) as mine:
        yield mine


@pytest.fixture(scope="session")
def pulse():
    """A kept connection to each instance: a handshake a test adds up."""
    kept = {}

    def of(dev):
        return kept.setdefault(dev.dir, docket.Client(dev))

    yield of
    for client in kept.values():
        client.close()


@pytest.fixture(autouse=True)
def alive(request, dev, pulse):
    """No test may cost a worker, nor leave the server unable to answer."""
    if "own" in request.fixturenames:
        dev = request.getfixturevalue("own")
    # None of them changes a row in the middle of a test that looks for it.
    for name in {"alice", "bob", "admin"} & set(request.fixturenames):
        request.getfixturevalue(name).renew(spare=120)
    before = dev.workers()
    yield
    pulse(dev).get("/healthz", 200)
    if "faults" in request.keywords:
        docket.wait_until(lambda: len(dev.workers()) == len(before),
                          f"as many workers as {before}")
        return
    after = dev.workers()
    assert after == before, f"a worker died: {before} -> {after}"


@pytest.fixture
def api(dev):
    client = docket.Client(dev)
    yield client
    client.close()


@pytest.fixture(scope="module")
def ledger(dev):
    """Did any row of the database change?"""
    found = Ledger(dev)
    yield found
    found.close()


@pytest.fixture(scope="session")
def alice(dev):
    return docket.person_by_phone(dev)


@pytest.fixture(scope="session")
def bob(dev):
    return docket.person(dev)


@pytest.fixture(scope="session")
def admin(dev):
    return docket.login(dev, dev.admin["username"], dev.admin["password"])


@pytest.fixture
def fresh(dev):
    """Makes people who live as long as the test."""
    made = []

    def make(**members):
        made.append(docket.person(dev, **members))
        return made[-1]

    yield make
    # Thousands of tasks would be looked at by every ledger after this one.
    if made:
        dev.sql("DELETE FROM docket.tasks WHERE user_id = ANY (:'ids'::uuid[]);"
                " DELETE FROM docket.task_changes"
                " WHERE user_id = ANY (:'ids'::uuid[])",
                ids="{" + ",".join(one.id for one in made) + "}")
    for one in made:
        one.close()


@pytest.fixture
def page(dev):
    with browser.browser((dev.dir / "tls/server.pem").read_bytes()) as found:
        yield found


@pytest.fixture
def pictures(tmp_path):
    """Kept where somebody wants to look at them."""
    path = pathlib.Path(os.environ.get("DOCKET_PICTURES", tmp_path))
    path.mkdir(exist_ok=True, parents=True)
    return path
