# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket key: the ring's file, turned as a whole and never half."""

import base64
import datetime
import fcntl
import os
import pwd
import re
import stat
import subprocess

import pytest

from docket import b64, unb64

SINCE = re.compile(r"# since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z)$")
KID = re.compile(r"^\d{8}-[0-9a-f]{8}$")
FULL, LOCKED, BAD, MISSING, USAGE = 75, 75, 78, 66, 64


class Ring:
    def __init__(self, dev, directory):
        self.dev, self.path = dev, directory / "jwt.keys"
        self.secret = directory / "secret.key"
        # The trail learns of a turn; nowhere it would be tried for seconds.
        self.sets = [f"auth.key_file={self.path}",
                     f"server.secret_file={self.secret}",
                     f"database.dsn={dev.dsn}"]

    def run(self, *words, expect=0, **settings):
        command = [self.dev.docket()]
        for one in [*self.sets, *(f"{k.replace('__', '.')}={v}"
                                  for k, v in settings.items())]:
            command += ["--set", one]
        done = subprocess.run(
            [*command, "key", *words], text=True, capture_output=True,
            timeout=60, stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]})
        assert done.returncode == expect, done.stdout + done.stderr
        for key in self.secrets():
            assert key not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def keys(self):
        """[(role, kid, alg, key, since)]; each with its instant."""
        found, since = [], None
        for line in self.path.read_text().splitlines():
            told = SINCE.match(line)
            if told:
                since = told[1]
            elif not line.startswith("#"):
                found.append((*line.split(), since))
                since = None
        return found

    def roles(self):
        return [(key[0], key[2]) for key in self.keys()]

    def secrets(self):
        return [key[3] for key in self.keys()] if self.path.exists() else []

    def write(self, *lines):
        self.path.write_text("".join(line + "\n" for line in lines))
        self.path.chmod(0o600)

    def check(self):
        """What docketd says of it."""
        self.secret.write_text(b64(os.urandom(32)) + "\n")
        self.secret.chmod(0o600)
        command = [self.dev.docketd(), "--check"]
        for one in self.sets:
            command += ["--set", one]
        return subprocess.run(command, text=True, capture_output=True,
                              timeout=60, env={}).returncode


@pytest.fixture
def ring(dev, tmp_path):
    return Ring(dev, tmp_path)


def ago(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) \
        - datetime.timedelta(seconds=seconds)
    return at.strftime("# since %Y-%m-%dT%H:%M:%S.000Z")


def key():
    return b64(os.urandom(32))


# --- generate -------------------------------------------------------------

@pytest.mark.parametrize("alg", ["HS256", "ES256"])
def test_the_first_key_signs_at_once(ring, alg):
    said = ring.run("generate", "--alg", alg)
    (role, kid, is_alg, secret, since), = ring.keys()
    assert (role, is_alg) == ("current", alg)
    assert KID.match(kid) and kid in said
    assert len(unb64(secret)) == 32 and since
    assert ring.check() == 0


def test_the_algorithm_is_the_settings(ring):
    ring.run("generate", auth__algorithm="ES256")
    assert ring.roles() == [("current", "ES256")]


def test_a_second_key_is_the_next_one(ring):
    ring.run("generate")
    first = ring.keys()
    ring.run("generate", "--alg", "ES256")
    assert ring.keys()[:1] == first
    assert ring.roles() == [("current", "HS256"), ("next", "ES256")]
    assert ring.check() == 0


def test_nobody_else_may_read_it(ring):
    old = os.umask(0)
    try:
        ring.run("generate")
        ring.run("generate")
    finally:
        os.umask(old)
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600
    assert sorted(p.name for p in ring.path.parent.iterdir()) == ["jwt.keys"]


# --- rotate ---------------------------------------------------------------

def test_a_key_that_nobody_knows_does_not_sign(ring):
    """Without a next key only that is made; with it, it gets its turn."""
    ring.run("generate")
    first = ring.keys()[0][1]
    assert "rotate again" in ring.run("rotate")
    assert ring.roles() == [("current", "HS256"), ("next", "HS256")]
    second = ring.keys()[1][1]
    assert "Reload" in ring.run("rotate")
    said = {role: kid for role, kid, *_ in ring.keys()}
    assert said["previous"] == first and said["current"] == second
    assert len(ring.keys()) == 3 and said["next"] not in (first, second)
    assert ring.check() == 0


def test_now_is_for_a_key_that_leaked(ring):
    ring.run("generate")
    first = ring.keys()[0]
    said = ring.run("rotate", "--now", database__dsn="host=/nowhere")
    assert "the audit trail does not know of this" in said
    assert [r for r, _ in ring.roles()] == ["previous", "current", "next"]
    assert ring.keys()[0][1:4] == first[1:4]


