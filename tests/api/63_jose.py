# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second opinion on what is a valid token: npm's jose.

It never takes what we take for good to be bad. Where it is the milder one,
tests/lib/forged.py says why we are not; and each of those reasons is needed.
"""

import json
import os
import shutil
import signal
import subprocess

import pytest

import docket
import forged_es256
import instance
from docket import Client
from forge import LETTERS, SKEW, Forger
from forged import FORGED, GOOD
from forged_es256 import Es256

# Of the last line that runs on Node.js 18.
JOSE = "jose@5.10.0"
HERE = docket.ROOT / "tests" / "lib" / "jose_oracle.mjs"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def jose():
    """Where jose is installed; once for all instances of the tree."""
    directory = docket.ROOT / ".dev" / "jose"
    for command in ("node", "npm"):
        assert shutil.which(command), f"{command} is missing"
    version = directory / "node_modules" / "jose" / "package.json"
    if not version.exists() or json.loads(version.read_text())["version"] \
            != JOSE.split("@")[1]:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text('{"private":true}\n')
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
             "--save-exact", JOSE], cwd=directory, text=True, timeout=300,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
    return directory


def opinions(dev, jose, tokens, **more):
    """[{"valid", "why"}] of jose for the tokens."""
    ring = {"key": dev.jwt["key"], "kid": dev.jwt["kid"], "issuer": dev.url,
            "audience": "docket", "tolerance": SKEW, **more}
    lines = "".join(json.dumps(line) + "\n" for line in (ring, *tokens))
    done = subprocess.run(
        ["node", str(HERE), str(jose)], input=lines, text=True, timeout=300,
        capture_output=True,
        env={k: v for k, v in os.environ.items() if k != "NODE_OPTIONS"})
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(tokens)
    return found


def ours(client, token):
    """Is the token itself good? Its session is another question."""
    reply = client.request("GET", "/auth/me", token=token)
    assert reply.status in (200, 401), str(reply)
    return reply.status == 200 or reply.code != "token_invalid"


@pytest.fixture(scope="module")
def forger(dev):
    return Forger.of(docket.person(dev))


@pytest.fixture
def client(dev):
    client = Client(dev)
    yield client
    client.close()


def test_jose_and_we_agree(dev, jose, client, forger):
    table = [(name, make(forger), None) for name, make in GOOD.items()]
    table += [(name, case.make(forger), case.stricter)
              for name, case in FORGED.items()]
    theirs = opinions(dev, jose, [token for _, token, _ in table])
    faults, milder = [], 0
    for (name, token, stricter), their in zip(table, theirs):
        our = ours(client, token)
        assert our == (name in GOOD), name
        if their["valid"] != (our or bool(stricter)):
            faults.append(f"{name}: we say {our}, jose {their},"
                          f" our reason: {stricter}")
        milder += their["valid"] > our
    assert not faults, "\n".join(faults)
    print(f"{len(table)} tokens, jose is milder with {milder}")


@pytest.fixture(scope="module")
def es():
    """An instance with keys of both algorithms, ES256 signing."""
    with instance.running("server.workers=2") as es:
        for words in (["generate", "--alg", "ES256"], ["rotate"]):
            subprocess.run([es.docket(), "-c", es.dir / "docket.conf", "key",
                            *words], check=True, timeout=60,
                           stdout=subprocess.DEVNULL)
        before = set(es.workers())
        os.kill(es.supervisor(), signal.SIGHUP)
        docket.wait_until(lambda: es.workers() and not
                          before & set(es.workers()), "new workers", 60)
        yield es


def test_jose_and_we_agree_on_es256(es, jose):
    """With the key set as it is published; what we issue first."""
    client, forger = Client(es), Es256.of(docket.person(es))
    jwks = client.get("/.well-known/jwks.json").json
    issued = [docket.person(es).access for _ in range(20)]
    table = [(f"issued {i}", token, None) for i, token in enumerate(issued)]
    table += [(name, make(forger), None)
              for name, make in forged_es256.GOOD.items()]
    bad = [(name, case.make(forger), case.stricter)
           for name, case in forged_es256.FORGED.items()]
    theirs = opinions(es, jose, [t for _, t, _ in table + bad], jwks=jwks)
    faults = []
    for (name, token, stricter), their in zip(table + bad, theirs):
        our = ours(client, token)
        assert our == (name not in forged_es256.FORGED), name
        if their["valid"] != (our or bool(stricter)):
            faults.append(f"{name}: we say {our}, jose {their},"
                          f" our reason: {stricter}")
    assert not faults, "\n".join(faults)
    client.close()


def test_one_character_after_another(dev, jose, client, forger):
    """Each replaced by another letter of base64url, then left out, then
    doubled: only the last one's spare bits are a matter of opinion."""
    good = forger.sign()
    changed = []
    for at, letter in enumerate(good):
        other = LETTERS[(LETTERS.find(letter) + 1) % 64]
        changed += [good[:at] + other + good[at + 1:],
                    good[:at] + good[at + 1:], good[:at] + letter * 2
                    + good[at + 1:]]
    theirs = opinions(dev, jose, [good, *changed])
    assert theirs[0]["valid"] and ours(client, good)
    for token, their in zip(changed, theirs[1:]):
        assert not ours(client, token), token
        assert not their["valid"] or token[:-1] == good[:-1], token
