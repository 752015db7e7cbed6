# SPDX-License-Identifier: AGPL-3.0-or-later
"""The seed systems' rows about setting up, settings, logs, jobs and pages;
and: has every row of theirs a test?"""

import json
import os
import re
import signal
import subprocess

import pytest

import docket
import instance
import tour
from docket import (ROOT, Client, jwt_parts, new_email, new_name, new_phone,
                    parallel, wait_until)
from tables import SETTINGS

PASSWORD = "correct horse"
README = (ROOT / "README.md").read_text()

# How many rows each of the five has (S0-1 ... S4-8).
ROWS = {0: 13, 1: 13, 2: 10, 3: 6, 4: 8}


def test_every_row_has_a_test():
    """By its id in the name of the test: s0_5_order_tasks is S0-5's."""
    found = {}
    for path in sorted((ROOT / "tests/api").glob("70_seeds*.py")):
        for name in re.findall(r"^def test_(s\d_\d+_\w+)", path.read_text(),
                               re.M):
            for seed, row in re.findall(r"(?:^|_)s(\d)_(\d+)(?=_)", name):
                found.setdefault((int(seed), int(row)), []).append(name)
    rows = {(seed, row) for seed, n in ROWS.items()
            for row in range(1, n + 1)}
    assert not rows - set(found), f"without a test: {rows - set(found)}"
    assert not set(found) - rows, f"no such row: {set(found) - rows}"


def test_the_page_names_every_alias():
    page = (ROOT / "docs/compatibility.md").read_text()
    table = page[page.index("## Address by address"):
                 page.index("## What is different")]
    for row in docket.ROUTES:
        if row.canonical:
            lines = [line for line in table.splitlines()
                     if re.search(rf"`{re.escape(row.path)}`", line)]
            assert lines, row.path
            assert any(row.method in line for line in lines), row


@pytest.fixture(scope="module")
def strict():
    """Who registers proves a phone, and samples are off: an instance to
    reload and to hold up."""
    with instance.running(
            "auth.register_require=phone_otp", "sample_routes=off",
            "server.workers=2", "server.auth_workers=2",
            DEV_POOLER="") as found:
        yield found


@pytest.fixture
def client(strict):
    found = Client(strict)
    yield found
    found.close()


def docket_says(dev, *words, status=0, **environment):
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", *words], text=True,
        capture_output=True, timeout=60, check=False,
        env={**os.environ, **environment})
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    return done.stdout


def reload(dev):
    said = "Serving with the new settings"
    before = dev.log().count(said)
    os.kill(dev.supervisor(), signal.SIGHUP)
    wait_until(lambda: dev.log().count(said) > before, f"log: {said}")


# --- S0 -------------------------------------------------------------------

def test_s0_12_registration_can_need_a_code(client):
    body = {"username": new_name(), "password": PASSWORD,
            "mobile_no": new_phone()}
    told = client.post("/tasks/register_user", 400, json=body).pointers()
    assert told == {"/otp": "required"}
    code = client.post("/tasks/generate_otp", json={
        "mobile": body["mobile_no"]}).json["otp"]
    proof = client.post("/tasks/verify_otp", json={
        "mobile": body["mobile_no"], "otp": code}
        ).json["verification_token"]
    client.post("/tasks/register_user", json={
        **body, "verification_token": proof})


def test_s0_12_postgresql_holds_all_of_it(dev, fresh):
    """And nothing else does: one row a user, a task and a code."""
    phone = new_phone()
    one = fresh(phone=phone)
    task = one.task()
    docket.send_otp(one, new_phone())
    for table, column, value in (("users", "id", one.id),
                                 ("tasks", "id", task["id"])):
        assert dev.sql(f"SELECT count(*) FROM docket.{table}"
                       f" WHERE {column} = :'v'", v=value) == [["1"]]
    # And whoever asks PostgreSQL who is there, finds the service.
    names = dev.sql("SELECT count(*) FROM pg_stat_activity WHERE usename ="
                    " 'docket_api' AND pid <> pg_backend_pid()")
    assert int(names[0][0]) >= 1


def test_s0_13_two_commands_set_it_up(dev):
    """The README's quick start is what this instance came from."""
    quick = README[README.index("## Two commands"):
                   README.index("## A five-minute tour")]
    commands = re.findall(r"^\./dev (\w+)", quick, re.M)
    assert commands == ["run", "test"]
    said = subprocess.run([ROOT / "dev", "help"], capture_output=True,
                          text=True, timeout=120, check=True).stdout
    for command in commands:
        assert f"./dev {command}" in said
    # What it made serves, and its first admin can log in.
    assert dev.url.startswith("https://localhost:")
    docket.login(dev, dev.admin["username"], dev.admin["password"]).close()


# --- S1 -------------------------------------------------------------------

