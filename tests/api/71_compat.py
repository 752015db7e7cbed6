# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clients of the five seed systems, as they would stand in their own
repositories (tests/compat), tell their stories to this server; and each of
them notices when one word of a reply is wrong."""

import contextlib
import http.server
import re
import subprocess
import sys
import threading

import pytest

import docket
from docket import ROOT, SLOW

pytestmark = pytest.mark.plain

COMPAT = ROOT / "tests" / "compat"

# What each says it did, in this order; lines between them are its own.
TOLD = {
    "s0": ["generate_otp: OTP sent successfully",
           "verify_otp: OTP verified successfully",
           "refused: the same code again:",
           "register_user: User registered successfully",
           "refused: the list without a token:",
           "create_task: one, To Do", "create_task: two, In Progress",
           "create_task: three, Done", "update_task: one, Done",
           "order_task: three one two", "delete_task: Task deleted",
           "task_list: three two",
           "refused: another user's delete_task: Task not found."],
    "s1": ["send-otp: OTP sent successfully", "refused: a wrong code:",
           "refused: role admin for the asking: This needs the admin role.",
           "register: User registered successfully",
           "refused: the same code again:", "refused: a wrong password:",
           "token: bearer", "access token: opens /tasks",
           "refresh token: a new access token",
           "refused: admin-data without a token:",
           "refused: admin-data as a user:",
           "admin-data: Access granted to admin data"],
    "s2": ["signup: a user", "refused: the same name again:",
           "token: bearer", "refused: POST tasks with neither:",
           "refused: GET tasks with the key alone:", "create: Sample, pending",
           "refused: DELETE tasks with a wrong key:",
           "refused: PUT tasks with a wrong token:", "list: 1 task",
           "get: Sample", "update: completed",
           "refused: a task without a title:",
           "refused: another user's task: Task not found.", "delete: gone"],
    "s3": ["refused: registerUser without a password:"
           " Missing required fields or invalid data.",
           "POST /auth/register: Authentication successful",
           "POST /auth: Authentication successful",
           "refused: authenticateUser with a wrong one: Invalid credentials.",
           "POST /tasks: Task created", "GET /tasks: Sample Task",
           "refused: deleteTask of no id: Invalid task ID.",
           "DELETE /tasks/{task_id}: Task deleted",
           "refused: deleteTask again: Task not found."],
    "s4": ["refused: role admin for the asking: This needs the admin role.",
           "users/signup: User added successfully", "users/login: a token",
           "refused: a wrong password: Invalid credentials.",
           "create: Sample", "update: Changed", "status: completed",
           "deadline: 2031-01-31", "list: Changed", "delete: gone",
           "register, login: a token", "refused: get_users as a user:",
           "get_users: usernames, emails, roles, statuses"],
}

seeds = pytest.mark.parametrize("seed", TOLD)


@pytest.fixture
def server(request, seed, dev):
    return request.getfixturevalue("keyed") if seed == "s2" else dev


def tell(dev, seed, url=None):
    return subprocess.run(
        [sys.executable, "-B", COMPAT / f"{seed}_client.py", url or dev.url,
         "--ca", dev.dir / "ca.pem", "--admin", dev.dir / "admin.json"],
        text=True, capture_output=True, stdin=subprocess.DEVNULL,
        timeout=60 * SLOW, check=False)


def failed(done, *words):
    assert done.returncode == 1, f"{done.stdout}{done.stderr}"
    last = done.stderr.splitlines()[-1]
    assert last.startswith("FAILED: "), done.stderr
    for word in words:
        assert word in last, last


@seeds
def test_a_client_tells_its_story(server, seed):
    done = tell(server, seed)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert done.stderr == ""
    lines = iter(done.stdout.splitlines())
    for want in [*TOLD[seed], "done"]:
        assert any(line.startswith(want) for line in lines), \
            f"not said, or too early: {want}\n{done.stdout}"


@seeds
def test_it_fails_where_no_such_server_is(server, seed):
    failed(tell(server, seed, server.url + "/nowhere"), "404")
    port = docket.free_port()  # nobody listens there
    failed(tell(server, seed, f"https://127.0.0.1:{port}"), "cannot reach")


@seeds
def test_it_trusts_nobody_by_the_way(server, seed):
    """The certificate is checked: it is an app's client, not a toy."""
    done = subprocess.run(
        [sys.executable, "-B", COMPAT / f"{seed}_client.py", server.url],
        text=True, capture_output=True, stdin=subprocess.DEVNULL,
        timeout=60 * SLOW, check=False)
    failed(done, "CERTIFICATE_VERIFY_FAILED")


