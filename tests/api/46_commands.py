# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket itself: one table of commands, and what it says of them: --help,
wrong usage, dry runs, the settings in force and what bash completes."""

import contextlib
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import termios
import uuid

import pytest

import docket
from docket import ROOT, new_name

COLUMNS = 80


def run(dev, *words, status=0, said="", conf=True, env=None):
    settings = ("-c", dev.dir / "docket.conf") if conf else ()
    done = subprocess.run(
        [os.environ.get("DOCKET") or dev.docket(), *settings, *words],
        input=said, text=True, capture_output=True, timeout=60, check=False,
        env={**os.environ, **(env or {})})
    assert done.returncode == status, f"{words}: {done}"
    return done


class Command:
    def __init__(self, noun, verb, arguments, needs, effect, text, more):
        self.words = [noun, verb] if verb else [noun]
        self.noun, self.verb, self.arguments = noun, verb, arguments
        self.needs, self.effect, self.text = needs, effect, text
        self.more, self.options = more, []


@pytest.fixture(scope="module")
def table(dev):
    """(commands, the options of all), as docket --commands has them."""
    commands, common, noun = [], [], None
    for line in run(dev, "--commands").stdout.splitlines():
        kind, *columns = line.split("\t")
        if kind == "noun":
            noun = columns[0]
        elif kind == "command":
            commands.append(Command(noun, *columns))
        else:
            assert kind == "option", line
            (commands[-1].options if noun else common).append(columns)
    return commands, common


# --- words about it -------------------------------------------------------

def test_every_row_is_listed(table):
    """What the header says is what the program knows."""
    text = (ROOT / "include/tbl/commands.h").read_text()
    nouns = re.findall(r'^NOUN\("(\w+)"', text, re.M)
    verbs = re.findall(r'^COMMAND\("(\w*)"', text, re.M)
    listed = table[0]
    assert [c.verb for c in listed] == verbs
    assert list(dict.fromkeys(c.noun for c in listed)) == nouns


def test_help_of_everything_fits_a_terminal(dev, table):
    commands, common = table
    whole = run(dev, "--help", conf=False).stdout
    told = [whole]
    for command in commands:
        assert command.noun in whole
        said = run(dev, *command.words, "--help", conf=False).stdout
        told.append(said)
        flat = " ".join(said.split())
        if command.verb or f"docket {command.noun} VERB" not in flat:
            assert flat.startswith("usage: docket " + " ".join(
                command.words))
        for spelt, *_, words in command.options:
            assert spelt in said and words in flat, command.words
        assert command.text in flat
        told.append(run(dev, command.noun, "-h", conf=False).stdout)
    for spelt, *_, words in common:
        assert spelt in whole and words in " ".join(whole.split())
    for text in told:
        assert max(map(len, text.splitlines())) < COLUMNS, text


@pytest.mark.parametrize("words, near", [
    (("usr", "list"), '"usr"; did you mean "user"?'),
    (("user", "remove", "x"), '"user remove"\n'),
    (("user", "lst"), '"user lst"; did you mean "user list"?'),
    (("migrate", "statsu"), None), (("frobnicate",), '"frobnicate"\n')])
def test_unknown_words_are_told(dev, words, near):
    done = run(dev, *words, status=os.EX_USAGE)
    assert done.stdout == ""
    if near:
        assert f"there is no command {near}" in done.stderr
    assert "\nusage: docket" in "\n" + done.stderr


def test_wrong_usage_names_the_right_one(dev, table):
    for command in table[0]:
        done = run(dev, *command.words, "--no-such-option",
                   status=os.EX_USAGE)
        assert done.stdout == ""
        assert "--no-such-option" in done.stderr
        usage = " ".join(done.stderr.split("usage: ")[1].split())
        assert usage.startswith("docket " + " ".join(command.words))
        assert all(o[0] in usage for o in command.options)


def test_what_is_missing_or_too_much(dev):
    for words, why in (
            ((), "usage: docket [OPTION]"), (("user",), "usage: docket user"),
            (("key", "list", "--now"), "docket key list has no --now"),
            (("export",), "--user must be given"),
            (("export", "--user"), "requires an argument"),
            (("key", "generate", "--alg", "HS256|ES256"), "must be one of"),
            (("gc", "all"), '"all" is one too many\nusage: docket gc'),
            (("user", "show"), "NAME must be given\nusage: docket user"),
            (("user", "delete", "a", "b"), '"b" is one too many'),
            (("apikey", "add", "--scopes", "account"), "--application must"),
            (("session", "revoke"), "ID or --user must be given"),
            (("queue", "drop"), "--all or --channel"),
            (("queue", "drop", str(uuid.UUID(int=7)), "--all"),
             "--all or --channel")):
        done = run(dev, *words, status=os.EX_USAGE)
        assert why in done.stderr and done.stdout == "", done


def test_the_version_and_where_nothing_can_be_said(dev):
    version = run(dev, "--version", conf=False).stdout
    assert re.fullmatch(r"docket \d+\.\d+\.\d+\n", version)
    with open("/dev/full", "w", encoding="ascii") as full:
        for words in (["--help"], ["config", "sample"], ["--commands"]):
            done = subprocess.run([dev.docket(), *words], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
            assert done.returncode == os.EX_IOERR
            assert b"standard output" in done.stderr


# What each command needs behind its words, to come as far as its database.
MORE = {("user", "add"): ["x", "--password-file", "/dev/stdin"],
        ("user", "import"): ["-"], ("import",): [
            "-", "--user", "x", "--format", "csv"],
        ("export",): ["--user", "x"],
        ("apikey", "add"): ["--user", "x", "--scopes", "account"],
        ("session", "revoke"): ["--user", "x"], ("session", "list"): ["x"],
        ("queue", "show"): [str(uuid.UUID(int=7))],
        ("queue", "retry"): ["--all"], ("queue", "hold"): ["--all"],
        ("queue", "drop"): ["--all"]}
DSNS = {"api": "dsn", "owner": "owner_dsn", "courier": "courier_dsn"}


def words_of(command):
    names = tuple(command.words)
    return [*names, *MORE.get(names, [str(uuid.UUID(int=7))] if
                              "NAME" == command.arguments or
                              "ID" == command.arguments else [])]


def test_a_database_that_is_away_is_told_with_the_next_step(dev, table):
    """In its words, once, and not as a service logs it."""
    def one(command):
        return run(dev, *words_of(command), "--set",
                   f"database.{DSNS[command.needs]}=host=/nowhere",
                   said="a long sentence of its own\n",
                   status=os.EX_TEMPFAIL)

    # Each tries for two seconds.
    tried = docket.parallel([lambda c=c: one(c) for c in table[0]
                             if c.needs in DSNS])
    assert len(tried) > 15
    for done in tried:
        lines = done.stderr.splitlines()
        assert len(lines) == 2 and done.stdout == "", done
        assert lines[0].startswith("docket: database: ")
        assert "/nowhere" in lines[0] and "docket doctor" in lines[1]


def test_a_role_that_may_not_is_told_which_one_may(dev):
    api = dev.dsn
    courier = api.replace("docket_api", "docket_courier")
    for words, setting, role, wrong in (
            (["user", "list"], "dsn", "docket_api", courier),
            (["gc"], "dsn", "docket_api", courier),
            (["queue", "list"], "courier_dsn", "docket_courier", api),
            (["audit", "tail"], "owner_dsn", "owner", api),
            (["migrate", "--dir", ROOT / "sql/migrations"], "owner_dsn",
             "owner", api),
            (["migrate", "status", "--dir", ROOT / "sql/migrations"],
             "owner_dsn", "owner", courier)):
        done = run(dev, *words, "--set", f"database.{setting}={wrong}",
                   status=os.EX_NOPERM if "status" not in words else
                   os.EX_TEMPFAIL)
        assert "permission denied" in done.stderr, done
        if "status" not in words:
            assert f"database.{setting} must be" in done.stderr and \
                role in done.stderr, done


def test_closed_files_are_told_and_nothing_takes_their_place(dev):
    """A socket that got the number of standard output would be written to."""
    conf = ("-c", str(dev.dir / "docket.conf"))
    run(dev, "user", "add", new_name(), said="a long sentence of its own")
    for closing, words, status, why in (
            (">&-", ["user", "list"], os.EX_IOERR, "standard output"),
            (">&-", ["config", "show"], os.EX_IOERR, "standard output"),
            # Written while the database is at work.
            (">&-", ["audit", "export"], os.EX_IOERR, "write the audit"),
            ("<&- >&-", ["user", "list"], os.EX_IOERR, "standard output"),
            ("<&-", ["user", "list"], 0, ""),
            ("2>&- >/dev/null", ["user", "list"], 0, ""),
            ("<&-", ["user", "add", new_name()], os.EX_NOINPUT,
             "standard input"),
            ("<&- 2>&-", ["user", "add", new_name()], os.EX_NOINPUT, "")):
        done = subprocess.run(
            ["bash", "-c", f'"$@" {closing}', "bash", dev.docket(), *conf,
             *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == status, (closing, words, done)
        assert why in done.stderr
        assert "unexpected" not in done.stderr


def test_a_reader_that_has_gone_is_no_fault_of_the_database(dev, table):
    """docket ... | head -0; where SIGPIPE is ignored, it is told."""
    for command in table[0]:
        if command.effect != "reads" or command.needs not in DSNS or \
                command.arguments or command.noun == "export":
            continue
        for trap, status in (("", (0, 141)), ("trap '' PIPE;",
                                              (0, os.EX_IOERR))):
            done = subprocess.run(
                ["bash", "-c", trap + ' "$@" | exec true; exit'
                 " ${PIPESTATUS[0]}", "bash", dev.docket(), "-c",
                 str(dev.dir / "docket.conf"), *command.words],
                capture_output=True, text=True, timeout=60)
            assert done.returncode in status, (command.words, done)
            assert done.stdout == ""


def test_a_password_that_is_not_there(dev, tmp_path):
    done = run(dev, "user", "add", new_name(), status=os.EX_DATAERR)
    assert "--password-file" in done.stderr
    done = run(dev, "user", "add", new_name(), "--password-file",
               tmp_path / "none", status=os.EX_NOINPUT)
    assert f"{tmp_path}/none: No such file" in done.stderr


def test_who_breaks_off_at_the_password_gets_the_echo_back(dev):
    ours, its = pty.openpty()
    before = termios.tcgetattr(its)
    running = subprocess.Popen(
        [dev.docket(), "-c", dev.dir / "docket.conf", "user", "add",
         new_name()], stdin=its, stdout=its, stderr=its)

    def echoes():
        return bool(termios.tcgetattr(its)[3] & termios.ECHO)

    docket.wait_until(lambda: not echoes(), "the question")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == -signal.SIGINT
    assert termios.tcgetattr(its) == before
    os.close(ours)
    os.close(its)


def test_migrations_that_are_nowhere(dev):
    for words in (["migrate"], ["migrate", "status"]):
        done = run(dev, *words, "--dir", "/nowhere", status=os.EX_NOINPUT)
        assert "/nowhere" in done.stderr and "--dir" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.alone
def test_settings_that_are_not_ours_to_read(dev, tmp_path):
    """Also where the folder may not be entered: the usual file is not taken
    for one that is not there. A second suite that removes that folder takes
    away what is mounted on it here too."""
    conf = re.search(r"those of (\S+),", run(dev, "--help",
                                             conf=False).stdout)[1]
    folder, name = os.path.split(conf)
    script = ('mkdir -p "$1" && mount -t tmpfs -o mode=700 docket "$1" &&'
              ' echo "otp { length = 7 }" >"$1/$2" && shift 2 && exec'
              ' setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"')
    enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             script, "sh", folder, name]
    made = not os.path.exists(folder)
    try:
        if subprocess.run([*enter, "true"], check=False).returncode:
            pytest.skip("no mounts of its own")
        for words in (["config", "show"], ["key", "list"], ["check"],
                      ["status"]):
            done = subprocess.run([*enter, dev.docket(), *words],
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == os.EX_NOPERM, done
            assert f"{conf}: Permission denied" in done.stderr
            assert "run this as root" in done.stderr and done.stdout == ""
        done = subprocess.run([*enter, dev.docket(), "doctor"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "next: run this as root" in \
            done.stdout
    finally:
        if made and os.path.isdir(folder):
            os.removedirs(folder)


def test_no_secret_is_an_argument(table):
    """ps shows arguments to everybody."""
    for command in table[0]:
        for spelt, _, _, kind, _, _ in command.options:
            if re.search("password|secret", spelt):
                assert kind == "file", (command.words, spelt)


# --- dry runs -------------------------------------------------------------

def test_whatever_changes_can_be_rehearsed(table):
    for command in table[0]:
        dry = "--dry-run" in [o[0] for o in command.options]
        assert dry == (command.effect != "reads"), command.words


def test_a_dry_run_of_the_database_changes_nothing(dev, fresh, table,
                                                   ledger, tmp_path):
    """Every command whose dry run is a transaction: the same words with and
    without it, and no row changes with it."""
    one = fresh()
    one.post("/auth/keys", 201, json={"name": "k", "scopes": ["account"]})
    key = run(dev, "apikey", "list", "--user",
              one.username).stdout.split()[0]
    name, password = one.username, tmp_path / "password"
    password.write_text("a long sentence of its own\n")
    session = docket.jwt_parts(one.access)[0] and \
        docket.jwt_parts(one.access)[1]["sid"]
    cases = {
        ("user", "add"): ([new_name(), "--password-file", password],
                          "added"),
        ("user", "unlock"): ([name], "unlocked"),
        ("user", "disable"): ([name], "deactivated"),
        ("user", "enable"): ([name], "activated"),
        ("user", "delete"): ([name], "deleted"),
        ("session", "revoke"): ([session], "1 ended"),
        ("apikey", "add"): (["--user", name, "--scopes", "account"],
                            "would be shown"),
        ("apikey", "rotate"): ([key], "would be shown"),
        ("apikey", "revoke"): ([key], ""),
        ("gc",): ([], "codes "),
    }
    assert set(cases) == {tuple(c.words) for c in table[0]
                          if c.effect == "changes"} | {("user", "add")}
    def rows():  # a number that was drawn is not given back
        return {name: state for name, state in ledger.settled().items()
                if not name.endswith("_seq")}

    before = rows()
    for words, (more, said) in cases.items():
        out = run(dev, *words, *more, "--dry-run").stdout
        assert said in out and "dk_" not in out
        assert out.endswith("Nothing was changed (--dry-run).\n")
        assert rows() == before, words
    one.get("/auth/me", 200)
    assert one.get("/auth/keys").json["keys"]
    # What would be refused is refused, and nothing is said to be unchanged.
    done = run(dev, "user", "delete", new_name(), "--dry-run",
               status=os.EX_DATAERR)
    assert done.stdout == ""
    run(dev, "session", "revoke", str(uuid.uuid4()), "--dry-run",
        status=os.EX_DATAERR)
    # The same without it is done.
    for words in (("apikey", "revoke"), ("session", "revoke")):
        run(dev, *words, *cases[words][0])
    one.get("/auth/me", 401)


# --- long work ------------------------------------------------------------

def seen(dev, *words):
    """What a terminal shows of a command's standard error."""
    ours, its = pty.openpty()
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", *words], stderr=its,
        stdout=subprocess.PIPE, timeout=60, check=True)
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    return shown.decode(), done.stdout


