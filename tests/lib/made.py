# SPDX-License-Identifier: AGPL-3.0-or-later
"""People for tests that are about something else: the rows that registration
writes, without the hash that it computes, which costs more than such a test.

The service itself registers the first person of an instance. Every row that
it wrote is kept, and whoever is made later gets the same rows, other ids,
names and times in them: a column or a table that registration learns of comes
along by itself. The tokens are signed with the instance's own keys."""

import datetime
import hashlib
import hmac
import json
import secrets
import threading
import time

import docket
from trail import owner

PASSWORD = "correct horse"


def quoted(value):
    return "'" + json.dumps(value).replace("'", "''") + "'"


def uuid7(ms):
    digits = f"{ms:012x}7{secrets.randbits(12):03x}" \
             f"{8 + secrets.randbits(2):x}{secrets.randbits(60):015x}"
    return "-".join(digits[a:b] for a, b in
                    ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))


def instant(ms):
    when = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def born(id):
    """The millisecond in a UUIDv7."""
    return int(id.replace("-", "")[:12], 16)


class Mould:
    """What registration left of one person, to make more of."""

    def __init__(self, dev):
        self.dev = dev
        self.owner = owner(dev)
        self.first = docket.registered(dev)
        self.first.close()
        self.sid = docket.jwt_parts(self.first.access)[1]["sid"]
        self.refresh_key = refresh_key(dev)
        self.columns = self.tables()
        self.rows = {table: self.ask(
            f"SELECT to_jsonb(t) FROM docket.{table} t"
            f" WHERE {self.whose(table)} = '{self.first.id}'")
            for table in self.columns}
        (audit,) = self.rows["audit"]
        self.request_id = audit["request_id"]
        self.fits = self.tokens_are_known()

    def ask(self, statement):
        """Its rows, each a line of JSON."""
        return [json.loads(row[0]) for row in self.owner.sql(statement)]

    @staticmethod
    def whose(table):
        return "t.id" if table == "users" else "t.user_id"

    def tables(self):
        """{table: [[column, is it an instant?]]} of those that may know a
        user; numbers that the database draws are its own."""
        found = self.ask(
            "SELECT json_build_array(c.relname, json_agg(json_build_array("
            "quote_ident(attname), atttypid = 'timestamptz'::regtype)"
            " ORDER BY attnum)) FROM pg_class c JOIN pg_attribute a"
            " ON attrelid = c.oid WHERE relnamespace = 'docket'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
            " AND attnum > 0 AND NOT attisdropped AND attidentity = ''"
            " AND attgenerated = '' AND (relname = 'users' OR EXISTS (SELECT"
            " FROM pg_attribute u WHERE u.attrelid = c.oid"
            " AND u.attname = 'user_id')) GROUP BY relname")
        return dict(found)

    def tokens_are_known(self):
        """Can what the service signs be signed here?"""
        header, claims, _ = self.first.access.split(".")
        return self.refresh(self.sid) == self.first.refresh and \
            docket.jwt_sign(docket.unb64(header), docket.unb64(claims),
                            docket.unb64(self.dev.jwt["key"])) \
            == self.first.access

    def refresh(self, sid):
        """A session's first refresh token (core/refresh.c)."""
        signed = b"\1" + bytes.fromhex(sid.replace("-", "")) + bytes(8)
        mac = hmac.new(self.refresh_key, signed, hashlib.sha256).digest()
        return docket.b64(signed + mac[:16])

    def access(self, changes):
        header, claims = docket.jwt_parts(self.first.access)
        now = int(time.time())
        life = claims["exp"] - claims["iat"]
        claims.update(jti=uuid7(now * 1000), iat=now, exp=now + life,
                      sub=changes[self.first.id], sid=changes[self.sid])
        return docket.jwt_sign(header, claims,
                               docket.unb64(self.dev.jwt["key"]))

    def insert(self, table, changes, members, ms):
        """One statement's part: the mould's rows of a table, changed."""
        rows = [{k: changes.get(v, v) if isinstance(v, str) else v
                 for k, v in row.items()} for row in self.rows[table]]
        if table == "users":
            rows = [{**row, **members} for row in rows]
        later = f"{ms - born(self.first.id)} * interval '1 ms'"
        names = [name for name, _ in self.columns[table]]
        values = [f"r.{name} + {later}" if is_instant else f"r.{name}"
                  for name, is_instant in self.columns[table]]
        return (f"INSERT INTO docket.{table} ({', '.join(names)})"
                f" SELECT {', '.join(values)} FROM jsonb_populate_recordset("
                f"NULL::docket.{table}, {quoted(rows)}) r")

    def person(self, email=None, phone=None):
        ms = time.time_ns() // 1000000
        name, id, sid = docket.new_name(), uuid7(ms), uuid7(ms)
        changes = {self.first.id: id, self.sid: sid,
                   self.first.username: name,
                   self.request_id: secrets.token_hex(16)}
        members = {"email": email, "email_key": email, "phone": phone}
        parts = ", ".join(
            f"of_{table} AS ({self.insert(table, changes, members, ms)})"
            for table, rows in self.rows.items()
            if rows and table != "users")
        (number,) = self.ask(
            f"WITH u AS ({self.insert('users', changes, members, ms)}"
            f" RETURNING number), {parts} SELECT number FROM u")
        user = {**self.first.user, "id": id, "number": number,
                "username": name, "email": email, "phone": phone,
                "created_at": instant(ms), "updated_at": instant(ms)}
        return docket.Person(self.dev, {
            "user": user, "access_token": self.access(changes),
            "refresh_token": self.refresh(sid),
            "expires_in": self.first.expires_in}, PASSWORD)



def refresh_key(dev):
    """The service's key for refresh tokens: HKDF (RFC 5869) of its secret."""
    secret = docket.unb64(dev.read("keys/secret.key"))
    whole = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(whole, b"refresh\1", hashlib.sha256).digest()


MOULDS, LOCK = {}, threading.Lock()


def mould(dev):
    """The mould of the instance that all tests share; None for those that a
    test has for itself, whose keys may change under it."""
    if not dev.shared():
        return None
    with LOCK:
        if dev.dir not in MOULDS:
            MOULDS[dev.dir] = Mould(dev)
        found = MOULDS[dev.dir]
    return found if found.fits else None


def person(dev, **members):
    """A fresh person, or None: not here, or registration has more to say of
    these members than what they are."""
    plain = {"email": None, "phone": None, **members}
    if set(plain) != {"email", "phone"} or not all(
            value is None or ok.fullmatch(value) for value, ok in (
                (plain["email"], docket.EMAIL),
                (plain["phone"], docket.PHONE))):
        return None
    found = mould(dev)
    return found and found.person(**plain)
