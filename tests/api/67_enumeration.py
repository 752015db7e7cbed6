# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who has an account is nobody's business: known, unknown, locked and
unverified addresses get the same bytes, at the same price.

Registration answers 409 by contract (api.md section 2), and so do a name and
an address that somebody takes who has proven it.
"""

import re
import statistics
import time

import pytest

import docket
from docket import anonymous, new_email, new_name, new_phone, send_otp
from victims import PASSING

RIGHT = "correct horse"
STATES = ("known", "unknown", "locked", "unverified")
ROUNDS = 7


def forget_sends(dev, to):
    dev.sql("UPDATE docket.otp_budgets SET sends = '{}', last_at = NULL,"
            " streak = 0 WHERE address = :'to'", to=to)


class Suspect:
    """An address, and what there is of it."""

    def __init__(self, dev, client, state, make):
        self.state, self.to = state, make()
        self.member = "email" if "@" in self.to else "phone"
        self.username = new_name()
        if state == "unknown":
            return
        proof = {} if state == "unverified" else {
            "otp": send_otp(client, self.to).json["otp"]}
        user = docket.register(client, RIGHT, username=self.username,
                               **{self.member: self.to}, **proof)
        forget_sends(dev, self.to)
        if state == "locked":
            dev.sql("UPDATE docket.users SET active = false"
                    " WHERE id = :'id'", id=user.json["user"]["id"])

    def named(self, **more):
        return {self.member: self.to, **more}


def told(reply):
    """All that goes out, but for what differs by itself."""
    headers = sorted((k.lower(), v) for k, v in reply.headers
                     if k.lower() not in PASSING
                     and not k.lower().startswith("ratelimit"))
    body = re.sub(rb'"otp":"\d{6}"', b'"otp":"<code>"', anonymous(reply))
    return reply.status, headers, body


def wrong(code):
    return "%06d" % ((int(code) + 1) % 1000000)


# --- what is asked, and with what ------------------------------------------

def login(client, one):
    return client.post("/auth", 401, json=one.named(password="wrong one"))


def login_by_name(client, one):
    return client.post("/auth", 401, json={"username": one.username,
                                           "password": "wrong one"})


def token(client, one):
    return client.post("/auth/token", 400, form={
        "grant_type": "password", "username": one.to,
        "password": "wrong one"})


def grant_otp(client, one):
    return client.post("/auth/token", 400, form=one.named(
        grant_type="otp", otp="000000"))


def verify(purpose):
    def ask(client, one):
        return client.post("/otp/verify", 400, json=one.named(
            otp="000000", purpose=purpose))

    return ask


def reset(client, one):
    return client.post("/auth/password/reset", 400, json=one.named(
        otp="000000", new_password="better horse"))


def reset_by_token(client, one):
    return client.post("/auth/password/reset", 400, json=one.named(
        verification_token="x" * 43, new_password="better horse"))


ASKED = {
    "POST /auth": login, "POST /auth by name": login_by_name,
    "POST /auth/token": token, "POST /auth/token otp": grant_otp,
    "POST /otp/verify login": verify("login"),
    "POST /otp/verify reset": verify("reset"),
    "POST /auth/password/reset": reset,
    "POST /auth/password/reset token": reset_by_token,
}
# Those in which a hash is computed, whoever is asked for.
HASHED = {"POST /auth", "POST /auth by name", "POST /auth/token",
          "POST /auth/password/reset token"}


@pytest.fixture(scope="module", params=[new_email, new_phone],
                ids=["email", "phone"])
def suspects(request, dev):
    client = docket.Client(dev)
    made = [Suspect(dev, client, state, request.param) for state in STATES]
    client.close()
    return made


@pytest.mark.parametrize("name", ASKED)
def test_the_same_bytes(api, suspects, name):
    said = {one.state: told(ASKED[name](api, one)) for one in suspects}
    assert len(set(map(str, said.values()))) == 1, said


@pytest.mark.parametrize("purpose", ["register", "login", "reset", "change"])
def test_the_same_bytes_for_a_code(dev, api, suspects, purpose):
    """And for the one that comes too early."""
    said, early = {}, {}
    for one in suspects:
        forget_sends(dev, one.to)
        said[one.state] = told(send_otp(api, one.to, purpose))
        early[one.state] = told(send_otp(api, one.to, purpose, 429))
        forget_sends(dev, one.to)
    for words in (said, early):
        assert len(set(map(str, words.values()))) == 1, words


@pytest.mark.parametrize("make", [new_email, new_phone])
@pytest.mark.parametrize("purpose, path", [
    ("login", "/auth/token"), ("reset", "/auth/password/reset")])
def test_the_same_bytes_once_a_code_was_sent(dev, api, make, purpose, path):
    """Wrong guesses up to the fifth, and beyond; and the right one where it
    leads nowhere."""
    said = {}
    for state in STATES:
        one = Suspect(dev, api, state, make)
        code = send_otp(api, one.to, purpose).json["otp"]
        bodies = [one.named(otp=wrong(code))] * 6 + [one.named(otp=code)]
        for body in bodies:
            body.update({"grant_type": "otp"} if purpose == "login"
                        else {"new_password": "better horse"})
        said[state] = [told(api.post(path, 400, json=b)) for b in bodies]
    assert len({str(w) for words in said.values() for w in words}) == 1, said


@pytest.mark.parametrize("make", [new_email, new_phone])
def test_who_has_locked_an_account_hears_no_more(dev, api, make):
    """Not even with the right password, where there is a standard reply."""
    one = Suspect(dev, api, "locked", make)
    said = {told(api.post("/auth/token", 400, form={
        "username": one.to, "password": p}))[2] for p in (RIGHT, "wrong one")}
    assert len(said) == 1, said


@pytest.mark.parametrize("make", [new_email, new_phone])
def test_whose_address_one_would_take(dev, api, fresh, make):
    one, said = fresh(), {}
    for state in STATES:
        other = Suspect(dev, api, state, make)
        said[state] = [told(one.patch("/auth/me", 400, json=body))
                       for body in (other.named(),
                                    other.named(otp="000000"))]
    assert len(set(map(str, said.values()))) == 1, said


def test_registration_says_it_by_contract(dev, api):
    one = Suspect(dev, api, "unverified", new_email)
    docket.register(api, expect=409, email=one.to)


PURPOSES = {"POST /auth/token otp": "login", "POST /otp/verify login": "login",
            "POST /otp/verify reset": "reset",
            "POST /auth/password/reset": "reset"}


@pytest.mark.alone
@pytest.mark.skipif(docket.SANITIZED, reason="the sanitizers' own time")
@docket.tries(3)
def test_what_it_costs(dev, api):
    """Medians are printed; what is asserted is that a hash is computed for
    all or for none, by a bound that a busy machine keeps."""
    for name, ask in ASKED.items():
        took = {state: [] for state in STATES}
        for _ in range(ROUNDS):
            for state in STATES:
                one = Suspect(dev, api, state, new_email)
                if name in PURPOSES:  # as whoever guesses would do first
                    send_otp(api, one.to, PURPOSES[name])
                start = time.monotonic()
                ask(api, one)
                took[state].append((time.monotonic() - start) * 1000)
        medians = {s: statistics.median(t) for s, t in took.items()}
        print(f"{name}: " + ", ".join(
            f"{state} {ms:.1f} ms" for state, ms in medians.items()))
        if name in HASHED:
            assert max(medians.values()) < 4 * min(medians.values()), name