def test_long_work_shows_how_far_it_is(dev, fresh, tmp_path):
    one, tasks, users = fresh(), tmp_path / "t.csv", tmp_path / "u.ndjson"
    for title in ("one", "two"):
        one.task(title)
    users.write_text(json.dumps({"username": new_name()}) + "\n")
    cases = (
        (["export", "--user", one.username, "-o", tasks], r"\r2 tasks"),
        (["import", "--user", one.username, tasks, "--dry-run"],
         r"\r\[#{30}\] 100 %  2 tasks"),
        (["user", "import", users, "--dry-run"], r"\r1 lines"),
        (["audit", "export", "--since", "1h"], r"\r\d+ events"))
    for words, want in cases:
        assert re.search(want, seen(dev, *words)[0]), words
        assert "\r" not in run(dev, *words).stderr, "only for people"


# --- docket config --------------------------------------------------------

ROWS = re.findall(
    r'^SETTING\((\w+), (\w+), ([A-Z]+), "((?:[^"\\]|\\.)*)", (\d+), (\d+)',
    (ROOT / "include/tbl/settings.h").read_text(), re.M)
NAMES = [key if section == "top" else f"{section}.{key}"
         for section, key, *_ in ROWS]


def config(dev, *words, **more):
    return run(dev, "config", "show", *words, **more).stdout


