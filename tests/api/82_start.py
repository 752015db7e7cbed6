# SPDX-License-Identifier: AGPL-3.0-or-later
"""What docketd refuses to start with: exit 78 and file:line."""

import base64
import os
import pathlib
import pwd
import re
import secrets
import subprocess
import tempfile

import pytest

import docket

EX_CONFIG = 78


@pytest.fixture
def place():
    """Good settings and keys, to be spoilt by a test. Where everybody may
    go: docketd reads them as the user it becomes."""
    with tempfile.TemporaryDirectory(prefix="docket-", dir="/var/tmp") as d:
        yield furnish(pathlib.Path(d))


def furnish(tmp_path):
    os.chmod(tmp_path, 0o755)
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    write(tmp_path / "secret.key", key.decode() + "\n", 0o600)
    write(tmp_path / "jwt.keys", f"current k1 HS256 {key.decode()}\n", 0o600)
    user = "" if os.geteuid() else "nobody"
    write(tmp_path / "docket.conf", f"""\
profile = "dev"
server {{
	socket = "{tmp_path}/main.sock"
	auth_socket = "{tmp_path}/auth.sock"
	secret_file = "{tmp_path}/secret.key"
	user = "{user}"
}}
auth {{
	key_file = "{tmp_path}/jwt.keys"
}}
""", 0o644)
    own(tmp_path)
    return tmp_path


def write(path, text, mode):
    path.write_text(text)
    path.chmod(mode)


def own(directory):
    """Keys belong to whom docketd becomes."""
    if os.geteuid() == 0:
        who = pwd.getpwnam("nobody")
        for path in [directory, *directory.iterdir()]:
            os.chown(path, who.pw_uid, who.pw_gid)


def start(dev, place, *arguments, **environment):
    own(place)
    return subprocess.run(
        [dev.docketd(), "-c", place / "docket.conf", *arguments],
        capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0",
             **environment})


def refused(dev, place, *arguments, **environment):
    done = start(dev, place, *arguments, **environment)
    assert done.returncode == EX_CONFIG, (done.returncode, done.stderr)
    assert done.stderr.strip(), "refused without a word"
    return done.stderr


def append(place, text):
    with open(place / "docket.conf", "a", encoding="utf-8") as file:
        file.write(text)


def lines(place):
    return len((place / "docket.conf").read_text().splitlines())


def test_the_good_ones_pass(dev, place):
    done = start(dev, place, "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", [
    "colour = red\n", "server { }\ncolour { x = 1 }\n",
    "limits { login_failures = 0 }\n", "limits { login_failures = many }\n",
    "auth { access_ttl = 10 }\n", "auth { algorithm = none }\n",
    "otp { length = 4 }\n", "server { workers = 0 }\n",
    "server { workers = 1000 }\n", "database { prepared = perhaps }\n",
    "otp { echo = perhaps }\n", "server { socket = relative.sock }\n",
    "server {\n", "}\n", "server { colour = red }\n"])
def test_a_bad_settings_file_is_named_with_its_line(dev, place, text):
    first = lines(place) + 1
    append(place, text)
    said = refused(dev, place)
    found = re.findall(r"docket\.conf:(\d+):", said)
    assert found, said
    assert all(first <= int(n) <= lines(place) + 1 for n in found), said


def test_all_faults_are_told(dev, place):
    append(place, "limits { login_failures = 0 }\notp { length = 99 }\n")
    said = refused(dev, place)
    assert "login_failures" in said and "length" in said


def test_a_missing_file(dev, place):
    (place / "docket.conf").unlink()
    assert "docket.conf" in refused(dev, place)


def test_a_bad_option_and_a_bad_variable(dev, place):
    assert "--set" in refused(dev, place, "--set", "server.colour=red")
    assert "--set" in refused(dev, place, "--set", "otp.length=4")
    assert "DOCKET_OTP_LENGTH" in refused(dev, place, DOCKET_OTP_LENGTH="4")


def test_wrong_usage_is_64(dev, place):
    for arguments in (["--nonsense"], ["word"]):
        assert start(dev, place, *arguments).returncode == 64


@pytest.mark.parametrize("setting", ["otp.echo=on", "sample_routes=on",
                                     "limits.otp_sends_client=0",
                                     "limits.otp_verify_client=0",
                                     "limits.otp_prefix_hour=0",
                                     "limits.otp_sms_hour=0",
                                     "limits.otp_email_hour=0",
                                     "limits.otp_anomaly=record",
                                     "limits.otp_anomaly=off",
                                     "limits.requests_client=0",
                                     "limits.auth_client=0",
                                     "limits.requests_user=0",
                                     "limits.requests_anonymous=0",
                                     "limits.refreshes_session=0",
                                     "limits.login_client=0",
                                     "limits.checks_user=0"])
def test_what_only_dev_may_do(dev, place, setting):
    said = refused(dev, place, "--set", "profile=production", "--set",
                   setting)
    assert setting.split("=")[0].split(".")[-1] in said


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("countries", [
    "98", "+98;+49", "+98 +49", "+", "+098", "Iran", "+98,,+49",
    "+9891212345"])
