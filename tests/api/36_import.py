# SPDX-License-Identifier: AGPL-3.0-or-later
"""docket user import: every line is in, or said to be out and why."""

import csv
import io
import json
import os
import re
import subprocess

import passlib.hash
import pytest
import werkzeug.security

import docket
from docket import new_email, new_name, new_phone, register

RIGHT = "correct horse"
CHEAP = passlib.hash.pbkdf2_sha256.using(rounds=10).hash(RIGHT)
SAID = re.compile(r"(\d+) (added|added or updated), (\d+) lines refused"
                  r"(; nothing was changed \(--dry-run\))?\n")


def ndjson(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows):
    out = io.StringIO()
    columns = sorted({name for row in rows for name in row})
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def run(dev, text, *options, status=os.EX_OK, file="-"):
    """(added, refused, what was said of the lines)"""
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", "user", "import",
         *options, file], input=text if isinstance(text, bytes)
        else text.encode(), capture_output=True, timeout=300, check=False)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, f"{out}{err}"
    said = SAID.fullmatch(out)
    if not said:
        return None, None, err
    return int(said[1]), int(said[3]), err


def account(**more):
    return {"username": new_name(), "email": new_email(),
            "phone": new_phone(), "password_hash": CHEAP, **more}


def row_of(dev, name):
    found = dev.sql("SELECT email, phone, role, active, created_at AT TIME"
                    " ZONE 'UTC', password_hash FROM docket.users WHERE"
                    " username = :'name'", name=name)
    return found[0] if found else None


def log_in(client, name, password=RIGHT, expect=200):
    return client.post("/auth", expect, json={"username": name,
                                              "password": password})


@pytest.mark.parametrize("form", [ndjson, table])
def test_everything_that_is_given_is_there(dev, api, form):
    one = account(role="admin", active="true",
                  created_at="2021-03-04T05:06:07.890+01:00")
    if form is ndjson:
        one["active"] = True
    assert run(dev, form([one])) == (1, 0, "")
    assert row_of(dev, one["username"]) == [
        one["email"], one["phone"], "admin", "t", "2021-03-04 04:06:07.89",
        CHEAP]
    user = log_in(api, one["username"]).json["user"]
    assert user["role"] == "admin" and user["status"] == "Y"
    assert user["created_at"] == "2021-03-04T04:06:07.890Z"
    # The id was made in that very millisecond (RFC 9562).
    assert int(user["id"].replace("-", "")[:12], 16) == 1614830767890
    log_in(api, one["email"])
    log_in(api, one["phone"])
    assert dev.sql("SELECT password_hash LIKE '$argon2id$%' FROM docket.users"
                   " WHERE username = :'name'", name=one["username"]) == \
        [["t"]]


@pytest.mark.parametrize("form", [ndjson, table])
def test_only_a_name_is_needed(dev, api, form):
    name = new_name()
    assert run(dev, form([{"username": name}])) == (1, 0, "")
    email, phone, role, active, _, value = row_of(dev, name)
    assert [email, phone, role, active, value] == ["", "", "user", "t", ""]
    log_in(api, name, expect=401)
    log_in(api, name, "x", expect=401)


def test_an_imported_user_can_work(dev):
    one = account()
    run(dev, ndjson([one]))
    person = docket.login(dev, one["username"], RIGHT)
    assert person.task("first")["number"] == 1
    person.close()


def test_deactivated_stays_so(dev, api):
    one = account(active=False)
    run(dev, ndjson([one]))
    reply = log_in(api, one["username"], expect=401)
    assert reply.code == "user_inactive"


def test_numbers_count_up_in_the_order_of_the_lines(dev):
    rows = [account() for _ in range(600)]
    assert run(dev, ndjson(rows)) == (600, 0, "")
    names = [r[0] for r in dev.sql(
        "SELECT username FROM docket.users WHERE number > (SELECT number - 1"
        " FROM docket.users WHERE username = :'first') ORDER BY number"
        " LIMIT 600", first=rows[0]["username"])]
    assert names == [row["username"] for row in rows]


# name, members that break a good row, the words of the report
BROKEN = [
    ("no name", {"username": None}, "/username"),
    ("bad name", {"username": "a b"}, "/username may hold letters"),
    ("bad email", {"email": "nobody"}, "/email must be an e-mail"),
    ("bad phone", {"phone": "12"}, "/phone must be a phone"),
    ("bad role", {"role": "root"}, "/role "),
    ("bad instant", {"created_at": "yesterday"}, "/created_at must be"),
    ("future", {"created_at": "2999-01-01T00:00:00Z"},
     "/created_at must be between 1970 and now"),
    ("before", {"created_at": "1969-12-31T23:59:59Z"},
     "/created_at must be between 1970 and now"),
    ("dear hash", {"password_hash": "$2b$31$" + "a" * 53},
     "/password_hash cannot be taken: the hash would cost more"),
    ("unknown hash", {"password_hash": "secret-canary"},
     "/password_hash cannot be taken: the hash is of no format"),
    ("broken hash", {"password_hash": "$argon2id$v=19$x"},
     "/password_hash cannot be taken: the hash is malformed"),
    ("unknown member", {"is_admin": True}, "/is_admin"),
]