def shown(text):
    """{name: value}"""
    return dict(line.split(None, 1) if " " in line.strip() else
                (line.strip(), "") for line in text.splitlines())


def test_every_setting_is_shown(dev):
    lines = config(dev).splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    told = json.loads(config(dev, "--json"))
    assert list(told) == NAMES
    for name, one in told.items():
        assert set(one) == {"value", "default", "origin"}, name
    # Each value reads back as itself.
    assert told["otp.echo"]["value"] is True
    assert told["otp.echo"]["default"] is False
    assert told["otp.ttl"]["default"] == 120
    assert told["auth.refresh_idle"]["default"] == 14 * 86400
    assert told["tasks.transfers"]["default"] == "auto"
    assert told["courier.mail_name"]["value"] == ""


def test_what_differs_and_who_said_so(dev, tmp_path):
    conf = tmp_path / "docket.conf"
    conf.write_text("# a comment\notp {\n\tlength = 7\n\tttl = 2m\n}\n"
                    "courier {\n\tmail_name = \"caf\\xff\"\n}\n")
    (tmp_path / "conf.d").mkdir()
    more = tmp_path / "conf.d" / "10-x.conf"
    more.write_text("server { workers = 3 }\n")
    words = ["-c", conf, "--set", "otp.length=8", "config", "show"]
    env = {"DOCKET_SERVER_SHED_MS": "900"}
    told = json.loads(run(dev, *words, "--changed", "--json", conf=False,
                          env=env).stdout)
    # 2m is the default, in other words.
    assert told == {
        "server.workers": {"value": 3, "default": "auto",
                           "origin": f"{more}:1"},
        "server.shed_ms": {"value": 900, "default": 1000,
                           "origin": "DOCKET_SERVER_SHED_MS"},
        "otp.length": {"value": 8, "default": 6, "origin": "--set"},
        "courier.mail_name": {"value": "caf?", "default": "",
                              "origin": f"{conf}:7"}}
    lines = run(dev, *words, "otp", "--origin", conf=False).stdout
    assert lines.splitlines()[0].split() == ["otp.length", "8", "#", "--set"]
    assert re.search(rf"^otp\.ttl +2m  # {conf}:4$", lines, re.M)
    assert len(lines.splitlines()) == \
        sum(name.startswith("otp.") for name in NAMES)
    lines = run(dev, *words, "otp", "--changed", conf=False).stdout
    assert lines.split() == ["otp.length", "8", "#", "default", "6"]
    lines = run(dev, *words, "otp", "--changed", "--origin",
                conf=False).stdout
    assert lines.endswith(" 8  # default 6, --set\n")
    assert shown(run(dev, *words, "otp.ttl", "profile", conf=False).stdout) \
        == {"otp.ttl": "2m", "profile": "production"}


