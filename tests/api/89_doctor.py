# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket doctor and docket check: each fault is seen, named, and has a next
step; the rest is looked at all the same."""

import contextlib
import grp
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import docket
import host as hosts
import tour

CHECKS = ["clock", "keys", "key-files", "hashing", "disk", "database",
          "durability", "connections", "rights", "schema", "sweeping",
          "messages", "breaker", "service", "listing", "nginx", "proxy",
          "certificate"]
# The machine's own, which is now so and now otherwise.
OF_MACHINE = ("clock", "hashing", "disk")
OF_DATABASE = {"database", "durability", "connections", "rights", "schema",
               "sweeping", "messages", "breaker", "proxy"}


@pytest.fixture(scope="module")
def host(dev):
    made = hosts.Host(dev.docket())
    said = made.setup()
    assert said.returncode == 0, said.stderr
    made.super("ALTER SYSTEM SET fsync = on",
               "ALTER SYSTEM SET full_page_writes = on",
               "SELECT pg_reload_conf()")
    for name in ("fsync", "full_page_writes"):
        docket.wait_until(
            lambda name=name: made.super(f"SHOW {name}") == ["on"], name)
    made.serve()
    docket.wait_until(lambda: "OK    service" in made.conf("doctor").stdout,
                      "the host to serve", 30 * docket.SLOW)
    yield made
    made.end()


def doctor(host, *words):
    """{check: row}, and the status."""
    said = host.conf("doctor", "--json", "--nginx",
                     host.path("etc/nginx/nginx.conf"), "--dir",
                     host.share / "migrations", *words)
    rows = json.loads(said.stdout)
    assert said.returncode == max(
        {"OK": 0, "WARN": 1, "FAIL": 2}[row["level"]] for row in rows)
    for row in rows:
        assert set(row) == {"check", "level", "detail", "next"}
        assert (row["next"] is None) == (row["level"] == "OK"), row
    return {row["check"]: row for row in rows}


def is_seen(host, check, level, *words):
    row = doctor(host)[check]
    assert row["level"] == level, row
    for word in words:
        assert word in row["detail"] + row["next"], row


def owner(host, *statements):
    return host.super(*statements, database="docket")


@contextlib.contextmanager
def file_as(path, text):
    old = path.read_bytes()
    path.write_text(text)
    yield
    path.write_bytes(old)


def test_a_host_that_was_set_up_is_well(host):
    rows = doctor(host)
    assert list(rows) == CHECKS
    # Nobody trusts the certificate yet.
    assert rows.pop("certificate")["level"] == "WARN"
    for check in OF_MACHINE:
        rows.pop(check)
    assert {row["level"] for row in rows.values()} == {"OK"}, rows


def test_the_text_says_what_the_json_says(host):
    rows = doctor(host)
    said = host.conf("doctor", "--nginx", host.path("etc/nginx/nginx.conf"),
                     "--dir", host.share / "migrations").stdout
    told = {line.split()[1]: (line.split()[0], " next: " in line)
            for line in said.replace("\n ", " ").splitlines()}
    assert list(told) == CHECKS
    for check in set(CHECKS) - set(OF_MACHINE):
        row = rows[check]
        assert told[check] == (row["level"], row["next"] is not None), check


def test_keys_that_others_may_read(host):
    for name in ("secret.key", "jwt.keys"):
        path = host.path(f"etc/docket/{name}")
        path.chmod(0o640)
        is_seen(host, "key-files", "FAIL", str(path), "640", "chmod 600")
        is_seen(host, "keys", "FAIL", str(path))
        path.chmod(0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_host_that_was_not_set_up(host):
    row = doctor(host, "--set", "server.secret_file=/nowhere/secret.key",
                 "--set", "auth.key_file=/nowhere/jwt.keys")["keys"]
    assert row["level"] == "FAIL" and "docket setup" in row["next"], row
    row = doctor(host, "--set",
                 "server.secret_file=/nowhere/secret.key")["keys"]
    assert "docket restore" in row["next"], row


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_keys_of_somebody_else(host):
    path = host.path("etc/docket/jwt.keys")
    before = path.stat()
    os.chown(path, 12345, 12345)
    is_seen(host, "key-files", "WARN", "12345")
    os.chown(path, before.st_uid, before.st_gid)


def test_a_key_that_is_too_short_or_too_old(host):
    secret = host.path("etc/docket/secret.key")
    with file_as(secret, "c2hvcnQ\n"):
        is_seen(host, "keys", "FAIL", str(secret))
    ring = host.path("etc/docket/jwt.keys")
    with file_as(ring, "# since 2020-01-01T00:00:00.000Z\n" +
                 ring.read_text().splitlines()[-1] + "\n"):
        is_seen(host, "keys", "WARN", "signs since", "docket key generate")


@pytest.fixture
def small(tmp_path):
    """A filesystem of one megabyte and a hundred files."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=100,mode=755",
         "docket", tmp_path], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no filesystem of its own: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("what, next_", [("bytes", "df -h"),
                                         ("inodes", "df -i")])