@pytest.mark.parametrize("name, change, words", BROKEN,
                         ids=[b[0] for b in BROKEN])
def test_a_bad_line_is_told_and_the_others_are_in(dev, name, change, words):
    first, last = account(), account()
    bad = {**account(), **change}
    added, refused, said = run(dev, ndjson([first, bad, last]),
                               status=os.EX_DATAERR)
    assert (added, refused) == (2, 1)
    assert said.startswith(f"stdin:2: {words}"), said
    assert said.count("\n") == 1 and "canary" not in said
    assert row_of(dev, first["username"]) and row_of(dev, last["username"])


def test_all_faults_of_a_line_are_told(dev):
    added, refused, said = run(dev, ndjson([
        {"username": "a b", "email": "x", "phone": "1"}]),
        status=os.EX_DATAERR)
    assert (added, refused) == (0, 1)
    assert [line.split()[1] for line in said.splitlines()] == [
        "/username", "/email", "/phone"]


@pytest.mark.parametrize("text, words", [
    ("{\n", "stdin:1: "), ('{"username":"abc"} x\n', "stdin:1: "),
    ('{"username":"abc","username":"abd"}\n', "stdin:1: "),
    ('{"username":"a\\ud800bc"}\n', "stdin:1: "),
    ('{"username":"' + "a" * 70000 + '"}\n', "more than 64 KiB")])
def test_what_is_no_json(dev, text, words):
    added, refused, said = run(dev, text, status=os.EX_DATAERR)
    assert (added, refused) == (0, 1) and words in said, said


@pytest.mark.parametrize("text, words", [
    ("name,email\n", "stdin:1: there is no column name"),
    ("username,username\n", "stdin:1: twice: username"),
    ("email,phone\n", "stdin:1: there must be a column username"),
    ('"username,email\n', "stdin:1: a quote is not closed"),
    ("\n\n", "there is no header")])
def test_a_header_that_is_none_imports_nothing(dev, text, words):
    _, _, said = run(dev, text, status=os.EX_DATAERR)
    assert words in said, said


@pytest.mark.parametrize("line, words", [
    ("{name},a@b.example,x", "as many cells as the header"),
    ("{name}", "as many cells as the header"),
    ('"{name}",""', None), ('"{name}', "a quote is not closed"),
    ('"{name}"x,', "a quote is not closed"),
    (",a@b.example", "/username"), ("{name}\0,", "/username")])
def test_lines_of_csv(dev, line, words):
    name = new_name()
    text = "\ufeffusername,email\r\n" + line.format(name=name) + "\r\n"
    added, refused, said = run(
        dev, text, status=os.EX_DATAERR if words else os.EX_OK)
    if words:
        assert (added, refused) == (0, 1), said
        assert said.startswith("stdin:2: ") and words in said, said
    else:
        assert (added, refused, said) == (1, 0, "")


def test_quotes_in_csv_are_undone(dev):
    name = new_name()
    _, _, said = run(dev, f'username,email\n"{name}","a""b@c.example"\n',
                     status=os.EX_DATAERR)
    assert "/email" in said
    run(dev, f'username,email\n"{name}","{name}@c.example"\n')
    assert row_of(dev, name)[0] == f"{name}@c.example"


def test_an_empty_file_is_no_fault(dev):
    assert run(dev, "") == (0, 0, "")
    assert run(dev, "username\n") == (0, 0, "")


def test_what_is_taken_is_named_by_its_line(dev, api):
    there = register(api, RIGHT, email=new_email(),
                     phone=new_phone()).json["user"]
    rows = [account() for _ in range(9)]
    rows[2]["username"] = there["username"].upper()
    rows[4]["email"] = there["email"].upper()
    rows[6]["phone"] = "00" + there["phone"][1:]
    added, refused, said = run(dev, ndjson(rows), status=os.EX_DATAERR)
    assert (added, refused) == (6, 3)
    assert said.splitlines() == [
        "stdin:3: This username is taken.",
        "stdin:5: This email address is taken.",
        "stdin:7: This phone number is taken."]
    assert sum(row_of(dev, row["username"]) is not None for row in rows) == 6
    log_in(api, there["username"])


@pytest.mark.parametrize("option", [[], ["--dry-run"], ["--update"]])
def test_twice_in_one_file(dev, option):
    rows = [account() for _ in range(5)]
    rows[2]["username"] = rows[0]["username"].upper()
    rows[3]["email"] = rows[1]["email"].upper()
    rows[4]["phone"] = rows[1]["phone"]
    added, refused, said = run(dev, ndjson(rows), *option,
                               status=os.EX_DATAERR)
    assert (added, refused) == (2, 3)
    assert said.splitlines() == [
        "stdin:3: username is that of line 1",
        "stdin:4: email is that of line 2",
        "stdin:5: phone is that of line 2"]