def test_s1_10_users_are_inserted_and_updated(dev, fresh):
    """By the API, and by an import that does either."""
    one = fresh()
    name, email = new_name(), new_email()
    assert one.patch("/auth/me", json={"username": name}
                     ).json["username"] == name
    line = json.dumps({"username": name, "email": email}) + "\n"
    line += json.dumps({"username": new_name()}) + "\n"
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "user", "import",
         "--update", "-"], input=line, text=True, capture_output=True,
        timeout=60, check=False)
    assert done.stdout.startswith("2 added or updated"), done.stderr
    me = one.get("/auth/me").json
    assert (me["id"], me["username"], me["email"]) == (one.id, name, email)


def test_s1_10_codes_expire_and_are_purged(api, dev):
    old, young = new_phone(), new_phone()
    for phone in (old, young):
        api.post("/send-otp", json={"phone": phone})
    dev.sql("UPDATE docket.otps SET created_at = created_at - interval '3 d',"
            " updated_at = updated_at - interval '3 d',"
            " expires_at = expires_at - interval '3 d' WHERE address = :'a'",
            a=old)

    def kept(phone):
        return dev.sql("SELECT count(*) FROM docket.otps WHERE address ="
                       " :'a'", a=phone)[0][0]

    assert (kept(old), kept(young)) == ("1", "1")
    docket_says(dev, "gc")
    assert (kept(old), kept(young)) == ("0", "1")


def line_of(dev, id):
    """What the log has of one request."""
    found = wait_until(lambda: [line for line in dev.log().splitlines()
                                if f"rid={id}" in line], f"a line of {id}")
    assert len(found) == 1, found
    return found[0]


def named(name):
    return [("X-Request-Id", name)]


def test_s1_11_token_validation_is_logged(api, dev, alice):
    good, bad, none = (new_name() for _ in range(3))
    alice.get("/tasks", headers=named(good))
    api.get("/tasks", 401, token=alice.access[:-8] + "AAAAAAAA",
            headers=named(bad))
    api.get("/tasks", 401, headers=named(none))
    assert " status=200 " in line_of(dev, good)
    assert f" user={alice.id} " in line_of(dev, good)
    for id in (bad, none):
        line = line_of(dev, id)
        assert " route=getAllTasks status=401 " in line
        assert " user=- " in line


def test_s1_11_role_checks_are_logged(dev, alice, admin):
    refused, let_in = new_name(), new_name()
    alice.get("/admin-data", 403, headers=named(refused))
    admin.get("/admin-data", headers=named(let_in))
    assert " route=adminDataS1 status=403 " in line_of(dev, refused)
    assert f" user={alice.id} " in line_of(dev, refused)
    assert " route=adminDataS1 status=200 " in line_of(dev, let_in)


def test_s1_11_the_database_is_logged(strict, client):
    """A session of it that is lost, and one that takes its place."""
    log = len(strict.log())
    strict.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
               " usename = current_user AND pid <> pg_backend_pid() AND"
               " application_name LIKE 'docket%'")
    for event in ("db_lost", "db_ready"):
        wait_until(lambda: f" {event} application=" in strict.log()[log:],
                   f"log: {event}")
    # All of them are back, not one alone, before the next test asks.
    workers = len(strict.workers())
    wait_until(lambda: strict.log()[log:].count(" db_ready ") >= workers,
               "every worker's session")
    client.get("/readyz")


def test_s1_11_no_secret_is_logged(dev, api):
    phone, name = new_phone(), new_name()
    password = "password-" + new_name()
    ids = [new_name() for _ in range(4)]
    code = api.post("/send-otp", json={"phone": phone},
                    headers=named(ids[0])).json["otp"]
    api.post("/register", headers=named(ids[1]), json={
        "phone": phone, "username": name, "password": password,
        "otp": code})
    tokens = api.post("/token", headers=named(ids[2]), json={
        "username": name, "password": password}).json
    api.post("/token", headers=named(ids[3]), json={
        "refresh_token": tokens["refresh_token"]})
    for id in ids:
        assert not re.search(rf"(?<!us=)\b{code}\b", line_of(dev, id))
    logs = "".join(path.read_text(errors="replace")
                   for path in (dev.dir / "log").glob("*.log"))
    for secret in (password, tokens["access_token"], phone,
                   tokens["refresh_token"]):
        assert secret not in logs


def test_s1_13_settings_come_from_file_and_environment(strict):
    """The environment over the file, an option over both."""
    nowhere = "host=/nowhere"
    assert "admin" in docket_says(strict, "user", "list")
    docket_says(strict, "user", "list", status=os.EX_TEMPFAIL,
                DOCKET_DATABASE_DSN=nowhere)
    file = (strict.dir / "docket.conf").read_text()
    dsn = re.search(r'^\tdsn = "([^"]*)"', file, re.M)[1]
    assert "admin" in docket_says(
        strict, "--set", f"database.dsn={dsn}", "user", "list",
        DOCKET_DATABASE_DSN=nowhere)


