# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plainest things: it answers, in the right shape, over TLS."""

import re
import socket
import ssl
import subprocess

import pytest

import docket
from docket import ROUTES, problem, raw


def test_healthz(api):
    assert api.get("/healthz").json["status"] == "ok"


def test_readyz(api):
    assert api.get("/readyz").json["status"] == "ok"


def test_health_is_not_cached(api):
    assert api.get("/healthz").header("Cache-Control") == "no-store"


# --- the document ---------------------------------------------------------

@pytest.fixture(scope="module")
def openapi(dev):
    return docket.Client(dev).get("/openapi.json").json


def operations(openapi):
    return {(method.upper(), path): operation
            for path, item in openapi["paths"].items()
            for method, operation in item.items()
            if method in ("get", "put", "post", "delete", "patch")}


def test_openapi_is_3_1(openapi):
    assert re.fullmatch(r"3\.1\.\d+", openapi["openapi"])
    assert openapi["info"]["title"] and openapi["info"]["version"]


def test_openapi_has_every_row_and_no_other(openapi):
    told = operations(openapi)
    rows = {(r.method, r.path): r for r in ROUTES}
    assert set(told) == set(rows)
    for key, row in rows.items():
        assert told[key]["operationId"] == row.operation
        assert told[key]["summary"] == row.summary.strip('"')
        assert str(row.status) in told[key]["responses"]


def test_openapi_operation_ids_are_unique(openapi):
    ids = [o["operationId"] for o in operations(openapi).values()]
    assert len(ids) == len(set(ids))


def test_openapi_keeps_the_operation_ids_of_s3(openapi):
    ids = {o["operationId"]: k for k, o in operations(openapi).items()}
    assert ids["registerUser"] == ("POST", "/auth/register")
    assert ids["authenticateUser"] == ("POST", "/auth")
    assert ids["createTask"] == ("POST", "/tasks")
    assert ids["getAllTasks"] == ("GET", "/tasks")
    assert ids["deleteTask"] == ("DELETE", "/tasks/{id}")


def test_openapi_references_resolve(openapi):
    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    for ref in set(walk(openapi)):
        at = openapi
        assert ref.startswith("#/"), ref
        for part in ref[2:].split("/"):
            assert part in at, f"{ref} leads nowhere"
            at = at[part]


def test_openapi_says_what_needs_a_bearer(openapi):
    told = operations(openapi)
    for row in ROUTES:
        operation = told[(row.method, row.path)]
        security = operation.get("security", openapi.get("security", []))
        public = not security or {} in security
        assert public == (row.access == "PUBLIC"), str(row)


def test_openapi_marks_aliases_deprecated(openapi):
    told = operations(openapi)
    for row in ROUTES:
        assert told[(row.method, row.path)].get("deprecated", False) == \
            (row.canonical is not None), str(row)


def test_openapi_paths_have_their_parameters(openapi):
    for (method, path), operation in operations(openapi).items():
        item = openapi["paths"][path]
        params = item.get("parameters", []) + operation.get("parameters", [])
        named = {p["name"] for p in params if p.get("in") == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), (method, path)


def test_openapi_may_be_cached_and_revalidated(api):
    first = api.get("/openapi.json")
    assert "public" in first.header("Cache-Control")
    again = api.get("/openapi.json", 304,
                    headers=[("If-None-Match", first.header("ETag"))])
    assert again.header("ETag") == first.header("ETag")


# --- methods --------------------------------------------------------------

PATHS = sorted({r.path for r in ROUTES})


def allowed(path):
    methods = {r.method for r in ROUTES if r.path == path}
    if "GET" in methods:
        methods.add("HEAD")
    return methods | {"OPTIONS"}


@pytest.mark.parametrize("path", PATHS)
def test_options_names_the_methods(api, path):
    reply = api.request("OPTIONS", path.replace("{id}", "1"), 204)
    assert reply.allow() == allowed(path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH",
                                    "DELETE", "FROBNICATE"])
def test_a_wrong_method_is_405(api, path, method):
    if method in allowed(path):
        return
    reply = api.request(method, path.replace("{id}", "1"), 405)
    assert reply.allow() == allowed(path)
    if method != "HEAD":
        assert reply.code == "method_not_allowed"


def test_trace_is_refused(api):
    reply = api.request("TRACE", "/tasks", 405, check=False)
    problem(reply)
    assert reply.header("Allow")


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/tasks",
                                  "/auth/me"])
def test_head_is_get_without_the_body(alice, path):
    got = alice.get(path)
    head = alice.request("HEAD", path, 200)
    assert head.body == b""
    for name in ("Content-Type", "ETag", "Cache-Control", "Vary"):
        assert head.header(name) == got.header(name), name
    length = head.header("Content-Length")
    assert length in (None, str(len(got.body)))


def test_head_of_a_refusal_has_no_body(api):
    reply = api.request("HEAD", "/tasks", 401)
    assert reply.header("WWW-Authenticate").startswith("Bearer")


# --- addresses ------------------------------------------------------------

@pytest.mark.parametrize("path", [
    "/", "/nothing", "/auth/nothing", "/otp", "/otp/nothing", "/tasks/1/2/3",
    "/tasks/", "/auth/", "/tasksx", "/authx", "/Tasks", "/tasks/1/Status",
    "/users", "/users/nothing", "/healthz/", "/.git/config", "/index.php",
    "/favicon.ico", "/robots.txt", "/tasks/1/status/"])
def test_an_unknown_address_is_404(api, path):
    document = problem(api.get(path, 404))
    assert document["code"] == "not_found"