def test_dry_run_says_the_same_and_changes_nothing(dev, api, ledger):
    taken = register(api, RIGHT).json["user"]["username"]
    rows = [account(), account(username=taken), account(email="x")]
    before = ledger.mark()
    dry = run(dev, ndjson(rows), "--dry-run", status=os.EX_DATAERR)
    assert set(ledger.changed(before)) <= {"users_number_seq",
                                           "audit_id_seq"}
    assert row_of(dev, rows[0]["username"]) is None
    assert dry == run(dev, ndjson(rows), status=os.EX_DATAERR)
    assert dry[:2] == (1, 2)


def test_again_without_update_changes_nothing(dev, api):
    rows = [account() for _ in range(3)]
    run(dev, ndjson(rows))
    log_in(api, rows[0]["username"])
    before = row_of(dev, rows[0]["username"])
    assert run(dev, ndjson(rows), status=os.EX_DATAERR)[:2] == (0, 3)
    assert row_of(dev, rows[0]["username"]) == before


def test_update_changes_what_is_given(dev, api):
    one = account(role="admin")
    run(dev, ndjson([one]))
    token = log_in(api, one["username"]).json["token"]
    name, email = one["username"], new_email()
    # Without a password the sessions stay.
    assert run(dev, ndjson([{"username": name.upper(), "email": email}]),
               "--update") == (1, 0, "")
    me = api.get("/auth/me", token=token).json
    assert (me["email"], me["phone"], me["role"], me["username"]) == \
        (email, one["phone"], "admin", name)
    # With one they end.
    other = werkzeug.security.generate_password_hash(
        "another horse", "pbkdf2:sha256:10")
    assert run(dev, ndjson([{"username": name, "password_hash": other,
                             "role": "user"}, account()]),
               "--update") == (2, 0, "")
    api.get("/auth/me", 401, token=token)
    log_in(api, name, expect=401)
    assert log_in(api, name, "another horse").json["user"]["role"] == "user"
    run(dev, ndjson([{"username": name, "active": False}]), "--update")
    log_in(api, name, "another horse", expect=401)


def test_update_of_what_another_has(dev, api):
    there = register(api, RIGHT, email=new_email()).json["user"]
    one = account()
    run(dev, ndjson([one]))
    _, _, said = run(dev, ndjson([account(), {
        "username": one["username"], "email": there["email"]}]), "--update",
        status=os.EX_DATAERR)
    assert said == "stdin:2: This email address is taken.\n"


def test_each_account_leaves_a_trail(dev):
    one = account(role="admin")
    run(dev, ndjson([one]))
    psql = [docket.psql(), "-X", "-q", "-A", "-t", "-d",
            dev.dsn.replace("docket_api", "docket_owner"), "-c",
            "SELECT event, detail FROM docket.audit a JOIN docket.users u"
            f" ON u.id = a.user_id WHERE username = '{one['username']}'"]
    assert subprocess.run(psql, text=True, capture_output=True,
                          check=True).stdout == "user_import|admin\n"


def test_a_file_by_name(dev, tmp_path):
    one = account()
    path = tmp_path / "users.ndjson"
    path.write_text(ndjson([one]) + "{}\n")
    done = run(dev, "", file=path, status=os.EX_DATAERR)
    assert done[:2] == (1, 1)
    assert done[2].startswith(f"{path}:2: /username"), done


def test_wrong_usage_no_file_no_database(dev, tmp_path):
    run(dev, "", file=tmp_path / "absent", status=os.EX_NOINPUT)
    run(dev, "", "--never", status=os.EX_USAGE)
    run(dev, "", "two", status=os.EX_USAGE)
    run(dev, ndjson([account()]), "--set", "database.dsn=host=/nowhere",
        status=os.EX_TEMPFAIL)


# --- docket user add ---------------------------------------------------------

@pytest.mark.parametrize("password, options, words", [
    (RIGHT, [], None), ("short", [], "8 to 256 bytes"),
    ("password1", [], None),
    ("password1", ["--set", "auth.password_blocklist=on"],
     "among the passwords that guessers try first"),
    ("NAME", ["--set", "auth.password_blocklist=on"], "your own name")])
def test_one_is_added_by_the_same_rules(dev, api, password, options, words):
    name = new_name()
    password = name if password == "NAME" else password
    done = subprocess.run(
        [dev.docket(), "-c", dev.dir / "docket.conf", *options, "user", "add",
         name, "--password-file", "-"], input=password + "\n", text=True,
        capture_output=True, timeout=60, check=False)
    if words:
        assert done.returncode == os.EX_DATAERR and words in done.stderr
        assert password not in done.stderr and row_of(dev, name) is None
    else:
        assert done.stdout == f"{name} added\n", done.stderr
        log_in(api, name, password)


@pytest.mark.long
def test_fifty_thousand(dev):
    rows = [account() for _ in range(50000)]
    assert run(dev, ndjson(rows)) == (50000, 0, "")