def test_s1_13_dev_listens_on_loopback_alone(dev):
    """As the seed's http://127.0.0.1:8000 did."""
    found = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as file:
            for row in list(file)[1:]:
                local, state = row.split()[1], row.split()[3]
                address, port = local.split(":")
                if state == "0A" and int(port, 16) == dev.port:
                    found.add(address)
    assert found, f"nothing listens on {dev.port}"
    assert found <= {"0100007F", "0" * 24 + "01000000"}


def test_s1_13_the_sample_route_is_off_unless_asked_for(strict, client):
    assert SETTINGS["top.sample_routes"] == ("BOOL", "off")
    admin = docket.login(strict, strict.admin["username"],
                         strict.admin["password"])
    assert admin.get("/admin-data", 404).code == "not_found"
    # Nor is somebody who spells it otherwise told how to.
    assert "slash" not in admin.get("/admin-data/", 404).json["detail"]
    admin.close()


# --- S2 -------------------------------------------------------------------

def test_s2_9_many_at_once(dev, fresh):
    """What async was wanted for: several workers, PostgreSQL under them."""
    one = fresh()
    assert len(dev.workers()) >= 2

    def create():
        client = Client(dev)
        reply = client.post("/tasks", 201, token=one.access,
                            json={"title": "t"})
        client.close()
        return reply.json["task"]["number"]

    assert sorted(parallel([create] * 24)) == list(range(1, 25))


def test_s2_10_the_readme_has_the_five_parts(dev):
    """Setup, an account and a login, token and key, the API, an address;
    90_readme.py runs the lines."""
    assert "./dev run" in README[:README.index("## A five-minute tour")]
    shell = "\n".join(tour.blocks(README, "sh"))
    assert '"$URL/auth/register"' in shell and '"$URL/auth/token"' in shell
    both = [line for line in shell.splitlines()
            if "X-API-Key: 123456" in line]
    assert both and all('-H "$bearer"' in line for line in both)
    assert "`/openapi.json`" in README
    assert "https://localhost:8443" in README
    # Routers, services, models: a room is a directory, and each is listed.
    rooms = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    assert {"api", "web", "core", "store"} <= rooms


# --- S4 -------------------------------------------------------------------

@pytest.mark.parametrize("key", ["alpha", "YWxwaGE", ""])
def test_s4_7_a_weak_secret_is_refused(dev, tmp_path, key):
    ring = tmp_path / "jwt.keys"
    ring.write_text(f"current k1 HS256 {key}\n")
    ring.chmod(0o600)
    done = subprocess.run(
        [dev.docketd(), "-c", dev.dir / "docket.conf", "--check",
         "--set", "server.user=", "--set", f"auth.key_file={ring}"],
        text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == os.EX_CONFIG, done.stdout
    assert "jwt.keys:1:" in done.stderr, done.stderr
    assert "alpha" not in done.stderr


def test_s4_7_nothing_turns_authentication_off(dev):
    """AUTH_ENABLE has no heir."""
    names = [name for name in SETTINGS if re.search(
        r"enable|disable|anonymous|insecure|no_auth", name)]
    assert names == ["limits.requests_anonymous"]
    for setting in ("auth.enable=off", "auth.tasks_auth=none",
                    "auth.tasks_auth=off", "auth.tasks_auth="):
        done = subprocess.run(
            [dev.docketd(), "-c", dev.dir / "docket.conf", "--check",
             "--set", setting], text=True, capture_output=True, timeout=120,
            check=False)
        assert done.returncode == os.EX_CONFIG, setting


def test_s4_7_s4_8_a_reload_changes_the_lifetime(strict):
    """ACCESS_TOKEN_EXPIRE_MINUTES is a setting; nobody is logged out."""
    one = docket.login(strict, strict.admin["username"],
                       strict.admin["password"])
    path = strict.dir / "conf.d" / "lifetime.conf"
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text("auth {\n\taccess_ttl = 120\n}\n")
    path.chmod(0o644)
    reload(strict)
    pair = one.post("/auth/refresh", json={"refresh_token": one.refresh}
                    ).json
    claims = jwt_parts(pair["access_token"])[1]
    assert claims["exp"] - claims["iat"] == pair["expires_in"] == 120
    one.get("/tasks")
    path.unlink()
    reload(strict)
    one.close()


def test_s4_8_jobs_wait_in_the_database(strict, client):
    """The queue of the courier, in Celery's place: a request does not wait
    for it, and what could not be sent then is sent later."""
    def letters():
        return json.loads(docket_says(strict, "queue", "list", "--json"))[
            "letters"]

    wait_until(lambda: not letters(), "what others have sent to be gone")
    docket_says(strict, "queue", "hold", "--channel", "sms")
    phones = [new_phone() for _ in range(3)]
    for phone in phones:
        client.post("/send-otp", json={"phone": phone})
    assert len(letters()) == 3
    assert not any(strict.messages(phone) for phone in phones)
    docket_says(strict, "queue", "retry", "--channel", "sms")
    for phone in phones:
        assert len(wait_until(lambda p=phone: strict.messages(p),
                              f"a message for {phone}")) == 1
    docket_says(strict, "queue", "list")
