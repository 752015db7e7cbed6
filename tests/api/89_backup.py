# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket backup and docket restore: a backup taken while people write comes
back whole elsewhere, and what was altered is refused by name."""

import hashlib
import os
import pathlib
import pty
import re
import shutil
import signal
import ssl
import subprocess
import threading

import pytest

import docket
import host as hosts


def cli(dev, *words, conf=None, **more):
    return subprocess.run(
        [dev.docket(), "-c", conf or dev.dir / "docket.conf",
         *map(str, words)], text=True, capture_output=True,
        timeout=120 * docket.SLOW,
        stdin=subprocess.DEVNULL, **more)


@pytest.fixture(scope="module")
def written(dev, tmp_path_factory):
    """A backup of the instance, taken while somebody writes; who has what."""
    who = docket.person(dev, password="correct horse battery")
    for number in range(20):
        who.task(f"task {number}")
    stop, errors = threading.Event(), []

    def write():
        other = docket.person(dev)
        try:
            while not stop.is_set():
                other.task("meanwhile")
        except BaseException as error:
            errors.append(error)
        other.close()

    load = threading.Thread(target=write)
    load.start()
    folder = tmp_path_factory.mktemp("backup") / "first"
    said = cli(dev, "backup", folder)
    stop.set()
    load.join(30 * docket.SLOW)
    assert said.returncode == 0, said.stderr
    assert not errors, errors
    yield folder, who
    who.close()


@pytest.fixture(scope="module")
def host(dev):
    made = hosts.Host(dev.docket())
    said = made.setup()
    assert said.returncode == 0, said.stderr
    yield made
    made.end()


def restore(host, folder, *words):
    return host.conf("restore", folder, "--dir", host.share / "migrations",
                     *words)


def count(host, what="users"):
    """-1: there is no such table."""
    [n] = host.super("SELECT CASE WHEN to_regclass('docket." + what + "')"
                     " IS NULL THEN -1 ELSE (xpath('/row/c/text()',"
                     " query_to_xml('SELECT count(*) AS c FROM docket."
                     + what + "', false, true, '')))[1]::text::int END",
                     database="docket")
    return int(n)


def test_it_is_whole_and_its_owners_alone(dev, written):
    folder, _ = written
    paths = [p for p in folder.rglob("*")]
    names = {str(p.relative_to(folder)) for p in paths if p.is_file()}
    assert {"SHA256SUMS", "manifest", "database.dump", "keys/secret.key",
            "keys/jwt.keys", "settings/docket.conf"} <= names
    for path in [folder, *paths]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert not list(folder.parent.glob("first.*"))
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder,
                   check=True, capture_output=True, timeout=60)
    lines = dict(line.split(" ", 1) for line in
                 (folder / "manifest").read_text().splitlines())
    [[last]] = dev.sql("SELECT max(number) FROM docket.migrations")
    assert lines["backup"] == "1" and lines["migration"] == last


def test_without_keys(dev, tmp_path):
    said = cli(dev, "backup", tmp_path / "bare", "--no-keys")
    assert said.returncode == 0, said.stderr
    assert not list((tmp_path / "bare/keys").iterdir())
    assert "keys/" not in (tmp_path / "bare/SHA256SUMS").read_text()


def test_nothing_half_is_left(dev, tmp_path):
    (tmp_path / "there").mkdir()
    assert cli(dev, "backup", tmp_path / "there").returncode == 73
    said = cli(dev, "backup", tmp_path / "none", "--set",
               "auth.key_file=/nowhere/jwt.keys")
    assert said.returncode == 66 and "/nowhere/jwt.keys" in said.stderr
    said = cli(dev, "backup", tmp_path / "none", "--set",
               "database.owner_dsn=host=/nowhere dbname=docket")
    assert said.returncode == 75
    assert [p.name for p in tmp_path.iterdir()] == ["there"]
    assert cli(dev, "backup", "/nowhere/at/all").returncode == 73


@pytest.mark.parametrize("dsn", [
    "host=x password=hunter22", "postgresql://u:hunter22@localhost/docket",
    "host=x password = 'hunter22'", "postgresql://h/d?password=hunter22",
    "postgresql://h/d?pass%77ord=hunter22", "host=x sslpassword=hunter22"])
def test_no_password_goes_into_arguments(dev, tmp_path, dsn):
    said = cli(dev, "backup", tmp_path / "x", "--set",
               f"database.owner_dsn={dsn}")
    assert said.returncode == 78
    assert "passfile" in said.stderr and "hunter22" not in said.stderr


@pytest.mark.parametrize("dsn", [
    "host=/nowhere dbname=password_store", "host=/nowhere user=password",
    "postgresql:///password?host=/nowhere",
    "host=/nowhere passfile=/etc/docket/password",
    "host=/nowhere application_name='a password=x'"])
def test_a_word_is_no_password(dev, tmp_path, dsn):
    """They are refused where the database is, and no sooner."""
    said = cli(dev, "backup", tmp_path / "x", "--set",
               f"database.owner_dsn={dsn}")
    assert said.returncode == 75, said.stderr
    assert "/nowhere" in said.stderr and "passfile" not in said.stderr


def test_a_string_that_is_none_is_not_quoted(dev, tmp_path):
    for dsn in ("host=x hunter22", "postgresql://h/d?%zz=hunter22",
                "host=x 'password=hunter22"):
        said = cli(dev, "backup", tmp_path / "x", "--set",
                   f"database.owner_dsn={dsn}")
        assert said.returncode == 78, said.stderr
        assert "libpq cannot read it" in said.stderr
        assert "hunter22" not in said.stderr


def altered(folder, to):
    shutil.copytree(folder, to)
    return to


def resum(folder):
    """As somebody would who knows how."""
    lines = []
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        name = line[66:]
        lines.append(hashlib.sha256((folder / name).read_bytes()).hexdigest()
                     + "  " + name)
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def flip(path):
    bytes_ = bytearray(path.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    path.write_bytes(bytes_)


@pytest.mark.parametrize("name", ["database.dump", "manifest",
                                  "keys/jwt.keys", "settings/docket.conf"])
@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_what_was_altered_is_refused_by_name(host, written, tmp_path, name,
                                             how):
    folder = altered(written[0], tmp_path / "b")
    path = folder / name
    if how == "flip":
        flip(path)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    before = count(host)
    said = restore(host, folder, "--replace", "--keys")
    assert said.returncode == 65
    assert str(path) in said.stderr
    assert count(host) == before


def test_all_that_was_altered_is_named_at_once(host, written, tmp_path):
    folder = altered(written[0], tmp_path / "b")
    flip(folder / "database.dump")
    flip(folder / "keys/secret.key")
    said = restore(host, folder, "--replace")
    assert str(folder / "database.dump") in said.stderr
    assert str(folder / "keys/secret.key") in said.stderr


@pytest.mark.parametrize("line", [
    "0" * 64 + "  ../../etc/passwd", "0" * 64 + "  /etc/passwd", "nonsense",
    "0" * 64, "0" * 64 + "  ", "0" * 64 + "  \x1b]0;x\x07", "\n" * 70])
def test_sums_that_nobody_wrote(host, written, tmp_path, line):
    folder = altered(written[0], tmp_path / "b")
    with open(folder / "SHA256SUMS", "a", encoding="utf-8") as f:
        f.write(line + "\n")
    said = restore(host, folder, "--replace")
    assert said.returncode == 65 and "SHA256SUMS" in said.stderr


def test_of_a_later_version_or_another_form(host, written, tmp_path):
    for old, new in (("migration ", "migration 9"), ("backup 1", "backup 2"),
                     ("migration", "nothing")):
        folder = altered(written[0], tmp_path / new.replace(" ", ""))
        path = folder / "manifest"
        path.write_text(path.read_text().replace(old, new))
        resum(folder)
        before = count(host)
        said = restore(host, folder, "--replace")
        assert said.returncode == 65 and str(path) in said.stderr
        assert count(host) == before


def test_a_dump_that_is_none_changes_nothing(host, written, tmp_path):
    """Its sum is right, and pg_restore cannot read it to its end."""
    folder = altered(written[0], tmp_path / "b")
    path = folder / "database.dump"
    path.write_bytes(path.read_bytes()[:-2000])
    resum(folder)
    before = count(host)
    said = restore(host, folder, "--replace")
    assert said.returncode == 65 and "pg_restore" in said.stderr
    assert count(host) == before > 0


def test_what_is_no_backup_says_what_one_is(host, tmp_path):
    for folder in ("/nowhere/at/all", tmp_path, "relative"):
        said = restore(host, folder, "--replace")
        assert said.returncode == 66
        assert f"{folder}/SHA256SUMS" in said.stderr
        assert "docket backup wrote" in said.stderr
    said = host.conf("backup", "/nowhere/at/all")
    assert said.returncode == 73 and "the folder above" in said.stderr


RINGS = {
    "": "no current key",
    "current a HS256 c2hvcnQ\n": "keys/jwt.keys:1: shorter than 32 bytes",
    "current a HS256 " + "A" * 43 + "\nrubbish\n": "keys/jwt.keys:2: ",
    "next a HS256 bG9uZyBlbm91Z2ggdG8gYmUgYSBrZXkgb2YgMzIgYnl0ZXM\n":
        "no current key",
}


@pytest.mark.parametrize("name, text, why", [
    *(("keys/jwt.keys", text, why) for text, why in RINGS.items()),
    ("keys/secret.key", "c2hvcnQ\n", "keys/secret.key:1: shorter than"),
    ("keys/secret.key", "", "keys/secret.key: empty")])
@pytest.mark.parametrize("dry", [True, False])
def test_keys_that_cannot_serve_change_nothing(host, written, tmp_path, name,
                                               text, why, dry):
    """Their sums are right: somebody's mistake is in the backup."""
    folder = altered(written[0], tmp_path / "b")
    (folder / name).write_text(text)
    resum(folder)
    words = ["--replace"] + ["--dry-run"] * dry
    before, tree = count(host), hosts.tree(host.root)
    said = restore(host, folder, "--keys", *words)
    assert said.returncode == 65, said.stdout
    assert why in said.stderr and "/proc/" not in said.stderr, said.stderr
    assert "the service could not start with it" in said.stderr
    assert "without --keys" in said.stderr
    assert count(host) == before and hosts.tree(host.root) == tree
    # Those that stay here are not asked for.
    if dry:
        said = restore(host, folder, *words)
        assert said.returncode == 0, said.stderr


