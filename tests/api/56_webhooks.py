# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second opinion on the hook's signatures: npm's standardwebhooks, called
as receivers of GoTrue's hooks call it."""

import base64
import json
import os
import shutil
import subprocess

import pytest

import docket
import gateway
import instance
from docket import Client, new_phone, register, send_otp
from gateway import Courier, Gateway, secret_file

PACKAGE = "standardwebhooks@1.0.0"
HERE = docket.ROOT / "tests" / "lib" / "webhook_oracle.mjs"
SECRETS = ["v1,whsec_" + base64.b64encode(os.urandom(32)).decode()
           for _ in range(3)]

pytestmark = [pytest.mark.long, pytest.mark.faults]


@pytest.fixture(scope="module")
def package():
    """Where it is installed; once for all instances of the tree."""
    directory = docket.ROOT / ".dev" / "standardwebhooks"
    for command in ("node", "npm"):
        assert shutil.which(command), f"{command} is missing"
    if not (directory / "node_modules" / "standardwebhooks").exists():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text('{"private":true}\n')
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
             "--save-exact", PACKAGE], cwd=directory, text=True, timeout=300,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
    return directory


def opinion(package, secret, request, body=None, **headers):
    """(valid, payload or why not)."""
    sent = {name: request.headers[name] for name in (
        "webhook-id", "webhook-timestamp", "webhook-signature")}
    asked = {"secret": secret, "headers": {**sent, **headers},
             "body": body or request.body.decode()}
    done = subprocess.run(
        ["node", str(HERE), str(package)], input=json.dumps(asked), text=True,
        timeout=60, capture_output=True,
        env={k: v for k, v in os.environ.items() if k != "NODE_OPTIONS"})
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0, done.stdout or done.stderr


def test_receivers_take_what_the_hook_posts(package):
    phone = new_phone()
    with instance.running("server.workers=2") as post, \
            Gateway(lambda _: (200, {}, {})) as server:
        gateway.end_courier(post)
        path = secret_file(post, "hook.secret", "\n".join(SECRETS[:2]))
        client = Client(post)
        with Courier(post, "courier.sms=hook",
                     f"courier.hook_url={server.url}/",
                     f"courier.hook_secret_file={path}"):
            send_otp(client, phone)
            seen = server.first()
        for secret in SECRETS[:2]:
            valid, payload = opinion(package, secret, seen)
            assert valid, payload
            assert json.loads(payload)["user"]["phone"] == phone
        # And what differs in anything is none of ours.
        body = seen.body.decode()
        for secret, changes in (
                (SECRETS[2], {}),
                (SECRETS[0], {"body": body.replace(phone, "+15005550006")}),
                (SECRETS[0], {"webhook-id": "another"}),
                (SECRETS[0], {"webhook-timestamp": str(int(
                    seen.headers["webhook-timestamp"]) + 1)})):
            valid, why = opinion(package, secret, seen, **changes)
            assert not valid and "No matching signature" in why, why
        register(client, phone=phone, otp=json.loads(payload)["sms"]["otp"])
        client.close()