def test_a_disk_that_fills(host, small, what, next_):
    def seen():
        return doctor(host, "--set", f"courier.spool_dir={small}")["disk"]

    assert str(small) in seen()["detail"] or seen()["level"] != "OK"

    def fill(share):
        if what == "bytes":
            (small / "filler").write_bytes(bytes(share * 1024 * 1024 // 100))
        for n in range(share if what == "inodes" else 0):
            (small / str(n)).touch()

    for share, level in ((93, "WARN"), (98, "FAIL")):
        fill(share)
        row = seen()
        if str(small) not in row["detail"]:
            pytest.skip(f"the machine's own disk is worse: {row['detail']}")
        assert row["level"] == level, row
        assert f"% of its {what} are free" in row["detail"], row
        assert row["next"].startswith(next_), row


def test_the_servers_own_disk_is_looked_at(host):
    """As root by its process; another who may see the setting, by that."""
    folder = host.cluster + "/data"

    def looked():
        row = doctor(host)["disk"]
        if row["level"] != "OK":
            pytest.skip(f"the machine's own disk: {row['detail']}")
        return row["detail"].split(": ")[1].split(", ")

    if os.geteuid() == 0:
        assert looked()[:2] == [folder, folder + "/pg_wal"]
    owner(host, "GRANT pg_read_all_settings TO docket_api")
    assert folder in looked()
    owner(host, "REVOKE pg_read_all_settings FROM docket_api")
    away = doctor(host, "--set", "database.dsn=host=/nowhere")["disk"]
    assert folder not in away["detail"]


def test_a_database_that_would_lose_what_it_took(host):
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        host.super(f"ALTER SYSTEM SET {name} = off",
                   "SELECT pg_reload_conf()")
        docket.wait_until(
            lambda name=name: host.super(f"SHOW {name}") == ["off"], name)
        is_seen(host, "durability", "FAIL", name)
        host.super(f"ALTER SYSTEM SET {name} = on", "SELECT pg_reload_conf()")
        docket.wait_until(
            lambda name=name: host.super(f"SHOW {name}") == ["on"], name)


def test_a_database_that_takes_no_write(host):
    """The service can read, and would say that all is well."""
    host.super("ALTER ROLE docket_api SET default_transaction_read_only = on")
    is_seen(host, "database", "FAIL", "read-only", "RESET")
    host.super("ALTER ROLE docket_api RESET default_transaction_read_only")
    is_seen_ok(host, "database")


def test_more_connections_than_there_are(host):
    row = doctor(host, "--set", "server.workers=256")["connections"]
    assert row["level"] == "FAIL" and "max_connections" in row["next"]


@pytest.mark.parametrize("grant, back, words", [
    ("ALTER ROLE docket_api SUPERUSER", "ALTER ROLE docket_api NOSUPERUSER",
     "is a superuser"),
    ("ALTER ROLE docket_api CREATEROLE", "ALTER ROLE docket_api NOCREATEROLE",
     "may make roles"),
    ("GRANT DELETE ON docket.audit TO docket_api",
     "REVOKE DELETE ON docket.audit FROM docket_api",
     "may change the audit trail"),
    ("GRANT SELECT ON docket.outbox TO docket_api",
     "REVOKE SELECT ON docket.outbox FROM docket_api",
     "may read what the courier sends"),
    ("GRANT docket_owner TO docket_api", "REVOKE docket_owner FROM docket_api",
     "owns the schema"),
    ("GRANT CREATE ON SCHEMA docket TO docket_api",
     "REVOKE CREATE ON SCHEMA docket FROM docket_api",
     "may create in the schema")])
def test_rights_beyond_the_work(host, grant, back, words):
    owner(host, grant)
    is_seen(host, "rights", "FAIL", words)
    owner(host, back)
    is_seen_ok(host, "rights")


def is_seen_ok(host, check):
    assert doctor(host)[check]["level"] == "OK"


def test_a_schema_that_is_behind_or_ahead(host, tmp_path):
    [last] = owner(host, "SELECT max(number) FROM docket.migrations")
    for path in (docket.ROOT / "sql/migrations").glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    more = tmp_path / f"{int(last) + 1:04}_more.sql"
    more.write_text("-- later\n")
    row = doctor(host, "--dir", tmp_path)["schema"]
    assert row["level"] == "FAIL" and row["next"] == "docket migrate", row
    more.unlink()
    next(tmp_path.glob(f"{int(last):04}_*")).unlink()
    row = doctor(host, "--dir", tmp_path)["schema"]
    assert row["level"] == "FAIL" and "only" in row["detail"], row


def test_sweeping_that_does_not_happen(host):
    owner(host, "INSERT INTO docket.attempts SELECT * FROM"
          " jsonb_populate_record(NULL::docket.attempts, (SELECT"
          " jsonb_object_agg(attname, CASE"
          " WHEN atttypid = 'timestamptz'::regtype"
          " THEN to_jsonb(now() - interval '8 h')"
          " WHEN atttypid IN ('int4'::regtype, 'int8'::regtype)"
          " THEN to_jsonb(1) ELSE to_jsonb('x'::text) END)"
          " FROM pg_attribute WHERE attrelid = 'docket.attempts'::regclass"
          " AND attnum > 0 AND NOT attisdropped))")
    is_seen(host, "sweeping", "WARN", "docket gc", "docket-gc.timer")
    assert host.conf("gc").returncode == 0
    is_seen_ok(host, "sweeping")


def test_messages_that_nobody_takes_and_a_breaker_that_is_open(host):
    owner(host, "INSERT INTO docket.outbox SELECT * FROM"
          " jsonb_populate_record(NULL::docket.outbox, (SELECT"
          " jsonb_object_agg(attname, CASE attname"
          " WHEN 'id' THEN to_jsonb(gen_random_uuid())"
          " WHEN 'channel' THEN '\"sms\"' WHEN 'wanted' THEN 'true'"
          " WHEN 'leased' THEN 'false' WHEN 'tries' THEN '0'"
          " WHEN 'expires_at' THEN to_jsonb(now() + interval '1 h')"
          " ELSE CASE WHEN atttypid = 'timestamptz'::regtype"
          " THEN to_jsonb(now() - interval '5 min')"
          " WHEN atttypid = 'bytea'::regtype THEN '\"\\\\x00\"'"
          " ELSE '\"otp\"' END END)"
          " FROM pg_attribute WHERE attrelid = 'docket.outbox'::regclass"
          " AND attnum > 0 AND NOT attisdropped))")
    is_seen(host, "messages", "WARN", "docket-courier")
    owner(host, "UPDATE docket.outbox SET next_at = now() - interval '1 h'")
    is_seen(host, "messages", "FAIL", "docket queue list")
    owner(host, "DELETE FROM docket.outbox",
          "UPDATE docket.courier_lanes SET opened_at = now(), open_until ="
          " now() + interval '1 min' WHERE channel = 'sms'")
    is_seen(host, "breaker", "FAIL", "sms")
    owner(host, "UPDATE docket.courier_lanes SET opened_at = NULL,"
          " open_until = NULL, held_at = now()")
    is_seen(host, "breaker", "WARN", "held", "docket queue retry")
    owner(host, "UPDATE docket.courier_lanes SET held_at = NULL")


def test_a_proxy_that_hides_everybody(host):
    owner(host, "INSERT INTO docket.sessions (id, user_id, idle_until,"
          " absolute_until, ip) SELECT gen_random_uuid(), u.id, now(), now(),"
          " '10.1.2.3' FROM docket.users u, generate_series(1, 30)")
    is_seen(host, "proxy", "WARN", "set_real_ip_from")
    owner(host, "UPDATE docket.sessions SET ip = '198.51.100.' ||"
          " (ascii(id::text) % 7)")
    is_seen_ok(host, "proxy")


@pytest.mark.parametrize("name", ["socket", "auth_socket"])
def test_a_group_that_does_not_answer(host, name):
    row = doctor(host, "--set", f"server.{name}=/nowhere/x.sock")["service"]
    assert row["level"] == "FAIL" and "/nowhere/x.sock" in row["detail"]
    assert "systemctl status docket" in row["next"]


def test_a_listing_that_is_not_the_settings(host):
    path = host.path("etc/docket/nginx-routes.conf")
    with file_as(path, path.read_text() + "# mine\n"):
        is_seen(host, "listing", "FAIL", str(path), "docketd --nginx")
        said = host.conf("check")
        assert said.returncode == 78 and str(path) in said.stderr
    assert doctor(host, "--set", "limits.requests_client=7")["listing"][
        "level"] == "FAIL"


def test_an_nginx_that_does_not_serve_it(host):
    enabled = host.path("etc/nginx/sites-enabled/docket")
    to = os.readlink(enabled)
    enabled.unlink()
    is_seen(host, "nginx", "WARN", "docket setup")
    enabled.write_text("nonsense;\n")
    is_seen(host, "nginx", "FAIL", "nginx -t")
    enabled.unlink()
    enabled.symlink_to(to)
    conf = host.path("etc/nginx/nginx.conf")
    with file_as(conf, conf.read_text().replace("4096;", "768;")):
        is_seen(host, "nginx", "WARN", "worker_connections 4096")


def test_an_nginx_that_does_not_run(host):
    """Its configuration is good, and nobody is served."""
    path = host.path("nginx/nginx.pid")
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    with file_as(path, f"{gone.pid}\n"):
        is_seen(host, "nginx", "FAIL", "does not run", "systemctl start nginx")
    pid = path.read_bytes()
    path.unlink()
    is_seen(host, "nginx", "FAIL", "does not run")
    path.write_bytes(pid)
    assert doctor(host)["nginx"]["level"] == "OK"


def test_a_certificate_that_is_none(host):
    path = host.path("etc/docket/tls/self-signed.pem")
    with file_as(path, "nonsense\n"):
        is_seen(host, "certificate", "FAIL", "no certificate in it")


@pytest.mark.parametrize("days, level", [("1", "FAIL"), ("10", "WARN")])
def test_a_certificate_that_ends(host, days, level):
    path = host.path("etc/docket/tls/self-signed.pem")
    old = path.read_text()
    subprocess.run(
        ["openssl", "req", "-x509", "-key", str(path)[:-3] + "key", "-days",
         days, "-subj", "/CN=x", "-addext",
         f"subjectAltName=DNS:{hosts.DOMAIN}", "-out", path], check=True,
        capture_output=True, timeout=120)
    is_seen(host, "certificate", level, "certbot renew")
    path.write_text(old)


@pytest.mark.parametrize("made", [
    ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ["genpkey", "-algorithm", "RSA"]], ids=["alike", "another kind"])
def test_a_certificate_with_another_key(host, made):
    """nginx minds the first alone; with the other nobody gets through."""
    key = subprocess.run(["openssl", *made], check=True, text=True,
                         capture_output=True, timeout=60).stdout
    with file_as(host.path("etc/docket/tls/self-signed.key"), key):
        is_seen(host, "certificate", "FAIL", "key.pem",
                "not the certificate's key", "docket setup")
    with file_as(host.path("etc/docket/tls/self-signed.key"), "nonsense"):
        is_seen(host, "certificate", "FAIL", "no private key")


def test_a_certificate_of_somebody_else(host):
    row = doctor(host, "--set", "server.public_url=https://other.example")
    assert row["certificate"]["level"] == "FAIL"
    assert "other.example" in row["certificate"]["detail"]


def test_the_runbook_begins_here(host, tmp_path):
    """Its first lines find where figures are, whatever the host is called."""
    page = (docket.ROOT / "docs/runbook.md").read_text()
    (tmp_path / "docket").write_text(
        f"#!/bin/sh\nexec {host.program} -c"
        f" {host.path('etc/docket/docket.conf')} \"$@\"\n")
    (tmp_path / "docket").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euc", tour.blocks(page, "sh")[0] +
         "metrics database_up; echo $URL $CA"], text=True, timeout=60,
        capture_output=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "docket_database_up 1\n" \
        f"https://{hosts.DOMAIN}:{host.port} /etc/docket/tls/cert.pem\n"


def test_check_names_all_faults_at_once(host):
    assert host.conf("check").returncode == 0
    secret, ring = (host.path(f"etc/docket/{name}")
                    for name in ("secret.key", "jwt.keys"))
    secret.chmod(0o644)
    ring.chmod(0o644)
    folder = host.path("templates")
    folder.mkdir()
    (folder / "otp.sms.en.txt").write_text("{{nonsense}}\n")
    said = host.conf("check", "--set", f"courier.template_dir={folder}")
    secret.chmod(0o600)
    ring.chmod(0o600)
    assert said.returncode == 78
    for words in (str(secret), str(ring), "otp.sms.en.txt"):
        assert words in said.stderr, said.stderr
    said = host.conf("check", "--set", "otp.ttl=1", "--set", "otp.length=99")
    assert said.returncode == 78
    assert "otp.ttl" in said.stderr and "otp.length" in said.stderr


COURIER = 64123


@pytest.fixture
def apart(host, tmp_path):
    """docket check where the courier has an account of its own, as its package
    makes it: in a mount namespace, whose list of accounts has it."""
    if os.geteuid():
        pytest.skip("needs root")
    group = grp.getgrgid(host.path("etc/docket").stat().st_gid).gr_name
    lists = {}
    for name, line in (
            ("passwd", f"docket-courier:x:{COURIER}:{COURIER}::/:/bin/false"),
            ("group", f"docket-courier:x:{COURIER}:")):
        old = pathlib.Path("/etc", name).read_text()
        # Of the group that may read the settings.
        old = re.sub(rf"^({group}:\w*:\d+:)", r"\1docket-courier,", old,
                     flags=re.M) if name == "group" else old
        lists[name] = tmp_path / name
        lists[name].write_text(old + line + "\n")
        lists[name].chmod(0o644)
    script = ('mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group'
              ' && shift 2 && exec "$@"')

    def inside(*words):
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             script, "sh", lists["passwd"], lists["group"], *words],
            capture_output=True, text=True, timeout=120 * docket.SLOW)

    done = inside("id", "-u", "docket-courier")
    if done.returncode:
        pytest.skip(f"no mounts of its own: {done.stderr.strip()}")
    assert done.stdout == f"{COURIER}\n"
    # As systemd leaves it (StateDirectory).
    spool = host.path("var/lib/docket/spool")
    before = spool.stat()
    os.chown(spool, COURIER, COURIER)
    yield lambda *words: inside(
        host.program, "-c", str(host.path("etc/docket/docket.conf")),
        "check", *map(str, words))
    os.chown(spool, before.st_uid, before.st_gid)