def test_next_keys_wait_in_a_row(ring):
    ring.run("generate")
    ring.run("generate", "--alg", "ES256")
    ring.run("generate")
    kids = [k[1] for k in ring.keys()]
    ring.run("rotate")
    assert [(k[0], k[1]) for k in ring.keys()] == [
        ("previous", kids[0]), ("current", kids[1]), ("next", kids[2])]


def test_the_algorithm_changes_without_a_break(ring):
    ring.run("generate")
    ring.run("rotate", "--alg", "ES256")
    ring.run("rotate", auth__algorithm="ES256")
    assert ring.roles() == [("previous", "HS256"), ("current", "ES256"),
                            ("next", "ES256")]
    assert ring.check() == 0


def test_a_previous_key_leaves_when_its_tokens_have(ring):
    """access_ttl, clock_skew and drain_seconds after it signed the last."""
    settings = {"auth__access_ttl": "100", "auth__clock_skew": "20",
                "server__drain_seconds": "30"}
    for seconds, stays in ((140, True), (160, False)):
        ring.write(ago(seconds), f"previous old HS256 {key()}",
                   f"current now HS256 {key()}", f"next soon HS256 {key()}")
        ring.run("rotate", **settings)
        assert ("old" in [k[1] for k in ring.keys()]) == stays
        assert ("now" in [k[1] for k in ring.keys()])
    ring.write(ago(1000), f"previous old HS256 {key()}",
               f"current now HS256 {key()}")
    ring.run("rotate", **settings)  # makes a next key, and still tidies up
    assert [k[0] for k in ring.keys()] == ["current", "next"]


def test_a_previous_key_without_an_instant_begins_to_wait(ring):
    ring.write(f"previous old HS256 {key()}", f"current now HS256 {key()}",
               f"next soon HS256 {key()}")
    ring.run("rotate")
    assert [k[0] for k in ring.keys()] == ["previous", "previous", "current",
                                           "next"]
    assert all(k[4] for k in ring.keys())


def test_a_full_ring_is_left_alone(ring):
    ring.write(f"current now HS256 {key()}", f"next soon HS256 {key()}",
               *(line for i in range(14) for line in
                 (ago(1), f"previous p{i} HS256 {key()}")))
    before = ring.path.read_bytes()
    for verb in ("generate", "rotate"):
        assert "full" in ring.run(verb, expect=FULL)
        assert ring.path.read_bytes() == before
    # One that is past its time makes room.
    text = ring.path.read_text().replace(ago(1), ago(5000), 1)
    ring.path.write_text(re.sub(r"# since .*", ago(5000), text, count=1))
    ring.run("rotate")
    assert len(ring.keys()) == 16


@pytest.mark.parametrize("words", [["generate"], ["rotate"],
                                   ["rotate", "--now"]])
def test_a_dry_run_writes_nothing(ring, words):
    ring.run("generate")
    before = ring.path.read_bytes(), ring.path.stat().st_ino
    said = ring.run(*words, "--dry-run")
    assert "Nothing was written" in said and "next" in said
    assert (ring.path.read_bytes(), ring.path.stat().st_ino) == before


def test_a_young_key_of_es256_is_warned_of(ring):
    ring.run("generate", "--alg", "ES256")
    ring.run("generate", "--alg", "ES256")
    assert "300 s" in ring.run("rotate")
    ring.write(f"current a HS256 {key()}", ago(400), f"next b HS256 {key()}")
    assert "300 s" not in ring.run("rotate")


# --- list -----------------------------------------------------------------

def test_the_list_says_all_but_the_keys(ring):
    ring.write(ago(3 * 86400), f"previous a HS256 {key()}",
               f"current b HS256 {key()}", ago(3 * 3600),
               f"next c HS256 {key()}", ago(300), f"next d HS256 {key()}")
    lines = [line.split() for line in ring.run("list").splitlines()]
    assert [line[:3] for line in lines] == [
        ["previous", "a", "HS256"], ["current", "b", "HS256"],
        ["next", "c", "HS256"], ["next", "d", "HS256"]]
    assert lines[0][-2:] == ["3", "d"] and lines[1][-1] == "-"
    assert lines[2][-2:] == ["3", "h"] and lines[3][-2:] == ["5", "min"]


# --- what goes wrong ------------------------------------------------------

