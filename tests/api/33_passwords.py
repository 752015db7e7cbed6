# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passwords: the ones that guessers try first, the hashes of other programs,
and a new hash at the first right one."""

import base64
import hashlib
import statistics
import time

import argon2
import bcrypt
import passlib.hash
import pytest
import werkzeug.security

import docket
import instance
from docket import new_email, new_name, new_phone, parallel, register

RIGHT = "correct horse"
OURS = "$argon2id$v=19$m=19456,t=2,p=1$"


# --- what guessers try first -------------------------------------------------

@pytest.fixture(scope="module")
def strict():
    """The dev profile has the list off; here it is as in production."""
    with instance.running("auth.password_blocklist=on") as found:
        client = docket.Client(found)
        yield client
        client.close()


def refused(client, password, code, **members):
    body = {"username": new_name(), "password": password, **members}
    reply = client.post("/auth/register", 400, json=body)
    assert reply.code == "invalid_request", str(reply)
    assert reply.pointers() == {"/password": code}, str(reply)
    assert password not in reply.body.decode(), str(reply)


@pytest.mark.parametrize("password", [
    "password1", "PassWord1", "qwerty123", "iloveyou", "letmein1",
    "123456789", "p@ssw0rd", "docket123", "ｐａｓｓｗｏｒｄ"])
def test_common_ones_are_refused(strict, password):
    refused(strict, password, "common")


def test_the_owners_names_are_refused(strict):
    name, email, phone = new_name(), new_email(), new_phone()
    for own in (name, name.upper(), email, email.split("@")[0], phone,
                phone[1:]):
        refused(strict, own, "personal", username=name, email=email,
                phone=phone)
    docket.register(strict, name + " and more", username=name, email=email,
                    phone=phone)


def test_others_are_taken(strict):
    register(strict, RIGHT)
    register(strict, "password of my aunt")


def test_the_list_comes_with_all_faults_at_once(strict):
    reply = strict.post("/auth/register", 400, json={
        "username": new_name(), "password": "password1", "otp": "123456"})
    assert reply.pointers() == {"/password": "common", "/phone": "required"}


def test_who_has_one_already_gets_in(strict):
    name = register(strict, RIGHT).json["user"]["username"]
    strict.dev.sql("UPDATE docket.users SET password_hash = :'hash'"
                   " WHERE username = :'name'", name=name,
                   hash=passlib.hash.pbkdf2_sha256.using(
                       rounds=10).hash("password1"))
    log_in(strict, name, "password1")


def test_dev_takes_them(api):
    register(api, "password1")


def test_eight_bytes_after_nfkc(api):
    reply = register(api, "ａｂｃ", 400)
    assert reply.pointers() == {"/password": "format"}, str(reply)


# --- hashes of other programs ------------------------------------------------

# Its hasher with settings does not load what it needs by itself.
passlib.hash.argon2.set_backend("argon2_cffi")


def scrypt(password):
    return hashlib.scrypt(password.encode(), salt=b"saltsalt", n=16384, r=8,
                          p=1, dklen=64)


def argon(kind, **more):
    def make(password):
        return argon2.PasswordHasher(
            time_cost=2, memory_cost=4096, parallelism=4, type=kind,
            **more).hash(password)
    return make


def passlibs(name, **settings):
    return getattr(passlib.hash, name).using(**settings).hash


def werkzeugs(method):
    return lambda password: werkzeug.security.generate_password_hash(
        password, method)


FOREIGN = {
    "bcrypt": lambda p: bcrypt.hashpw(p.encode(),
                                      bcrypt.gensalt(6)).decode(),
    "bcrypt 2a": passlibs("bcrypt", rounds=5, ident="2a"),
    "bcrypt 2y": passlibs("bcrypt", rounds=5, ident="2y"),
    "passlib pbkdf2-sha1": passlibs("pbkdf2_sha1", rounds=1000),
    "passlib pbkdf2-sha256": passlibs("pbkdf2_sha256", rounds=29000),
    "passlib pbkdf2-sha512": passlibs("pbkdf2_sha512", rounds=25000),
    "passlib scrypt": passlibs("scrypt", rounds=14),
    "passlib argon2": passlibs("argon2", rounds=2, memory_cost=1024,
                               parallelism=8),
    "django pbkdf2": passlibs("django_pbkdf2_sha256", rounds=260000),
    "django bcrypt": passlibs("django_bcrypt", rounds=5),
    "django bcrypt_sha256": passlibs("django_bcrypt_sha256", rounds=5),
    "django argon2": passlibs("django_argon2", rounds=2, memory_cost=512,
                              parallelism=2),
    "django scrypt": lambda p: "scrypt$16384$saltsalt$8$1$"
        + base64.b64encode(scrypt(p)).decode(),
    "werkzeug pbkdf2": werkzeugs("pbkdf2:sha256"),
    "werkzeug pbkdf2 sha512": werkzeugs("pbkdf2:sha512:1000"),
    "werkzeug scrypt": lambda p: "scrypt:16384:8:1$saltsalt$"
        + scrypt(p).hex(),
    "argon2-cffi": lambda p: argon2.PasswordHasher().hash(p),
    "argon2i": argon(argon2.Type.I, salt_len=8),
    "argon2d": argon(argon2.Type.D, hash_len=64),
    "argon2id 1 lane": lambda p: argon2.PasswordHasher(
        time_cost=1, memory_cost=64, parallelism=1).hash(p),
}


def log_in(client, name, password, expect=200):
    return client.post("/auth", expect, json={"username": name,
                                              "password": password})


def hash_of(dev, name):
    return dev.sql("SELECT password_hash FROM docket.users"
                   " WHERE username = :'name'", name=name)[0][0]


def put_hash(dev, name, value):
    dev.sql("UPDATE docket.users SET password_hash = :'value'"
            " WHERE username = :'name'", name=name, value=value)


@pytest.fixture
def somebody(api):
    return register(api, RIGHT).json["user"]["username"]


@pytest.mark.parametrize("made_by", FOREIGN)
@pytest.mark.parametrize("password", [RIGHT, "pässwörd ✓"])
def test_foreign_hash(dev, api, somebody, made_by, password):
    foreign = FOREIGN[made_by](password)
    put_hash(dev, somebody, foreign)
    log_in(api, somebody, password + "x", 401)
    assert hash_of(dev, somebody) == foreign
    log_in(api, somebody, password)
    ours = hash_of(dev, somebody)
    assert ours.startswith(OURS)
    assert argon2.PasswordHasher().verify(ours, password)
    log_in(api, somebody, password + "x", 401)
    log_in(api, somebody, password)
    assert hash_of(dev, somebody) == ours


def test_bcrypt_never_saw_more_than_72_bytes(dev, api, somebody):
    foreign = FOREIGN["bcrypt"]("a" * 72)
    put_hash(dev, somebody, foreign)
    log_in(api, somebody, "a" * 71, 401)
    log_in(api, somebody, "a" * 80)
    assert hash_of(dev, somebody) == foreign, \
        "what nobody checked became the password"
    log_in(api, somebody, "a" * 72)
    assert hash_of(dev, somebody).startswith(OURS)
    log_in(api, somebody, "a" * 80, 401)


@pytest.mark.parametrize("value, why", [
    ("$2b$31$" + "a" * 53, "would cost more than a login may"),
    ("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
     "would cost more than a login may"),
    ("pbkdf2:sha256:4000000000$salt$" + "00" * 32,
     "would cost more than a login may"),
    ("$2b$10$short", "is malformed"),
    ("md5$salt$0123456789abcdef", "is of no format that is known")])
def test_what_cannot_be_verified_is_a_wrong_password(dev, api, somebody,
                                                     value, why):
    before = len(dev.log())
    wrong = log_in(api, somebody, "wrong password", 401)
    put_hash(dev, somebody, value)
    start = time.monotonic()
    reply = log_in(api, somebody, RIGHT, 401)
    assert time.monotonic() - start < 2.5 * docket.SLOW
    assert docket.anonymous(reply) == docket.anonymous(wrong)
    said = docket.wait_until(
        lambda: [line for line in dev.log()[before:].splitlines()
                 if "password_hash_refused" in line], "a line in the log")
    assert why in said[0] and value not in said[0]


def test_first_logins_at_once_all_get_in(dev, api, somebody):
    put_hash(dev, somebody, FOREIGN["passlib pbkdf2-sha256"](RIGHT))

    def job():
        client = docket.Client(dev)
        try:
            reply = client.post("/auth", None, json={
                "username": somebody, "password": RIGHT})
            while reply.status == 503:  # the hash gate is full
                reply = client.post("/auth", None, json={
                    "username": somebody, "password": RIGHT})
            return reply.status
        finally:
            client.close()

    assert parallel([job] * 6) == [200] * 6
    assert hash_of(dev, somebody).startswith(OURS)


@pytest.mark.parametrize("typed", ["pa\u0301ssphrase", "p\u00e1ssphrase"])
def test_every_keyboard_spells_it(api, typed):
    name = register(api, "p\u00e1ssphrase").json["user"]["username"]
    log_in(api, name, typed)
    log_in(api, name, "passphrase", 401)


def test_a_foreign_hash_of_what_was_typed(dev, api, somebody):
    apart = "pa\u0301ssphrase"
    put_hash(dev, somebody, FOREIGN["passlib pbkdf2-sha256"](apart))
    log_in(api, somebody, "p\u00e1ssphrase", 401)
    log_in(api, somebody, apart)
    log_in(api, somebody, "p\u00e1ssphrase")  # the new hash is of both


@pytest.mark.alone
@docket.tries(3)
def test_wrong_for_a_cheap_foreign_hash_costs_no_less(dev, api, somebody):
    """A hash that costs nothing must not tell who was imported."""
    put_hash(dev, somebody, FOREIGN["passlib pbkdf2-sha1"](RIGHT))
    took = {somebody: [], new_name(): []}
    for _ in range(5):
        for name in took:
            start = time.monotonic()
            log_in(api, name, "wrong password", 401)
            took[name].append(time.monotonic() - start)
    here, nowhere = (statistics.median(v) for v in took.values())
    print(f"{here * 1000:.1f} ms imported, {nowhere * 1000:.1f} ms unknown")
    assert 0.2 < nowhere / here < 5
