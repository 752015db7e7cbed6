# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket setup on a host below a folder: what it makes, that it changes
nothing twice, and that it goes on where it failed."""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess

import pytest

import docket
import host as hosts

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def host(dev):
    made = hosts.Host(dev.docket())
    yield made
    made.end()


@pytest.fixture(scope="module")
def done(host):
    """The host, set up; what setup said is in host.told."""
    host.told = host.setup()
    assert host.told.returncode == 0, host.told.stdout + host.told.stderr
    return host


def ask(host, method, path, body=None):
    """Over TLS, trusting what setup signed, for the name it is for."""
    context = ssl.create_default_context(
        cafile=str(host.path("etc/docket/tls/cert.pem")))
    plain = socket.create_connection(("127.0.0.1", host.port), 10)
    to = http.client.HTTPConnection(hosts.DOMAIN, host.port)
    to.sock = context.wrap_socket(plain, server_hostname=hosts.DOMAIN)
    to.request(method, path, body and json.dumps(body),
               {"Content-Type": "application/json"} if body else {})
    reply = to.getresponse()
    answer = json.loads(reply.read())
    to.close()
    return reply.status, answer


def test_a_dry_run_tells_all_of_it_and_changes_nothing(host):
    before = hosts.tree(host.root)
    said = host.setup("--dry-run")
    assert said.returncode == 0, said.stderr
    told = hosts.verdicts(said.stdout)
    assert set(told.values()) == {"ok", "would", "skip"}
    assert {k for k, v in told.items() if v == "would"} == {
        "folders", "settings", "keys", "roles", "database", "access",
        "schema", "admin", "certificate", "listing", "site", "nginx"}
    assert "nothing was changed" in said.stdout
    assert hosts.tree(host.root) == before
    assert host.super("SELECT rolname FROM pg_roles"
                      " WHERE rolname ~ '^docket'") == []


@pytest.mark.parametrize("words", [
    ["--domain", ""], ["--domain", "Tasks.example.org"],
    ["--domain", "a b"], ["--domain", "a;include x"], ["--domain", "a..b"],
    ["--domain", ".a"], ["--domain", "a" * 200], ["--port", "0"],
    ["--port", "65536"], ["--certificate", "/x"],
    ["--certificate", "/x", "--key", "/y", "--self-signed"],
    ["--user", "a\tb"], ["--user", ""], ["--admin-name", "--help"],
    ["--postgres", "relative"], ["--root", "/a b"], ["more"], ["--nonsense"]])
def test_wrong_usage_is_told_before_anything(host, words):
    before = hosts.tree(host.root)
    said = host.setup(*words)
    assert said.returncode == 64, said.stdout
    assert said.stderr.strip()
    assert hosts.tree(host.root) == before


def test_the_domain_is_needed(host):
    assert host.docket("setup").returncode == 64


def test_everything_is_made_with_the_rights_it_needs(done):
    told = hosts.verdicts(done.told.stdout)
    assert told["units"] == told["ready"] == "skip"
    assert {v for k, v in told.items() if k not in ("units", "ready")} \
        <= {"ok", "done"}
    modes = {name: oct(done.path(f"etc/docket/{name}").stat().st_mode & 0o777)
             for name in (".", "secret.key", "jwt.keys", "docket.conf",
                          "conf.d/10-setup.conf", "tls/self-signed.key")}
    assert modes == {".": "0o750", "secret.key": "0o600",
                     "jwt.keys": "0o600", "docket.conf": "0o640",
                     "conf.d/10-setup.conf": "0o640",
                     "tls/self-signed.key": "0o600"}
    assert done.super("SELECT count(*) FROM docket.users"
                      " WHERE role = 'admin'", database="docket") == ["1"]


def test_a_second_run_changes_nothing_and_says_so(done):
    before = hosts.tree(done.root)
    said = done.setup()
    assert said.returncode == 0, said.stderr
    assert "Nothing to do" in said.stdout
    assert set(hosts.verdicts(said.stdout).values()) <= {"ok", "skip"}
    assert "Password" not in said.stdout
    assert hosts.tree(done.root) == before


def test_it_serves_over_tls_and_the_admin_can_log_in(done):
    name, password = re.search(r"The first admin: (\S+)\n.*: (\S+)\n",
                               done.told.stdout).groups()
    done.serve()
    said = docket.wait_until(
        lambda: (lambda r: r if "readyz answers 200" in r.stdout else None)(
            done.setup()), "a setup that finds it ready", 60 * docket.SLOW)
    assert hosts.verdicts(said.stdout)["ready"] == "ok"
    status, reply = ask(done, "POST", "/auth",
                        {"username": name, "password": password})
    assert status == 200, reply
    assert reply["user"]["role"] == "admin"
    _, claims = docket.jwt_parts(reply["access_token"])
    assert claims["iss"] == f"https://{hosts.DOMAIN}:{done.port}"


@ROOT_ONLY
def test_only_the_accounts_that_are_meant_become_the_roles(done):
    def knock(user, role):
        return subprocess.run(
            ["setpriv", f"--reuid={user}", "--clear-groups", docket.psql(),
             "-X", "-d", f"host={done.cluster} dbname=docket user={role}",
             "-c", "SELECT 1"], capture_output=True, text=True,
            env={"PATH": os.environ["PATH"]}, timeout=120).returncode == 0

    assert knock(done.user, "docket_api")
    assert knock(done.user, "docket_courier")
    assert not knock(done.user, "docket_owner")
    for role in ("docket_api", "docket_courier", "docket_owner"):
        assert knock("root", role)
        assert not knock("www-data", role)


def test_another_domain_is_refused_by_name(done):
    before = hosts.tree(done.root)
    said = done.setup(domain="other.example.org")
    assert said.returncode == 78
    assert 'server.public_url is "https://tasks.example.org' in said.stderr
    assert "next: " in said.stderr
    assert hosts.tree(done.root) == before


def test_a_site_that_somebody_changed_stays(done):
    site = done.path("etc/nginx/sites-available/docket")
    ours = site.read_text()
    site.write_text(ours + "# mine\n")
    said = done.setup()
    assert said.returncode == 0, said.stderr
    assert "changed by somebody" in said.stdout
    assert "# mine" in site.read_text()
    site.write_text(ours)
    assert "changed by somebody" not in done.setup().stdout


def test_an_old_listing_and_an_old_site_are_written_anew(done):
    sample = done.share / "nginx/docket-site.conf"
    old = sample.read_text()
    sample.write_text("# of a later version\n" + old)
    done.path("etc/docket/nginx-routes.conf").write_text("# old\n")
    said = done.setup()
    assert said.returncode == 0, said.stderr
    assert {k for k, v in hosts.verdicts(said.stdout).items()
            if v == "done"} == {"listing", "site", "nginx"}
    assert "# of a later version" in \
        done.path("etc/nginx/sites-available/docket").read_text()


def certificate(folder, name, days="90"):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", days, "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout",
         folder / "key", "-out", folder / "cert"], check=True,
        capture_output=True, timeout=120)
    return ["--certificate", folder / "cert", "--key", folder / "key"]


def test_a_certificate_is_looked_at_before_nginx_gets_it(done, tmp_path):
    link, other = done.path("etc/docket/tls/cert.pem"), tmp_path / "other"
    other.mkdir()
    for words in (certificate(tmp_path, "elsewhere.example.org"),
                  ["--certificate", done.path("etc/docket/docket.conf"),
                   "--key", tmp_path / "key"],
                  [*certificate(other, hosts.DOMAIN)[:2], "--key",
                   done.path("etc/docket/tls/self-signed.key")],
                  ["--certificate", tmp_path / "none", "--key",
                   tmp_path / "key"]):
        said = done.setup(*words)
        assert said.returncode == 78
        assert f"{words[1]}" in said.stderr or f"{words[3]}" in said.stderr
        assert "next: " in said.stderr
        assert os.readlink(link).endswith("self-signed.pem")
    words = certificate(tmp_path, hosts.DOMAIN)
    assert done.setup(*words).returncode == 0
    assert os.readlink(link) == str(words[1])
    assert "Nothing to do" in done.setup().stdout
    said = done.setup("--certificate", "cert", "--key", "key", cwd=tmp_path)
    assert said.returncode == 0 and "Nothing to do" in said.stdout
    assert done.setup("--self-signed").returncode == 0


def test_what_certbot_has_is_taken(done):
    live = done.path(f"etc/letsencrypt/live/{hosts.DOMAIN}")
    live.mkdir(parents=True)
    certificate(live, hosts.DOMAIN)
    (live / "cert").rename(live / "fullchain.pem")
    (live / "key").rename(live / "privkey.pem")
    assert done.setup().returncode == 0
    assert os.readlink(done.path("etc/docket/tls/cert.pem")) == \
        str(live / "fullchain.pem")


def test_it_goes_on_where_it_failed(done):
    """A site of somebody's that nginx refuses: the message names the file,
    and ours, which was there before, stays."""
    enabled = done.path("etc/nginx/sites-enabled/docket")
    bad = done.path("etc/nginx/sites-enabled/bad")
    bad.write_text("nonsense on;\n")
    done.path("etc/docket/nginx-routes.conf").write_text("# old\n")
    said = done.setup()
    assert said.returncode == 69
    assert str(bad) in said.stderr and "next: " in said.stderr
    assert enabled.is_symlink()
    assert hosts.verdicts(said.stdout)["listing"] == "done"
    bad.unlink()
    said = done.setup()
    assert said.returncode == 0, said.stderr
    assert {k for k, v in hosts.verdicts(said.stdout).items()
            if v == "done"} == {"nginx"}


def test_a_lost_secret_is_not_made_anew(done):
    """What derives from it is in the database and with the clients."""
    secret = done.path("etc/docket/secret.key")
    kept = secret.rename(done.path("etc/docket/kept"))
    try:
        for words in ((), ("--dry-run",)):
            said = done.setup(*words)
            assert said.returncode == 78, said.stdout
            assert "secret.key is gone" in said.stderr, said.stderr
            assert "docket restore --keys" in said.stderr
            assert not secret.exists()
    finally:
        kept.rename(secret)
    assert done.setup().returncode == 0


def test_the_first_admin_is_told_though_a_later_step_fails(dev):
    """Nobody could ask for it again. And a site that is new waits."""
    host = hosts.Host(dev.docket())
    try:
        bad = host.path("etc/nginx/sites-enabled/bad")
        bad.write_text("nonsense on;\n")
        said = host.setup()
        assert said.returncode == 69, said.stdout
        name, password = re.search(r"The first admin: (\S+)\n.*: (\S+)\n",
                                   said.stdout).groups()
        assert name == "admin" and len(password) == 20
        assert not host.path("etc/nginx/sites-enabled/docket").is_symlink()
        bad.unlink()
        said = host.setup()
        assert said.returncode == 0, said.stderr
        assert {k for k, v in hosts.verdicts(said.stdout).items()
                if v == "done"} == {"site", "nginx"}
    finally:
        host.end()


def test_roles_become_what_a_later_version_says(done):
    done.super("ALTER ROLE docket_api RESET jit")
    said = done.setup()
    assert said.returncode == 0, said.stderr
    assert hosts.verdicts(said.stdout)["roles"] == "done"
    assert "jit=off" in done.super("SELECT rolconfig FROM pg_roles WHERE"
                                   " rolname = 'docket_api'")[0]
    assert hosts.verdicts(done.setup().stdout)["roles"] == "ok"


def test_a_folder_that_others_may_write_is_not_written(done):
    path = done.path("etc/docket/conf.d")
    path.chmod(0o770)
    said = done.setup()
    path.chmod(0o750)
    assert said.returncode == 78
    assert str(path) in said.stderr and "chmod go-w" in said.stderr


@ROOT_ONLY
def test_root_follows_no_link_of_the_superusers(done, tmp_path):
    """What the database's account calls its rules is read by that account."""
    [path] = done.super("SHOW hba_file")
    os.rename(path, path + ".kept")
    secret = tmp_path / "secret"
    secret.write_text("root's alone\n")
    secret.chmod(0o600)
    os.symlink(secret, path)
    said = done.setup()
    os.unlink(path)
    os.rename(path + ".kept", path)
    assert said.returncode == 66 and path in said.stderr
    assert "root's alone" not in said.stdout + said.stderr
    assert secret.read_text() == "root's alone\n"
    assert not os.path.exists(path + ".new")
    assert done.setup().returncode == 0