def test_no_password_is_shown(dev):
    sets = []
    for one in ("database.dsn=host=/x password=hush user=me",
                "database.owner_dsn=postgresql://me:hush@h/db?password=hush",
                "courier.hook_url=https://me:hush@example.org/x",
                "courier.gateway_url=https://me:hush@example.org/x"):
        sets += ["--set", one]
    for words in ((), ("--json",), ("--origin", "--changed")):
        done = run(dev, *sets, "config", "show", *words)
        assert "hush" not in done.stdout + done.stderr
        assert done.stdout.count("***") == 5


def test_what_is_no_setting(dev):
    for name in ("otp.nothing", "", "ttl", "OTP", "top.otp"):
        done = run(dev, "config", "show", "otp.ttl", name,
                   status=os.EX_DATAERR)
        assert "is no setting" in done.stderr and done.stdout == ""
    run(dev, "-c", "/nowhere", "config", "show", conf=False,
        status=os.EX_CONFIG)


def test_the_sample_is_docketds_and_the_list_is_the_table(dev, tmp_path):
    sample = run(dev, "config", "sample", conf=False).stdout
    assert sample == subprocess.run([dev.docketd(), "--settings"], text=True,
                                    capture_output=True, check=True).stdout
    conf = tmp_path / "docket.conf"
    conf.write_text(sample)
    assert run(dev, "-c", conf, "config", "show", "--changed",
               conf=False).stdout == ""
    rows = [line.split("\t") for line in run(
        dev, "config", "list", conf=False).stdout.splitlines()]
    assert [row[:5] for row in rows] == [
        [name, kind.lower(), dflt, low, high]
        for name, (_, _, kind, dflt, low, high) in zip(NAMES, ROWS)]
    assert all(len(row) == 6 and row[5] for row in rows)