def test_a_list_of_countries_is_one_of_prefixes(dev, place, countries):
    done = start(dev, place, "--check", "--set",
                 "otp.countries=+98, +49 ,+1876")
    assert done.returncode == 0, done.stderr
    said = refused(dev, place, "--set", "otp.countries=" + countries)
    assert "otp.countries must be prefixes" in said


BAD_KEYS = {
    "31 bytes": b64(secrets.token_bytes(31)),
    "16 bytes": b64(secrets.token_bytes(16)),
    "alpha": b64(b"alpha"),
    "alpha padded": b64(b"alpha" + bytes(27)),
    "secret repeated": b64((b"secret" * 8)[:32]),
    "changeme repeated": b64(b"changeme" * 4),
    "zeros": b64(bytes(32)),
    "one letter": b64(b"a" * 32),
    "no base64url": "not base64url at all, is it? no!!",
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_weak_signing_key(dev, place, key):
    write(place / "jwt.keys", f"# ring\ncurrent k1 HS256 {key}\n", 0o600)
    said = refused(dev, place)
    assert re.search(r"^auth\.key_file: ", said, re.M), said
    assert "jwt.keys:2" in said, said
    assert key not in said, "a key in a message"


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_weak_master_secret(dev, place, key):
    write(place / "secret.key", key + "\n", 0o600)
    said = refused(dev, place)
    assert re.search(r"^server\.secret_file: ", said, re.M), said
    assert "secret.key" in said and key not in said, said


GOOD = b64(secrets.token_bytes(32))


@pytest.mark.parametrize("ring", [
    "", "# nothing\n", f"next k1 HS256 {GOOD}\n",
    f"current k1 HS256 {GOOD}\ncurrent k2 HS256 {GOOD}\n",
    f"current k1 HS256 {GOOD}\nnext k1 HS256 {GOOD}\n",
    f"current k1 none {GOOD}\n", f"current k1 RS256 {GOOD}\n",
    f"current ../k HS256 {GOOD}\n", f"current {'k' * 65} HS256 {GOOD}\n",
    f"current k1 {GOOD}\n", f"sometime k1 HS256 {GOOD}\n",
    f"current k1 HS256 {GOOD} more\n"])
def test_a_bad_ring(dev, place, ring):
    write(place / "jwt.keys", ring, 0o600)
    assert "jwt.keys" in refused(dev, place)


@pytest.mark.parametrize("name", ["jwt.keys", "secret.key"])
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o640, 0o606])
def test_key_files_that_others_can_read(dev, place, name, mode):
    (place / name).chmod(mode)
    if mode in (0o640, 0o660):
        done = start(dev, place, "--check")
        assert done.returncode in (0, EX_CONFIG)
        return
    said = refused(dev, place)
    assert name in said


@pytest.mark.parametrize("name", ["jwt.keys", "secret.key"])
def test_key_files_that_are_not_there(dev, place, name):
    (place / name).unlink()
    said = refused(dev, place)
    setting = {"jwt.keys": "auth.key_file",
               "secret.key": "server.secret_file"}[name]
    assert f"{setting}: {place / name}: " in said, said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_without_a_user_is_refused(dev, place):
    said = refused(dev, place, "--set", "server.user=")
    assert "root" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("user", ["root", "nobody-of-that-name"])
def test_root_as_root_or_as_nobody_known_is_refused(dev, place, user):
    refused(dev, place, "--set", "server.user=" + user)


# --- the listings ---------------------------------------------------------

def listing(dev, what):
    done = subprocess.run([dev.docketd(), what], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_routes_lists_every_row(dev):
    told = [line.split()[:2] for line in listing(
        dev, "--routes").splitlines() if line.startswith(
            ("GET", "POST", "PUT", "PATCH", "DELETE"))]
    assert sorted(told) == sorted([r.method, r.path] for r in docket.ROUTES)


def test_errors_lists_every_row(dev):
    text = listing(dev, "--errors")
    for code, (status, title, _) in docket.ERRORS.items():
        if code in ("seal_broken", "no_row"):
            continue  # these never leave the program
        assert re.search(rf"\b{status}\b.*\b{code}\b.*{re.escape(title)}",
                         text), code


def test_the_sample_of_settings_is_a_settings_file(dev, place):
    """Every row of tbl/settings.h is in it, and it loads."""
    sample = listing(dev, "--settings")
    table = (docket.ROOT / "include/tbl/settings.h").read_text()
    for key in re.findall(r"^SETTING\(\w+, (\w+),", table, re.M):
        assert re.search(rf"\b{key}\b", sample), key
    write(place / "docket.conf", sample, 0o644)
    done = start(dev, place, "--check", "--set",
                 f"auth.key_file={place}/jwt.keys", "--set",
                 f"server.secret_file={place}/secret.key")
    assert done.returncode == 0, done.stderr


def test_the_document_is_what_is_served(dev, api):
    assert listing(dev, "--openapi").strip() == \
        api.get("/openapi.json").body.decode().strip()


def test_help_and_version(dev):
    assert "--config" in listing(dev, "--help") or "-c" in listing(
        dev, "--help")
    assert listing(dev, "--version").startswith("docketd ")