def test_rules_that_postgresql_refuses_are_taken_back(done):
    [path] = done.super("SHOW hba_file")
    with open(path, encoding="utf-8") as f:
        good = f.read()
    assert good.startswith("# docket setup: begin")
    bad = good.split("# docket setup: end\n")[1] + "local nonsense\n"
    with open(path, "w", encoding="utf-8") as f:
        f.write(bad)
    said = done.setup()
    assert said.returncode == 78
    assert path in said.stderr and "pg_hba_file_rules" in said.stderr
    with open(path, encoding="utf-8") as f:
        assert f.read() == bad
    with open(path, "w", encoding="utf-8") as f:
        f.write(bad.replace("local nonsense\n", ""))
    assert done.setup().returncode == 0
    with open(path, encoding="utf-8") as f:
        assert f.read() == good


def test_settings_with_faults_are_named_and_nothing_else_is_done(done):
    conf = done.path("etc/docket/docket.conf")
    good = conf.read_text()
    conf.write_text(good + "server { workers = many }\n")
    before = hosts.tree(done.root)
    said = done.setup()
    assert said.returncode == 78
    assert f"{conf}:{good.count(chr(10)) + 1}:" in said.stderr
    assert hosts.tree(done.root) == before
    conf.write_text(good)


def test_no_password_is_in_a_file_or_in_sight_of_others(done):
    """It is told once, on standard output."""
    password = re.search(r"once\): (\S+)\n", done.told.stdout)[1]
    for path, (_, _, _, _, held) in hosts.tree(done.root).items():
        assert not isinstance(held, bytes) or \
            password.encode() not in held, path
    assert password not in done.told.stderr


def test_a_password_of_ones_own(done):
    done.super("SET session_replication_role = replica",
               "UPDATE docket.users SET role = 'user'", database="docket")
    said = done.setup("--admin-name", "boss", "--password-file", "-",
                      stdin=None, input="a password of my own\n")
    assert said.returncode == 0, said.stderr
    assert "my own" not in said.stdout
    status, reply = ask_again(done)
    assert status == 200, reply


def ask_again(done):
    """The certificate is certbot's by now; its file is the one that the link
    leads to."""
    def ready():
        try:
            return ask(done, "GET", "/readyz")[0] == 200
        except OSError:  # the old certificate is no other kind of error
            return False

    docket.wait_until(ready, "nginx with its new certificate")
    return ask(done, "POST", "/auth", {"username": "boss",
                                       "password": "a password of my own"})
