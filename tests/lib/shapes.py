# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON Schema (2020-12, as far as the document uses it) made into functions.

Stricter than the schemas are for clients: an object has no member that is not
named, so that nothing goes out undocumented. A keyword that is not known here
is refused, lest it be believed to be checked."""

import re

NOTES = {"description", "examples", "example", "title", "contentMediaType",
         "deprecated"}
KNOWN = NOTES | {
    "$ref", "allOf", "anyOf", "type", "format", "enum", "const", "pattern",
    "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
    "items", "properties", "required", "additionalProperties"}

IS = {"string": lambda v: type(v) is str,
      "integer": lambda v: type(v) is int,
      "number": lambda v: type(v) in (int, float),
      "boolean": lambda v: type(v) is bool,
      "null": lambda v: v is None,
      "array": lambda v: type(v) is list,
      "object": lambda v: type(v) is dict}

FORMATS = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "date-time": r"\d{4}-(0\d|1[0-2])-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d"
                 r"(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "uri-reference": r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]*",
    "email": r"[^@\s]+@[^@\s]+",
    "password": r"[\s\S]*",
}


class Misfit(Exception):
    """A value is not what its schema says; where, and why."""

    def __init__(self, where, why):
        super().__init__(f"{where or '(whole)'}: {why}")


class Shapes:
    """The schemas of one document; not whole: members may be missing."""

    def __init__(self, document, whole=True):
        self.document, self.whole, self.made = document, whole, {}

    def resolve(self, node):
        while "$ref" in node:
            at = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part.replace("~1", "/").replace("~0", "~")]
            node = at
        return node

    def of(self, schema):
        """The function that takes a value and raises Misfit."""
        known = self.made.get(id(schema))
        if known is None:
            # The schema is kept too, lest another one get its id.
            known = self.made[id(schema)] = [None, schema]
            known[0] = self.make(schema)
        # One that contains itself is looked up when it is called.
        return known[0] or (lambda v, where="": known[0](v, where))

    def make(self, schema):
        if "$ref" in schema:
            return self.of(self.resolve(schema))
        unknown = set(schema) - KNOWN
        assert not unknown, f"nobody checks {unknown} of {schema}"
        if "anyOf" in schema:
            return any_of([self.of(one) for one in schema["anyOf"]])
        if "allOf" in schema or schema.get("properties"):
            return self.object(schema)
        tests = list(plain(schema))
        if "items" in schema:
            tests.append(each(self.of(schema["items"])))

        def check(v, where=""):
            for test in tests:
                test(v, where)

        return check

    def flatten(self, schema, members, required):
        """The members of an object and of all that it is made of."""
        schema = self.resolve(schema)
        for one in schema.get("allOf", ()):
            self.flatten(one, members, required)
        for name, member in schema.get("properties", {}).items():
            members.setdefault(name, []).append(self.of(member))
        required.update(schema.get("required", ()))

    def object(self, schema):
        members, required = {}, set()
        self.flatten(schema, members, required)
        nullable = "null" in schema.get("type", ())
        if not self.whole:
            required = ()

        def check(v, where=""):
            if v is None and nullable:
                return
            if type(v) is not dict:
                raise Misfit(where, f"{short(v)} is no object")
            for name, value in v.items():
                tests = members.get(name)
                if tests is None:
                    raise Misfit(f"{where}/{name}", "undocumented member")
                for test in tests:
                    test(value, f"{where}/{name}")
            for name in required:
                if name not in v:
                    raise Misfit(f"{where}/{name}", "missing member")

        return check


def short(value):
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."


def any_of(tests):
    def check(v, where=""):
        first = None
        for test in tests:
            try:
                return test(v, where)
            except Misfit as misfit:
                first = first or misfit
        raise first

    return check


def each(test):
    def check(v, where=""):
        if v is not None:
            for i, one in enumerate(v):
                test(one, f"{where}/{i}")

    return check


def plain(schema):
    """Of the keywords that look at one value alone, a function each."""
    kinds = schema.get("type")
    if kinds is not None:
        kinds = [kinds] if isinstance(kinds, str) else kinds
        yield typed([IS[kind] for kind in kinds], " or ".join(kinds))
    if "enum" in schema:
        yield holds(lambda v, all=schema["enum"]: v in all,
                    f"none of {short(schema['enum'])}")
    if "const" in schema:
        yield holds(lambda v, one=schema["const"]: v == one,
                    f"not {short(schema['const'])}")
    if schema.get("format") in FORMATS:
        yield matches(FORMATS[schema["format"]], schema["format"], True)
    elif schema.get("format") == "int64":
        yield holds(lambda v: v is None or -2 ** 63 <= v < 2 ** 63,
                    "beyond 64 bits")
    else:
        assert "format" not in schema, schema
    if "pattern" in schema:
        yield matches(schema["pattern"], schema["pattern"], False)
    for word, kind, size in (("Length", str, len), ("Items", list, len),
                             ("imum", int, int)):
        yield from bounds(schema, word, kind, size)


def bounds(schema, word, kind, size):
    for name, sign in ((f"min{word}", 1), (f"max{word}", -1)):
        if name in schema:
            yield holds(lambda v, bound=schema[name], sign=sign:
                        type(v) is not kind or size(v) * sign >= bound * sign,
                        f"against {name} {schema[name]}")


def typed(tests, words):
    def check(v, where=""):
        for test in tests:
            if test(v):
                return
        raise Misfit(where, f"{short(v)} is no {words}")

    return check


def holds(test, words):
    def check(v, where=""):
        if not test(v):
            raise Misfit(where, f"{short(v)} is {words}")

    return check


def matches(pattern, words, whole):
    found = re.compile(pattern)
    found = found.fullmatch if whole else found.search

    def check(v, where=""):
        if type(v) is str and not found(v):
            raise Misfit(where, f"{short(v)} is not {words}")

    return check
