# SPDX-License-Identifier: AGPL-3.0-or-later
"""People that tests make by rows (lib/made.py) are those that registration
makes: column by column, and for whoever meets them."""

import datetime
import json

import pytest

import docket
import made
from docket import jwt_parts, login, new_email, new_phone

pytestmark = pytest.mark.plain

MEMBERS = [{}, {"email": True}, {"phone": True},
           {"email": True, "phone": True}]


def filled(members):
    new = {"email": new_email, "phone": new_phone}
    return {name: new[name]() for name in members}


def left_of(dev, person):
    """{table: rows} of all rows that name a person in any column."""
    mould = made.mould(dev)
    tables = mould.ask(
        "SELECT to_json(relname) FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'docket'::regnamespace AND NOT relispartition")
    names = [person.id, person.username, person.user["email"],
             person.user["phone"], jwt_parts(person.access)[1]["sid"]]
    words = json.dumps([n for n in names if n]).replace("[", "").replace(
        "]", "").replace('"', "'")
    found = {}
    for table in tables:
        rows = mould.ask(
            f"SELECT to_jsonb(t) FROM docket.{table} t WHERE EXISTS (SELECT"
            f" FROM unnest(ARRAY[{words}]) w"
            " WHERE strpos(to_jsonb(t)::text, w) > 0)")
        if rows:
            found[table] = rows
    return found


def seconds(value):
    """An instant's seconds, or None for what is none."""
    try:
        return datetime.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None


def general(person, rows):
    """The rows without what is one person's alone. Instants are told from
    the account's birth on."""
    own = {person.id: "<id>", person.username: "<name>",
           jwt_parts(person.access)[1]["sid"]: "<session>",
           person.user["email"]: "<email>", person.user["phone"]: "<phone>"}
    birth = made.born(person.id) / 1000
    out = {}
    for table, found in rows.items():
        for row in found:
            for name, value in row.items():
                if value in own and value is not None:
                    row[name] = own[value]
                elif seconds(value) is not None:
                    row[name] = round(seconds(value) - birth, -1)
            # Numbers are drawn, requests and hashes never the same.
            for name in ("request_id", "password_hash"):
                row[name] = row[name] and "<some>" if name in row else None
            row.pop("id" if table == "audit" else "number", None)
        out[table] = found
    return out


@pytest.mark.parametrize("members", MEMBERS, ids=lambda m: "+".join(m))
def test_the_rows_are_those_of_registration(dev, members):
    one = docket.registered(dev, **filled(members))
    two = made.person(dev, **filled(members))
    rows = left_of(dev, one)
    assert {"users", "sessions", "counters", "audit"} <= set(rows)
    assert general(two, left_of(dev, two)) == general(one, rows)
    assert set(two.user) == set(one.user)
    one.close()
    two.close()


def test_one_hash_serves_all_and_lets_in(dev):
    one, two = made.person(dev), made.person(dev)
    hashes = {left_of(dev, who)["users"][0]["password_hash"]
              for who in (one, two)}
    assert len(hashes) == 1 and hashes.pop().startswith("$argon2id$")
    again = login(dev, two.username, two.password)
    assert again.id == two.id
    for who in (one, two, again):
        who.close()


@pytest.mark.parametrize("members", MEMBERS, ids=lambda m: "+".join(m))
def test_the_service_knows_them(dev, members):
    one = made.person(dev, **filled(members))
    assert one.get("/auth/me").json == one.user
    assert one.task("first")["number"] == 1
    pair = one.post("/auth/refresh", token=None,
                    json={"refresh_token": one.refresh}).json
    one.get("/tasks", token=pair["access_token"])
    one.post("/auth/logout")
    one.get("/tasks", 401)
    one.close()


def test_tokens_say_what_the_services_say(dev):
    one, two = docket.registered(dev), made.person(dev)
    (header, claims), (other, said) = map(jwt_parts, (one.access, two.access))
    assert header == other and list(claims) == list(said)
    own = {"sub", "sid", "jti", "iat", "exp"}
    assert {k: v for k, v in claims.items() if k not in own} == \
        {k: v for k, v in said.items() if k not in own}
    assert claims["exp"] - claims["iat"] == said["exp"] - said["iat"]
    assert len(one.access) == len(two.access)
    assert len(one.refresh) == len(two.refresh)
    assert one.expires_in == two.expires_in
    one.close()
    two.close()


def test_what_has_more_to_say_is_registered(dev):
    """Another password, a name of one's own, an address as nobody's tests
    write it: the service's to judge."""
    for members in ({"password": "another one"}, {"username": "x"},
                    {"email": "A.b@example.org"}, {"phone": "+4912345678"},
                    {"role": "admin"}):
        assert made.person(dev, **members) is None


# --- the connection that made people and dev.sql() share ------------------

def test_a_statement_finds_nothing_of_an_earlier_one(dev):
    assert dev.shared()
    assert dev.sql("SET search_path = docket; BEGIN; SELECT 1") == [["1"]]
    assert dev.sql("SHOW search_path") != [["docket"]]
    assert dev.sql("SELECT now() = statement_timestamp()") == [["t"]]
    assert dev.sql("PREPARE p AS SELECT 1; SELECT :'x'", x=1) == [["1"]]
    assert dev.sql("SELECT count(*) FROM pg_prepared_statements") == [["0"]]
    with pytest.raises(AssertionError, match="x"):
        dev.sql("SELECT :'x'")
    backend = dev.sql("SELECT pg_backend_pid()")
    assert dev.sql("SELECT pg_backend_pid()") == backend


def test_values_arrive_as_they_are(dev):
    for value in ("", "it's", "a\\b", "two\nlines", "\\echo x", ":'y'",
                  "\u06f1\u06f2 \U0001f600", "tab\tbed", '"', "$1 ; --"):
        (row,) = dev.sql("SELECT encode(convert_to(:'v', 'UTF8'), 'hex')",
                         v=value)
        assert bytes.fromhex(row[0]).decode() == value


def test_what_the_database_refuses_is_told(dev):
    with pytest.raises(AssertionError, match="division by zero"):
        dev.sql("SELECT 1/0")
    with pytest.raises(AssertionError, match="permission denied"):
        dev.sql("SELECT 1; SELECT * FROM docket.audit")
    assert dev.sql("SELECT 1; SELECT 2 -- and no more") == [["1"], ["2"]]


def test_a_connection_that_was_lost_costs_nothing(dev):
    """And two at a time are two connections."""
    backend = dev.sql("SELECT pg_backend_pid()")[0][0]
    other = docket.Dev(dev.dir)
    other.dsn += " application_name=other"
    assert other.sql(f"SELECT pg_terminate_backend({backend})") == [["t"]]
    assert dev.sql("SELECT 1") == [["1"]]
    assert dev.sql("SELECT pg_backend_pid()") != [[backend]]
    pids = docket.parallel([lambda: dev.sql(
        "SELECT pg_backend_pid() FROM pg_sleep(0.2)")] * 3)
    assert len({row[0] for (row,) in pids}) == 3