# --- bash -----------------------------------------------------------------

@pytest.fixture(scope="module")
def complete(dev, tmp_path_factory):
    """What bash offers for a line; its last word is the one being typed."""
    place = tmp_path_factory.mktemp("complete")
    (place / "tasks.csv").write_text("")
    (place / "a folder").mkdir()
    file = pathlib.Path(dev.docketd()).parent / "completion/docket"

    def offers(*words):
        # bash itself parts a line at = too
        parts = [p for word in ("docket", *words)
                 for p in (re.split("(=)", word) if word.startswith("--")
                           else [word])]
        script = ('source "$1"; shift; COMP_WORDS=("$@");'
                  ' COMP_CWORD=$(($# - 1));'
                  ' spec=$(complete -p docket); eval "set -- $spec";'
                  ' "$3" docket "${COMP_WORDS[COMP_CWORD]}"'
                  ' "${COMP_WORDS[COMP_CWORD - 1]}";'
                  ' printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(
            ["bash", "--norc", "-uc", script, "bash", file, *parts],
            cwd=place, capture_output=True, text=True, timeout=120,
            check=False)
        assert done.returncode == 0 and not done.stderr, done
        return done.stdout.splitlines() if done.stdout != "\n" else []

    return offers


@pytest.mark.plain
def test_bash_completes_every_command(complete, table):
    commands, common = table
    nouns = list(dict.fromkeys(c.noun for c in commands))
    assert complete("") == nouns
    assert complete("--set", "a=b", "-c", "x", "") == nouns
    for noun in nouns:
        assert noun in complete(noun[:2])
        verbs = [c.verb for c in commands if c.noun == noun and c.verb]
        if verbs:
            assert complete("-c", "x.conf", noun, "") == verbs
    for command in commands:
        assert complete(*command.words, "--") == [
            o[0] for o in command.options + common], command.words
        words = complete(*command.words, "")
        if command.verb and "FILE" in command.arguments:
            assert sorted(words) == ["a folder", "tasks.csv"]
        elif command.verb:
            assert words == [], command.words
        for spelt, letter, _, kind, value, _ in command.options + common:
            if kind == "flag":
                continue
            for way in filter(None, (spelt, letter)):
                offers = complete(*command.words, way, "")
                assert sorted(offers) == {
                    "choice": sorted(value.split("|")), "word": [],
                    "file": ["a folder", "tasks.csv"],
                    "dir": ["a folder"]}[kind], (command.words, way)


def test_bash_completes_what_is_begun(complete):
    assert complete("us") == ["user"]
    assert complete("user", "de") == ["delete"]
    assert complete("user", "delete", "--d") == ["--dry-run"]
    assert complete("export", "--format", "n") == ["ndjson"]
    assert complete("export", "--format=n") == ["ndjson"]
    assert complete("export", "--format=") == ["json", "ndjson", "csv",
                                               "ics"]
    assert complete("import", "ta") == ["tasks.csv"]
    assert complete("--config=ta") == ["tasks.csv"]
    assert complete("nobody", "") == []
    # A verb's name as a value is no verb.
    assert complete("user", "--email", "add", "d") == ["disable", "delete"]