def test_a_bad_ring_is_refused_and_stays(ring):
    ring.write(f"current a HS256 {key()}", "next b HS256 short")
    before = ring.path.read_bytes()
    for verb in ("generate", "rotate", "list"):
        assert "jwt.keys:2:" in ring.run(verb, expect=BAD)
    assert ring.path.read_bytes() == before


def test_there_is_nothing_to_rotate_or_list(ring):
    assert "generate" in ring.run("rotate", expect=MISSING)
    ring.run("list", expect=BAD)
    assert not ring.path.exists()


def test_wrong_words(ring):
    for words in ([], ["turn"], ["generate", "x"], ["list", "--what"],
                  ["generate", "--alg", "RS256"], ["generate", "--alg"]):
        ring.run(*words, expect=USAGE)
    assert not ring.path.exists()


def test_two_at_once_do_not_both_turn(ring):
    ring.run("generate")
    before = ring.path.read_bytes()
    fd = os.open(ring.path.parent, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        for verb in ("generate", "rotate"):
            assert "at work" in ring.run(verb, expect=LOCKED)
        ring.run("list")
    finally:
        os.close(fd)
    assert ring.path.read_bytes() == before
    ring.run("generate")


def test_many_at_once_leave_a_whole_ring(ring):
    ring.run("generate")
    command = [ring.dev.docket()]
    for one in ring.sets:
        command += ["--set", one]
    many = [subprocess.Popen([*command, "key", "generate"],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL) for _ in range(12)]
    codes = [one.wait(60) for one in many]
    assert set(codes) <= {0, LOCKED}
    assert len(ring.keys()) == 1 + codes.count(0)
    assert ring.check() == 0


def test_what_a_dead_command_left_is_in_nobodys_way(ring):
    ring.run("generate")
    left = ring.path.parent / "jwt.keys.new"
    left.write_text("half a r")
    ring.run("rotate")
    assert not left.exists() and len(ring.keys()) == 2


def test_a_link_stays_one(ring):
    real = ring.path.parent / "real"
    real.mkdir()
    os.symlink(real / "ring", ring.path)
    (real / "ring").write_text(f"current a HS256 {key()}\n")
    (real / "ring").chmod(0o600)
    ring.run("generate")
    assert ring.path.is_symlink()
    assert len(ring.keys()) == 2 and [p.name for p in real.iterdir()] == \
        ["ring"]


def test_a_full_disk_leaves_the_old_ring(ring):
    """No file may grow beyond a few bytes."""
    ring.run("generate")
    before = ring.path.read_bytes()
    script = ("trap '' XFSZ; ulimit -f 0; exec " + ring.dev.docket() + " "
              + " ".join(f"--set '{one}'" for one in ring.sets)
              + " key generate")
    done = subprocess.run(["bash", "-c", script], text=True, timeout=60,
                          capture_output=True)
    assert done.returncode == 73, done.stdout + done.stderr
    assert ring.path.read_bytes() == before
    assert not (ring.path.parent / "jwt.keys.new").exists()


def test_it_keeps_its_owner(ring):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    nobody = pwd.getpwnam("nobody")
    ring.secret.write_text(key() + "\n")
    os.chown(ring.secret, nobody.pw_uid, nobody.pw_gid)
    for verb in ("generate", "generate", "rotate"):
        ring.run(verb)  # the first one's owner is the master secret's
        found = ring.path.stat()
        assert (found.st_uid, found.st_gid) == (nobody.pw_uid,
                                                nobody.pw_gid)
        assert stat.S_IMODE(found.st_mode) == 0o600


# --- what docketd makes of keys -------------------------------------------

N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


@pytest.mark.parametrize("number", [0, N, N + 1, 2 ** 256 - 1])
def test_a_number_that_is_no_key_of_the_curve(ring, number):
    ring.write("current a ES256 " + b64(number.to_bytes(32, "big")))
    assert ring.check() == BAD
    ring.run("list", expect=BAD)


@pytest.mark.parametrize("secret", [
    b64(os.urandom(31)), b64(os.urandom(33)), b64(os.urandom(64)),
    b64(b"\x04" + os.urandom(64)),
    base64.b64encode(os.urandom(121)).decode(),
    "-----BEGIN", b64(b"-----BEGIN EC PRIVATE KEY-----\nMHc")])
def test_what_is_no_key_of_es256(ring, secret):
    ring.write(f"current a ES256 {secret}")
    assert ring.check() == BAD


def test_one_key_has_one_algorithm(ring):
    secret = key()
    ring.write(f"current a HS256 {secret}", f"next b ES256 {secret}")
    assert ring.check() == BAD
    ring.write(f"current a HS256 {secret}", f"previous b HS256 {secret}")
    assert ring.check() == 0
