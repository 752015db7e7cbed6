# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the five clients share: how to ask, how to say what they did, how to
fail. None of it knows the server under test."""

import argparse
import json
import random
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

dice = random.SystemRandom()


class Wrong(Exception):
    """The server is not what the document says."""


def want(true, what):
    if not true:
        raise Wrong(what)


def has(reply, *names):
    for name in names:
        want(name in reply, f"no {name} in {json.dumps(reply)[:300]}")


def new_name():
    return "app" + "".join(dice.choice("abcdefghijklmnopqrstuvwxyz0123456789")
                           for _ in range(12))


def new_phone():
    return "+98912" + "".join(dice.choice("0123456789") for _ in range(7))


class Story:
    """One run of a client: a server, and the lines of what was done."""

    def __init__(self, url, ca, admin):
        self.url, self.admin = url.rstrip("/"), admin
        self.context = ssl.create_default_context(cafile=ca)

    def did(self, *words):
        print(*words, flush=True)

    def code(self, reply, phone):
        """The code that was sent: the reply has it, or its owner types it."""
        if "otp" in reply:
            return reply["otp"]
        print(f"The code that {phone} got?", flush=True)
        typed = sys.stdin.readline().strip()
        want(typed, "no code was typed")
        return typed

    def ask(self, method, path, expect, *, json=None, form=None, token=None,
            headers=None):
        """The JSON of a reply whose status is `expect`, a number or some."""
        sent = {"Accept": "application/json", **(headers or {})}
        body = None
        if json is not None:
            body = dumps(json)
            sent["Content-Type"] = "application/json"
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        if token:
            sent["Authorization"] = "Bearer " + token
        request = urllib.request.Request(self.url + path, body, sent,
                                         method=method)
        status, data = self.send(request)
        allowed = expect if isinstance(expect, tuple) else (expect,)
        want(status in allowed, f"{method} {path}: {status} instead of"
             f" {expect}: {data[:300].decode('utf-8', 'replace')}")
        return loads(method, path, data)

    def send(self, request):
        try:
            with urllib.request.urlopen(request, timeout=120,
                                        context=self.context) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError as error:
            raise Wrong(f"cannot reach {self.url}: {error}") from None

    def refused(self, what, method, path, expect, **more):
        """What must not work, and the words the server has for it."""
        reply = self.ask(method, path, expect, **more)
        words = reply.get("message") or reply.get("detail") \
            or reply.get("error_description")
        want(words, f"{method} {path}: refused without a word")
        self.did("refused:", what + ":", words)
        return reply


def dumps(value):
    return json.dumps(value).encode()


def loads(method, path, data):
    try:
        reply = json.loads(data)
    except ValueError:
        raise Wrong(f"{method} {path}: no JSON: {data[:100]!r}") from None
    want(isinstance(reply, dict), f"{method} {path}: no JSON object")
    return reply


def run(tell):
    """Tell a story to the server that the command line names."""
    parser = argparse.ArgumentParser(description=tell.__doc__)
    parser.add_argument("url", help="where the server is")
    parser.add_argument("--ca", help="PEM file of its certificate authority")
    parser.add_argument("--admin", metavar="FILE", help="JSON file with"
                        " username and password of one who is an admin there")
    options = parser.parse_args()
    admin = None
    if options.admin:
        with open(options.admin, encoding="utf-8") as file:
            admin = json.load(file)
    try:
        tell(Story(options.url, options.ca, admin))
    except Wrong as error:
        print("FAILED:", error, file=sys.stderr)
        return 1
    print("done")
    return 0