def test_codes_that_their_owner_types(keyed):
    """No reply has one: it came to the phone, which here is a folder."""
    with subprocess.Popen(
            [sys.executable, "-B", COMPAT / "s0_client.py", keyed.url,
             "--ca", keyed.dir / "ca.pem"], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as client:
        lines = []
        for line in client.stdout:
            lines.append(line.strip())
            asked = re.match(r"The code that (\S+) got\?", line)
            if asked:
                _, message = docket.wait_until(
                    lambda to=asked[1]: keyed.messages(to),
                    f"a message for {asked[1]}")[0]
                client.stdin.write(message["code"] + "\n")
        said = client.stderr.read()
    # Its tasks need the key that it does not know; up to there it came.
    assert "register_user: User registered successfully" in lines, said
    assert client.returncode == 1 and "401" in said


# --- a server that says one thing otherwise --------------------------------

# seed, request, the bytes of its reply, what they become, the complaint
OTHERWISE = [
    ("s0", "POST /tasks/register_user", b'"user_id"', b'"id"', "user_id"),
    ("s0", "POST /tasks/create_task", b'"task_id"', b'"id"', "task_id"),
    ("s0", "POST /tasks/create_task", b'"To Do"', b'"pending"',
     "create_task"),
    ("s0", "GET /tasks/task_list", b'"tasks":[{', b'"tasks":[{"x":1},{',
     "task_id"),
    ("s1", "POST /send-otp", b'"status_code":200', b'"status_code":201',
     "send-otp"),
    ("s1", "POST /register", b"User registered", b"User added", "register"),
    ("s1", "POST /token", b'"bearer"', b'"Bearer"', "token"),
    ("s1", "GET /admin-data", b"granted", b"given", "admin-data"),
    ("s2", "POST /signup", b'"username"', b'"name"', "username"),
    ("s2", "POST /token", b'"bearer"', b'"mac"', "token"),
    ("s2", "PUT /tasks/", b'"completed"', b'"done"', "update"),
    ("s3", "POST /auth", b"Authentication successful", b"Welcome", "Welcome"),
    ("s3", "POST /auth", b"Email or password is missing.", b"No.", "No."),
    ("s3", "POST /tasks", b'"uuid"', b'"id"', "uuid"),
    ("s3", "DELETE /tasks/", b'"Task deleted"', b'"deleted"', "deleteTask"),
    ("s4", "POST /users/signup", b"User added", b"User registered", "signup"),
    ("s4", "POST /users/login", b'{"token"', b'{"id":1,"token"',
     "/users/login"),
    ("s4", "PATCH /tasks/", b"2031-01-31", b"2031-01-30", "deadline"),
    ("s4", "GET /users/get_users", b'"status"', b'"active"', "get_users"),
]


@contextlib.contextmanager
def otherwise(dev, which, old, new):
    """The url of a server that hands everything to dev's and changes the
    replies to `which`; and how often it did."""
    changed = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def hand_over(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) or None
            sent = [(k, v) for k, v in self.headers.items() if k.lower()
                    in ("authorization", "x-api-key", "content-type")]
            client = docket.Client(dev)
            reply = client.request(self.command, self.path, body=body,
                                   type="", headers=sent, check=False)
            client.close()
            data = reply.body
            if f"{self.command} {self.path}".startswith(which) and \
                    old in data:
                changed.append(self.path)
                data = data.replace(old, new)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = hand_over

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as front:
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{front.server_address[1]}", changed
        finally:
            front.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "seed, which, old, new, words", OTHERWISE,
    ids=[f"{row[0]} {row[1]} {row[2].decode()}" for row in OTHERWISE])
def test_it_notices_one_wrong_word(server, seed, which, old, new, words):
    with otherwise(server, which, old, new) as (url, changed):
        done = tell(server, seed, url)
    assert changed, f"never said: {old}"
    failed(done, words)
