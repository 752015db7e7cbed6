# SPDX-License-Identifier: AGPL-3.0-or-later
"""Does a reply keep to /openapi.json? Every reply that docket.Client sees is
looked at: status, headers, media type and body are what the operation says,
and nothing else. Exempt are requests with check=False, docket.raw() and the
load generators (load.py, storm.py, fastcgi.py and their like), which look for
other things."""

import collections
import json
import re
import subprocess

from shapes import Misfit, Shapes

# What HTTP and nginx put on any reply, and who looks after it: invariants().
EVERYWHERE = {
    "server", "date", "connection", "keep-alive", "content-length",
    "content-type", "transfer-encoding", "cache-control", "pragma", "vary",
    "strict-transport-security", "x-content-type-options", "referrer-policy",
    "content-security-policy", "x-frame-options", "allow", "last-modified",
    "accept-ranges", "permissions-policy", "cross-origin-resource-policy",
    "cross-origin-opener-policy"}

# The statuses that an operation's `default` stands for.
TRANSPORT = {408, 413, 414, 421, 431}

# What nginx serves without Docket.
OUTSIDE = re.compile(r"/docs(/|$)")

# Whose `fields` leaves members of each task out, which no schema can say.
PARTIAL = re.compile(r"[?&]fields=([^&]*)")


class Operation:
    def __init__(self, contract, method, path, node):
        self.name, self.node = node["operationId"], node
        self.responses = {status: Response(contract, contract.shapes.resolve(
            response)) for status, response in node["responses"].items()}
        self.deprecated = node.get("deprecated", False)

    def response(self, status):
        found = self.responses.get(str(status))
        if not found and status in TRANSPORT:
            found = self.responses.get("default")
        return found


class Response:
    def __init__(self, contract, node):
        shapes = contract.shapes
        content = node.get("content", {}).items()
        self.bodies = {kind: shapes.of(media["schema"])
                       for kind, media in content}
        self.parts = {kind: contract.loose.of(media["schema"])
                      for kind, media in content}
        self.headers, self.required = {}, set()
        for name, header in node.get("headers", {}).items():
            header = shapes.resolve(header)
            self.headers[name.lower()] = (
                shapes.of(header["schema"]),
                header["schema"].get("type") == "integer")
            if header.get("required"):
                self.required.add(name.lower())


class Contract:
    def __init__(self, document):
        self.document, self.shapes = document, Shapes(document)
        self.loose = Shapes(document, whole=False)
        self.seen = collections.Counter()
        self.literal, self.patterns = {}, []
        self.problem = self.shapes.of(
            {"$ref": "#/components/schemas/Problem"})
        for path, item in document["paths"].items():
            operations = {method.upper(): Operation(self, method, path, node)
                          for method, node in item.items()}
            if "{" in path:
                pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))
                self.patterns.append((re.compile(pattern), operations))
            else:
                self.literal[path] = operations

    def item(self, path):
        found = self.literal.get(path)
        if found:
            return found
        for pattern, operations in self.patterns:
            if pattern.fullmatch(path):
                return operations
        return None

    def check(self, reply):
        """Raise an AssertionError that says what is not as documented."""
        try:
            self.look(reply)
        except Misfit as misfit:
            raise AssertionError(
                f"against /openapi.json: {misfit}\n{reply}") from None

    def look(self, reply):
        path = reply.path.split("?")[0]
        if OUTSIDE.match(path):
            return
        operations = self.item(path)
        if not operations or "%" in path:
            self.stray(reply, operations)
            return
        method = "GET" if reply.method == "HEAD" else reply.method
        if method == "OPTIONS" and reply.status == 204:
            return
        operation = operations.get(method)
        if not operation:
            self.stray(reply, operations)
            return
        response = operation.response(reply.status)
        if not response:
            raise Misfit(f"{operation.name} {reply.status}",
                         "undocumented status")
        where = f"{operation.name} {reply.status}"
        headers(reply, response, operation, where)
        body(reply, response, where)
        self.seen[operation.name, reply.status] += 1

    def stray(self, reply, operations):
        """Of an address or a method that there is not."""
        if reply.status < 400:
            odd = re.search("%|//|/[.]", reply.path)
            if not odd and reply.method != "OPTIONS":
                raise Misfit(f"{reply.method} {reply.path}", "no such "
                             + ("method" if operations else "address"))
            return
        if reply.method != "HEAD" and \
                reply.type == "application/problem+json":
            self.problem(reply.json)

    def documented(self):
        """All that the document says there may be, but for `default`."""
        return {(operation.name, int(status))
                for operations in [*self.literal.values(),
                                   *(o for _, o in self.patterns)]
                for operation in operations.values()
                for status in operation.responses if status != "default"}

    def summary(self):
        """What was seen, and what never was, a line each."""
        documented = self.documented()
        seen = documented & set(self.seen)
        yield (f"contract: {sum(self.seen.values())} replies fit;"
               f" {len({name for name, _ in seen})} of"
               f" {len({name for name, _ in documented})} operations,"
               f" {len(seen)} of {len(documented)} pairs of operation and"
               " status seen")
        missed = collections.defaultdict(list)
        for name, status in sorted(documented - seen):
            missed[status].append(name)
        for status, names in sorted(missed.items()):
            yield f"contract: never {status}: {' '.join(names)}"


def headers(reply, response, operation, where):
    came = {name.lower(): value for name, value in reply.headers}
    for name in response.required - set(came):
        raise Misfit(f"{where} {name}", "missing header")
    for name, value in came.items():
        if name in EVERYWHERE:
            continue
        known = response.headers.get(name)
        if known is None:
            # The tag says that an alias's replies all have these.
            if operation.deprecated and name in ("deprecation", "link"):
                continue
            raise Misfit(f"{where} {name}: {value}", "undocumented header")
        test, number = known
        if number and not re.fullmatch(r"-?\d+", value):
            raise Misfit(f"{where} {name}", f"{value!r} is no number")
        test(int(value) if number else value, f"{where} {name}")


def body(reply, response, where):
    if reply.method == "HEAD" or reply.status in (204, 304):
        return
    kind = (reply.type or "").split(";")[0]
    asked = reply.status == 200 and PARTIAL.search(reply.path)
    test = (response.parts if asked else response.bodies).get(kind)
    if test is None:
        raise Misfit(where, f"undocumented type {reply.type}")
    # Other files of tasks are bytes to the document.
    if kind in ("application/json", "application/problem+json"):
        test(reply.json, where)


CONTRACTS = {}


def of(dev):
    """The contract of the build under test. The settings decide only what
    opens an operation, so one document serves every instance."""
    if "" not in CONTRACTS:
        done = subprocess.run([dev.docketd(), "--openapi"], check=True,
                              capture_output=True, timeout=60)
        CONTRACTS[""] = Contract(json.loads(done.stdout))
    return CONTRACTS[""]


def summary():
    for contract in CONTRACTS.values():
        yield from contract.summary()
