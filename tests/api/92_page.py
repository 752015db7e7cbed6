# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page /docs: its files, whole and no others, under a strict policy."""

import gzip
import re

import pytest

from docket import ROOT, problem

pytestmark = pytest.mark.plain

FOLDER = ROOT / "share" / "docs"
FILES = {
    "/docs": ("index.html", "text/html; charset=utf-8"),
    "/docs/docs.css": ("docs.css", "text/css; charset=utf-8"),
    "/docs/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/docs/rapidoc-min.js": ("vendor/rapidoc-min.js",
                             "text/javascript; charset=utf-8"),
    "/docs/rapidoc-LICENSE.txt": ("vendor/rapidoc-LICENSE.txt",
                                  "text/plain; charset=utf-8"),
    "/docs/rapidoc-min.js.LICENSE.txt": (
        "vendor/rapidoc-min.js.LICENSE.txt", "text/plain; charset=utf-8"),
}
MADE = {"/docs/docket.http": "text/plain; charset=utf-8",
        "/docs/docket.postman_collection.json": "application/json"}
EVERY = [*FILES, *MADE]


@pytest.mark.parametrize("path", FILES)
def test_a_file_comes_as_it_is(api, path):
    name, kind = FILES[path]
    reply = api.get(path, check=False)
    assert reply.body == (FOLDER / name).read_bytes()
    assert reply.type == kind


@pytest.mark.parametrize("path", EVERY)
def test_the_headers_are_there(api, path):
    reply = api.get(path, check=False)
    assert reply.type == (MADE.get(path) or FILES[path][1])
    for name, value in (
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-cache")):
        assert reply.header(name) == value, name
    assert "max-age" in reply.header("Strict-Transport-Security")
    assert reply.header("X-Request-Id")
    assert not re.search(r"\d", reply.header("Server") or "")


def policy(reply):
    parts = [part.split() for part in
             reply.header("Content-Security-Policy").split(";")]
    return {part[0]: set(part[1:]) for part in parts}


@pytest.mark.parametrize("path", EVERY)
def test_nothing_may_come_from_elsewhere(api, path):
    told = policy(api.get(path, check=False))
    for name in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert told[name] == {"'none'"}, name
    for name in ("script-src", "connect-src"):
        assert told[name] == {"'self'"}, name
    assert told["img-src"] == {"'self'", "data:"}
    assert told["style-src"] == {"'self'"}
    for one in told["style-src-elem"] - {"'self'"}:
        assert one.startswith("'sha256-"), one
    assert told["style-src-attr"] == {"'unsafe-inline'"}
    assert not any("*" in value or "//" in value
                   for values in told.values() for value in values)


def test_the_page_names_no_other_host():
    for name in ("index.html", "docs.css", "docs.js"):
        assert "//" not in re.sub(r"(?m)(^|\s)//.*$", "", (
            FOLDER / name).read_text().replace("</", "")), name
    assert '"load-fonts": "false"' in (FOLDER / "docs.js").read_text()


def test_it_is_of_use_without_a_script():
    words = (FOLDER / "index.html").read_text()
    found = re.search(r"<noscript>(.*?)</noscript>", words, re.S)
    assert 'href="/openapi.json"' in found[1]


@pytest.mark.parametrize("path", [
    "/docs/nothing", "/docs/index.html", "/docs/../docs.js", "/docs/vendor",
    "/docs/vendor/renew.sh", "/docs/renew.sh", "/docs/made",
    "/docs/rapidoc-min.js.gz", "/docs/docs.js/", "/docs/docs.css.gz",
    "/docsx", "/docs/%2e%2e/docket.conf"])
def test_there_is_nothing_besides(api, path):
    assert problem(api.get(path, 404))["code"] == "not_found"


def test_a_slash_at_the_end_leads_to_the_page(api):
    reply = api.get("/docs/", 308, check=False)
    assert reply.header("Location") == "/docs"


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE",
                                    "OPTIONS", "FROBNICATE"])
def test_it_is_for_reading(api, path, method):
    reply = api.request(method, path, 405)
    assert reply.allow() == {"GET", "HEAD"}
    assert reply.code == "method_not_allowed"


@pytest.mark.parametrize("path", EVERY)
def test_head_is_get_without_the_body(api, path):
    got = api.get(path, check=False)
    head = api.request("HEAD", path, 200, check=False)
    assert head.body == b""
    for name in ("Content-Type", "ETag", "Content-Length",
                 "Content-Security-Policy"):
        assert head.header(name) == got.header(name), name


@pytest.mark.parametrize("path", EVERY)
def test_what_has_not_changed_is_not_sent_again(api, path):
    first = api.get(path, check=False)
    again = api.get(path, 304, check=False, headers=[
        ("If-None-Match", first.header("ETag"))])
    assert again.body == b""
    assert again.header("Cache-Control") == "no-cache"
    api.get(path, 200, check=False, headers=[("If-None-Match", '"other"')])


def test_the_large_one_is_packed_for_who_takes_it(api):
    packed = api.get("/docs/rapidoc-min.js", check=False, headers=[
        ("Accept-Encoding", "gzip")])
    plain = api.get("/docs/rapidoc-min.js", check=False)
    assert packed.header("Content-Encoding") == "gzip"
    assert plain.header("Content-Encoding") is None
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) * 3 < len(plain.body)
    assert packed.header("Vary") == plain.header("Vary") == "Accept-Encoding"
    assert packed.header("ETag") != plain.header("ETag")


def test_replies_are_not_packed(alice):
    """What the page may, an answer with secrets in it may not (BREACH)."""
    reply = alice.get("/auth/me", headers=[("Accept-Encoding", "gzip")])
    assert reply.header("Content-Encoding") is None