def test_a_bad_key_that_lacks_here_is_refused_too(host, written, tmp_path):
    folder = altered(written[0], tmp_path / "b")
    (folder / "keys/jwt.keys").write_text("rubbish\n")
    resum(folder)
    before = count(host)
    said = restore(host, folder, "--replace", "--set",
                   f"auth.key_file={host.path('etc/docket')}/other.keys")
    assert said.returncode == 65 and "docket setup" in said.stderr
    assert count(host) == before
    assert not host.path("etc/docket/other.keys").exists()


def test_a_place_that_keys_cannot_have_changes_nothing(host, written):
    before = count(host)
    said = restore(host, written[0], "--replace", "--set",
                   "auth.key_file=/nowhere/at/all/jwt.keys")
    assert said.returncode == 73
    assert "/nowhere/at/all: " in said.stderr
    assert "docket setup makes it" in said.stderr
    assert count(host) == before


def test_a_database_that_is_not_empty_is_kept(host, written):
    before = count(host)
    said = restore(host, written[0])
    assert said.returncode == 73 and "--replace" in said.stderr
    assert count(host) == before


def test_a_dry_run_says_it_and_changes_nothing(host, written):
    before, tree = count(host), hosts.tree(host.root)
    said = restore(host, written[0], "--replace", "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "replaced" in said.stdout and "--keys" in said.stdout
    assert "Nothing was changed" in said.stdout
    assert count(host) == before and hosts.tree(host.root) == tree


def test_a_failure_in_the_middle_takes_all_of_it_back(host, written):
    """When most of it is there, an index is refused."""
    host.super("CREATE TABLE docket.stranger (x int)",
               "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE"
               " plpgsql AS $$BEGIN RAISE 'not today'; END$$",
               "CREATE EVENT TRIGGER no ON ddl_command_start"
               " WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.no()",
               database="docket")
    before = count(host)
    said = restore(host, written[0], "--replace")
    assert said.returncode == 69
    assert "not today" in said.stderr and "nothing was changed" in said.stderr
    assert count(host) == before and count(host, "stranger") == 0
    host.super("DROP EVENT TRIGGER no", "DROP FUNCTION public.no()",
               database="docket")


def test_a_dump_cannot_name_a_program(host, written, tmp_path):
    """A line that psql would obey, in the place of one of the dump's."""
    folder = altered(written[0], tmp_path / "b")
    path, made = folder / "database.dump", pathlib.Path(f"/tmp/dk{os.getpid()}")
    whole = path.read_bytes()
    old = re.search(rb"CREATE INDEX [^;]{30,}?;", whole)[0]
    path.write_bytes(whole.replace(old, f"\\! >{made}\n".encode().ljust(
        len(old)), 1))
    resum(folder)
    before = count(host)
    said = restore(host, folder, "--replace")
    assert not made.exists()
    assert said.returncode == 69 and "nothing was changed" in said.stderr
    assert "restrict" in said.stderr
    assert count(host) == before


def test_who_ends_it_ends_the_transaction(host, written):
    """Told to stop when most of it is there; then somebody who holds a
    table."""
    host.super("CREATE FUNCTION public.slow() RETURNS event_trigger LANGUAGE"
               " plpgsql AS $$BEGIN PERFORM pg_sleep(600); END$$",
               "CREATE EVENT TRIGGER slow ON ddl_command_start"
               " WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.slow()",
               database="docket")
    before = count(host)
    running = subprocess.Popen(
        [host.program, "-c", host.path("etc/docket/docket.conf"), "restore",
         written[0], "--dir", host.share / "migrations", "--replace"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    docket.wait_until(lambda: host.super(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        == ["1"], "the middle of it")
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 69, said
    assert "nothing was changed" in said
    assert count(host) == before
    host.super("DROP EVENT TRIGGER slow", "DROP FUNCTION public.slow()",
               database="docket")


def test_it_does_not_wait_for_ever(host, written):
    holder = subprocess.Popen(
        [docket.psql(), "-X", "-d", f"host={host.cluster} user=postgres"
         " dbname=docket", "-c", "BEGIN; LOCK docket.tasks; SELECT"
         " pg_sleep(600)"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    docket.wait_until(lambda: host.super(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        == ["1"], "a lock")
    said = restore(host, written[0], "--replace")
    host.super("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
               " WHERE wait_event = 'PgSleep'")
    holder.wait(120)
    assert said.returncode == 69 and "lock timeout" in said.stderr


def shown(*words):
    """What a terminal is shown on standard error."""
    main, other = pty.openpty()
    done = subprocess.run(list(map(str, words)), stderr=other,
                          stdout=subprocess.PIPE, timeout=120, check=True)
    os.close(other)
    text = os.read(main, 65536).decode()
    os.close(main)
    assert b"\r" not in done.stdout
    return text


def test_a_bar_for_people(dev, host, written, tmp_path):
    said = shown(dev.docket(), "-c", dev.dir / "docket.conf", "backup",
                 tmp_path / "b", "--no-keys")
    assert re.search(r"dumped: \d+ MB", said), said
    said = shown(host.program, "-c", host.path("etc/docket/docket.conf"),
                 "restore", written[0], "--dir", host.share / "migrations",
                 "--replace")
    assert "[" + "#" * 30 + "] 100 %  into the database" in said


def test_it_comes_back_with_people_tasks_and_sessions(host, written):
    """The keys too: a session from there goes on here."""
    folder, who = written
    said = restore(host, folder, "--replace", "--keys")
    assert said.returncode == 0, said.stdout + said.stderr
    assert count(host, "stranger") == -1
    assert (host.path("etc/docket/jwt.keys").read_bytes() ==
            (folder / "keys/jwt.keys").read_bytes())
    assert host.path("etc/docket/jwt.keys").stat().st_mode & 0o777 == 0o600
    # Names and claims are as they were there.
    host.serve()
    here = Here(host)
    here.ready()
    reply = here.post("/auth", 200, json={"username": who.user["username"],
                                          "password": who.password}).json
    mine = [task["title"] for task in here.get(
        "/tasks?limit=50", token=reply["access_token"]).json["tasks"]]
    assert mine == [f"task {number}" for number in range(20)]
    here.post("/auth/refresh", 200, json={"refresh_token": who.refresh})
    here.close()
    assert host.super("SELECT count(*) FROM docket.users u"
                      " JOIN docket.task_changes c ON c.user_id = u.id"
                      f" WHERE u.username = '{who.user['username']}'",
                      database="docket") == ["20"]
    said = host.conf("doctor", "--dir", host.share / "migrations")
    for line in said.stdout.splitlines():
        if " rights " in line or " schema " in line:
            assert line.startswith("OK"), line


class Here(docket.Client):
    """A client of the host, by what setup signed."""

    def __init__(self, host):
        where = type("Dev", (), {})()
        where.host, where.port = "localhost", host.port
        where.dir = host.path("etc/docket/tls")
        super().__init__(where)
        self.tls_file = host.path("etc/docket/tls/cert.pem")
        where.tls = self.tls

    def tls(self):
        context = ssl.create_default_context(cafile=str(self.tls_file))
        context.check_hostname = False
        return context

    def ready(self):
        def answers():
            try:
                return self.get("/readyz", None, check=False).status == 200
            except OSError:
                self.close()
                return False

        docket.wait_until(answers, "the host to serve", 60 * docket.SLOW)


def test_under_a_service_that_runs_it_is_refused(host, written):
    docket.wait_until(lambda: "open" in restore(
        host, written[0], "--replace", "--dry-run").stderr,
        "connections of the service")
    said = restore(host, written[0], "--replace")
    assert said.returncode == 75 and "docket.target" in said.stderr


def test_into_an_empty_database_and_the_keys_stay(host, written):
    for one in reversed(host.started):
        one.terminate()
        one.wait(30 * docket.SLOW)
    host.started = []
    ring = host.path("etc/docket/jwt.keys")
    pathlib.Path(ring).unlink()
    host.super("DROP SCHEMA docket CASCADE", database="docket")
    said = restore(host, written[0])
    assert said.returncode == 0, said.stderr
    assert ring.read_bytes() == (written[0] / "keys/jwt.keys").read_bytes()
    assert count(host) > 1
    assert "nothing to apply" in said.stdout
