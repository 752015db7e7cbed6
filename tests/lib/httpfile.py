# SPDX-License-Identifier: AGPL-3.0-or-later
"""A file of requests as editors send them: the REST Client's form, which is
`###` between requests, `@name = value`, `# @name` and
{{name.response.body.$.path}}."""

import re

VARIABLE = re.compile(r"^@([^\s=]+)\s*=\s*(.*?)\s*$")
NAME = re.compile(r"^(?:#|//)\s*@name\s+(\S+)\s*$")
ANSWERS = re.compile(r"^# Answers (\d+)\.$")
METHOD = re.compile(r"^([A-Z]+) (\S+)$")
FIELD = re.compile(r"{{([^{}]+)}}")


class Request:
    def __init__(self, method, url, name, status):
        self.method, self.url = method, url
        self.name, self.status = name, status
        self.headers, self.body = [], None


class File:
    def __init__(self, text):
        self.variables, self.requests, self.replies = {}, [], {}
        for block in re.split(r"^###.*\n", text, flags=re.M):
            self.block(block.splitlines())

    def block(self, lines):
        """What stands between two lines of `###`: one request or none."""
        name = status = None
        while lines:
            line = lines.pop(0)
            if found := VARIABLE.match(line):
                self.variables[found[1]] = found[2]
            elif found := NAME.match(line):
                name = found[1]
            elif found := ANSWERS.match(line):
                status = int(found[1])
            elif found := METHOD.match(line):
                self.request(Request(found[1], found[2], name, status), lines)
                return
            else:
                assert not line or line.startswith("#"), f"what is {line!r}?"

    def request(self, request, lines):
        while lines and lines[0]:
            field, _, value = lines.pop(0).partition(": ")
            request.headers.append((field, value))
        body = "\n".join(lines).strip("\n")
        request.body = body or None
        self.requests.append(request)

    def fields(self):
        """(request, variable) of each {{variable}}."""
        for request in self.requests:
            said = [request.url, request.body or "",
                    *(value for _, value in request.headers)]
            for one in FIELD.findall("\n".join(said)):
                yield request, one

    def fill(self, text):
        return FIELD.sub(lambda found: self.value(found[1]), text)

    def value(self, name):
        if name in self.variables:
            return self.fill(self.variables[name])
        request, _, path = name.partition(".response.body.$.")
        at = self.replies[request].json
        for part in re.findall(r"\w+", path):
            at = at[int(part) if isinstance(at, list) else part]
        return str(at)

    def send(self, client, request):
        """Its reply, kept under its name; an address of the server's."""
        base = self.variables["baseUrl"]
        url = self.fill(request.url)
        assert url.startswith(base + "/"), url
        body = request.body and self.fill(request.body).encode()
        reply = client.request(
            request.method, url[len(base):], body=body, type="",
            headers=[(k, self.fill(v)) for k, v in request.headers])
        self.replies[request.name] = reply
        return reply