def test_check_looks_with_the_couriers_own_eyes(host, apart):
    """What the service may read and the courier may not is a fault; the
    secret, which its unit hands over, is none."""
    said = apart()
    assert said.returncode == 0, said.stderr
    folder = host.path("ours")
    folder.mkdir()
    shutil.chown(folder, host.user)
    folder.chmod(0o700)
    words = ["--set", f"courier.template_dir={folder}"]
    said = host.conf("check", *words, "--set", f"courier.spool_dir={folder}")
    assert said.returncode == 0, said.stderr
    said = apart(*words)
    assert said.returncode == 78
    assert said.stderr.startswith("docket: docket-courier: ")
    assert str(folder) in said.stderr and "denied" in said.stderr
    # Its spool is not the service's to write.
    assert "spool_dir" in host.conf("check").stderr


def test_a_bad_secret_is_told_by_its_own_name(host, apart):
    secret = host.path("etc/docket/secret.key")
    with file_as(secret, "c2hvcnQ\n"):
        said = apart()
    assert said.returncode == 78
    told = [line for line in said.stderr.splitlines() if str(secret) in line]
    assert [line.split(": ")[1] for line in told] == [
        "docketd", "docket-courier"], said.stderr
    assert "/dev/" not in said.stderr


def test_settings_with_faults_are_a_row(host):
    said = host.conf("doctor", "--json", "--set", "otp.ttl=1")
    assert said.returncode == 2
    [row] = json.loads(said.stdout)
    assert row["check"] == "settings" and "docket check" in row["next"]


def test_at_three_in_the_morning(host):
    """The database is away: the rest is looked at all the same."""
    before = doctor(host)
    row = doctor(host, "--set",
                 "database.dsn=host=/nowhere dbname=docket user=docket_api",
                 "--set", "database.courier_dsn=host=/nowhere dbname=docket")
    assert list(row) == CHECKS
    for check in CHECKS:
        if check in OF_DATABASE:
            assert row[check]["level"] == "FAIL", row[check]
            assert "answer" in row[check]["detail"]
        elif check not in OF_MACHINE:
            assert row[check]["level"] == before[check]["level"]
    assert "postgresql" in row["database"]["next"]