def test_a_path_is_decoded_once(api):
    """%74asks is /tasks; %2574asks is not."""
    api.get("/%74asks", 401)
    assert api.get("/%2574asks", 404).code == "not_found"


@pytest.mark.parametrize("path", ["/tasks/%00", "/tasks/%zz", "/tasks/%",
                                  "/tasks/%ff"])
def test_a_path_that_does_not_decode_is_400(api, path):
    assert problem(api.get(path, 400))["code"] == "bad_request"


@pytest.mark.parametrize("path", ["/tasks/../healthz", "/tasks/%2e%2e/healthz",
                                  "//healthz", "/./healthz"])
def test_dots_and_slashes_open_nothing(alice, path):
    """Whatever a server makes of these, it is health or a refusal."""
    reply = alice.request("GET", path)
    assert reply.status in (200, 400, 404), str(reply)
    if reply.status == 200:
        assert reply.json["status"] == "ok"


# --- request ids ----------------------------------------------------------

@pytest.mark.parametrize("sane", ["a", "A-1.b_2", "x" * 64])
def test_a_sane_request_id_is_kept(api, sane):
    reply = api.get("/tasks", 401, headers=[("X-Request-Id", sane)])
    assert reply.header("X-Request-Id") == sane
    assert reply.json["request_id"] == sane


@pytest.mark.parametrize("silly", ["", "x" * 65, "a b", "a;b", "ü",
                                   "<script>", 'a"b', "a%0ab"])
def test_a_silly_request_id_is_replaced(api, silly):
    sent = silly.encode("utf-8").decode("latin-1")
    reply = api.get("/tasks", 401, headers=[("X-Request-Id", sent)])
    assert reply.header("X-Request-Id") != sent
    assert reply.json["request_id"] == reply.header("X-Request-Id")


def test_request_ids_differ(api):
    made = {api.get("/healthz").header("X-Request-Id") for _ in range(20)}
    assert len(made) == 20


def test_a_sane_request_id_is_kept_in_what_nginx_says(api):
    reply = api.get("/nothing", 404, headers=[("X-Request-Id", "mine-1")])
    assert reply.json["request_id"] == "mine-1"


# --- nginx's own errors ---------------------------------------------------

def test_a_body_of_300_kib_is_413(alice):
    reply = alice.post("/tasks", 413, body=b"x" * 300 * 1024)
    assert reply.code == "body_too_large"


def test_a_body_of_300_kib_is_413_in_oauth_words(api):
    reply = api.post("/auth/token", 413, body=b"x" * 300 * 1024)
    assert reply.json["error"] == "invalid_request"


def test_a_body_of_exactly_256_kib_is_read(alice):
    body = docket.dumps({"title": "t"})
    body += b" " * (256 * 1024 - len(body))
    alice.post("/tasks", 201, body=body)
    assert alice.post("/tasks", 413, body=body + b" ").code == \
        "body_too_large"


def test_a_chunked_body_is_read(alice, dev):
    body = b'{"title":"chunked"}'
    sent = (b"POST /tasks HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
            b"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
            % (dev.host.encode(), alice.access.encode(), len(body), body))
    reply = raw(dev, sent)
    assert reply.status == 201, str(reply)
    assert reply.json["task"]["title"] == "chunked"


def test_an_address_of_20_kib_is_414(api):
    assert problem(api.get("/tasks?q=" + "x" * 20480, 414, check=False))


def test_an_address_of_9_kib_is_414(api):
    assert api.get("/tasks?q=" + "x" * 9216, 414).code == "uri_too_long"


def test_a_header_of_20_kib_is_431(api):
    reply = api.get("/healthz", 431, check=False,
                    headers=[("X-Long", "x" * 20480)])
    assert reply.type == "application/problem+json"
    assert reply.json["status"] == 431


def test_a_header_of_14_kib_is_taken(api):
    api.get("/healthz", 200, headers=[("X-Long", "x" * 14336)])


def test_rubbish_instead_of_http_is_400(dev):
    reply = raw(dev, b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert reply.status == 400
    assert reply.type == "application/problem+json"


def test_plain_http_at_the_tls_port_is_400(dev):
    reply = raw(dev, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                tls=False)
    assert reply.status == 400
    assert reply.type == "application/problem+json"


def test_content_length_and_chunked_together_are_400(dev):
    """Request smuggling's favourite (RFC 9112 section 6.1)."""
    reply = raw(dev, b"POST /auth HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"0\r\n\r\n")
    assert reply.status == 400, str(reply)


def test_a_proxy_header_changes_nothing(api):
    """httpoxy: Proxy must not become HTTP_PROXY."""
    api.get("/healthz", 200, headers=[("Proxy", "http://127.0.0.1:1")])


# --- TLS ------------------------------------------------------------------

def handshake(dev, context):
    with socket.create_connection((dev.host, dev.port), 10) as plain:
        with context.wrap_socket(plain, server_hostname=dev.host) as tls:
            return tls.version(), tls.selected_alpn_protocol()


def test_tls_1_2_and_1_3_are_spoken(dev):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = dev.tls()
        context.minimum_version = context.maximum_version = version
        assert handshake(dev, context)[0] == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_0_and_1_1_are_not(dev):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = dev.tls()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(dev, context)


def test_http_2_is_offered(dev):
    context = dev.tls()
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert handshake(dev, context)[1] == "h2"


def test_http_2_works(dev):
    done = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", dev.dir / "ca.pem",
         "-w", "\n%{http_version} %{http_code}", dev.url + "/healthz"],
        capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "2 200", done.stderr
