# SPDX-License-Identifier: AGPL-3.0-or-later
"""Over every row that is not public: every token that must not open it.

What is asserted of each refusal: the status, the problem's code, its words,
the whole challenge (RFC 6750 section 3), and that no row of the database
changed. The very same request passes with a good token made by the same hands.
"""

import time

import pytest

import docket
from docket import ROUTES, Client, jwt_parts
from forge import SKEW
from forged import FORGED, GOOD
from places import places
from victims import Someone, fault, none

GUARDED = [r for r in ROUTES if r.access != "PUBLIC"]


def rows(which):
    return pytest.mark.parametrize("row", which, ids=str)


@pytest.fixture(scope="module")
def targets(dev):
    """Whom the tests attack that must change nothing."""
    return {"USER": Someone(dev), "ADMIN": Someone(dev, admin=True)}


@pytest.fixture(scope="module")
def watched(dev):
    """Somebody whose session stands beside all of this."""
    someone = Someone(dev)
    someone.before = someone.data()
    return someone


def test_the_ledger_sees_every_write(dev, ledger, fresh):
    """Else "no row changed" would prove nothing."""
    one = fresh()
    task = one.task()
    for write in (
            lambda: one.task(),
            lambda: one.put("/tasks/" + task["id"], json={"title": "A task"}),
            lambda: one.post("/auth/refresh", token=None,
                             json={"refresh_token": one.refresh}),
            lambda: dev.sql("UPDATE docket.users SET role = role"
                            " WHERE id = :'id'", id=one.id),
            lambda: dev.sql("BEGIN; INSERT INTO docket.audit (event)"
                            " VALUES ('x'); ROLLBACK"),
            lambda: one.delete("/tasks/" + task["id"] + "?purge=true"),
            lambda: one.post("/auth/logout")):
        before = ledger.settled()
        assert ledger.changed(before) == []
        write()
        assert ledger.changed(before)


# --- forged ---------------------------------------------------------------

@rows(GUARDED)
def test_no_forged_token_opens(dev, api, ledger, watched, row):
    someone = Someone(dev, row)
    place, faults = places(row)[0], []
    data, before = someone.data(), ledger.settled()
    for name, case in FORGED.items():
        reply = someone.ask(api, place, token=case.make(someone.forger()))
        why = fault(reply, row, "token_invalid")
        if why:
            faults.append(f"{name}: {why}: {reply}")
    none(faults)
    assert ledger.changed(before) == []
    assert someone.data() == data
    good = GOOD["as issued"](someone.forger())
    someone.ask(api, place, row.status, token=good)


@rows([r for r in GUARDED if r.method == "GET"])
def test_each_good_token_opens(targets, api, row):
    """As unlike what is issued as the standards let it be."""
    someone = targets[row.access]
    for name, make in GOOD.items():
        for place in places(row):
            reply = someone.ask(api, place, token=make(someone.forger()))
            assert reply.status == row.status, f"{name}: {reply}"


# A worker remembers the claims that it read: what it remembers opens nothing
# but the very same token, and for no longer.

def warm(dev, token):
    """Show it to every worker, as far as 32 connections do that; the
    statuses that came."""
    clients = [Client(dev) for _ in range(32)]
    statuses = {client.get("/auth/me", None, token=token).status
                for client in clients}
    for client in clients:
        client.close()
    return statuses


def test_a_known_token_lends_nothing_to_others(dev, api, targets):
    forger = targets["USER"].forger()
    known = forger.sign()
    assert warm(dev, known) == {200}
    header, claims, mac = known.split(".")
    for at, part in enumerate((header, claims, mac)):
        for i in range(0, len(part), 7):
            parts = [header, claims, mac]
            parts[at] = part[:i] + ("A" if part[i] != "A" else "B") \
                + part[i + 1:]
            reply = api.get("/auth/me", 401, token=".".join(parts))
            assert reply.code == "token_invalid"
    forger.sub = targets["ADMIN"].one.id
    other = forger.sign().split(".")[1]
    reply = api.get("/auth/me", 401, token=f"{header}.{other}.{mac}")
    assert reply.code == "token_invalid"
    assert api.get("/auth/me", token=known).json["id"] == \
        targets["USER"].one.id


def test_a_known_token_expires(dev, targets):
    forger = targets["USER"].forger()
    for seconds in (2, 6, 20, 60):  # the later ones for a machine that is busy
        token = forger.sign(claims=forger.claims(
            exp=int(time.time()) - SKEW + 1 + seconds))
        if warm(dev, token) == {200}:
            break
    else:
        raise AssertionError("32 requests took a minute")
    docket.wait_until(lambda: warm(dev, token) == {401},
                      "the token's end on every worker", 60)


# --- headers --------------------------------------------------------------

# Values of Authorization, {} being a good token, and what is said of them.
HEADERS = {
    "none": ([], "token_missing"),
    "empty": ([""], "token_missing"),
    "blanks": (["   "], "token_missing"),
    "the token alone": (["{}"], "token_missing"),
    "Basic": (["Basic YTpi"], "token_missing"),
    "Basic with the token": (["Basic {}"], "token_missing"),
    "Token": (["Token {}"], "token_missing"),
    "Digest": (["Digest username=x"], "token_missing"),
    "JWT": (["JWT {}"], "token_missing"),
    "Bearer stuck": (["Bearer{}"], "token_missing"),
    "Bearer and a colon": (["Bearer: {}"], "token_missing"),
    "Bearer and a tab": (["Bearer\t{}"], "token_missing"),
    "Bearers": (["Bearers {}"], "token_missing"),
    "Bearer alone": (["Bearer"], "token_invalid"),
    "Bearer and blanks": (["Bearer   "], "token_invalid"),
    "Bearer and tabs": (["Bearer \t "], "token_invalid"),
    "in quotes": (["Bearer \"{}\""], "token_invalid"),
    "in brackets": (["Bearer <{}>"], "token_invalid"),
    "as a parameter": (["Bearer token={}"], "token_invalid"),
    "Bearer twice": (["Bearer Bearer {}"], "token_invalid"),
    "and a word": (["Bearer {} x"], "token_invalid"),
    "and itself": (["Bearer {} {}"], "token_invalid"),
    "and a comma": (["Bearer {},"], "token_invalid"),
    "two in one": (["Bearer {}, Bearer {}"], "token_invalid"),
    "two stuck": (["Bearer {},{}"], "token_invalid"),
    "Basic and Bearer in one": (["Basic YTpi, Bearer {}"], "token_invalid"),
    "and a control": (["Bearer {}\x01"], "token_invalid"),
    "and a letter beyond": (["Bearer {}\xe9"], "token_invalid"),
    "escaped": (["Bearer %65{}"], "token_invalid"),
    # nginx says these: a second Authorization is no request (RFC 6750
    # section 3.1: 400).
    "twice the same": (["Bearer {}", "Bearer {}"], "bad_request"),
    "another first": (["Bearer x.y.z", "Bearer {}"], "bad_request"),
    "another last": (["Bearer {}", "Bearer x.y.z"], "bad_request"),
    "Basic first": (["Basic YTpi", "Bearer {}"], "bad_request"),
    "empty first": (["", "Bearer {}"], "bad_request"),
    "empty last": (["Bearer {}", ""], "bad_request"),
}

TAKEN = ["bearer {}", "BEARER {}", "bEaReR {}", "Bearer   {}", "Bearer {}  "]


def authorization(values, token):
    return [("Authorization", value.replace("{}", token))
            for value in values]


@rows(GUARDED)
def test_no_other_header_opens(targets, api, ledger, row):
    someone = targets[row.access]
    place, faults = places(row)[0], []
    before = ledger.settled()
    for name, (values, code) in HEADERS.items():
        reply = someone.ask(api, place,
                            headers=authorization(values, someone.token))
        why = fault(reply, row, code)
        if why:
            faults.append(f"{name}: {why}: {reply}")
    # More than nginx takes of one header.
    reply = someone.ask(api, place, 431, token="x" * 17000, check=False)
    assert reply.json["code"] == "headers_too_large"
    none(faults)
    assert ledger.changed(before) == []


@rows([r for r in GUARDED if r.method == "GET"])
def test_the_scheme_is_case_insensitive(targets, api, row):
    """RFC 9110 section 11.1."""
    someone = targets[row.access]
    for value in TAKEN:
        someone.ask(api, places(row)[0], row.status,
                    headers=authorization([value], someone.token))


@rows(GUARDED)
def test_a_token_elsewhere_is_not_seen(targets, api, ledger, row):
    """RFC 6750 section 5.3: not in the query, not in a form, no cookie."""
    someone = targets[row.access]
    token, place = someone.token, places(row)[0]
    pair, form = f"access_token={token}", "application/x-www-form-urlencoded"
    before = ledger.settled()
    for more in (
            {"query": "?" + pair},
            {"headers": [("Cookie", pair)]},
            {"headers": [("X-Access-Token", token)]},
            {"headers": [("X-Auth-Token", token)]},
            {"headers": [("Proxy-Authorization", "Bearer " + token)]},
            {"headers": [("X-Authorization", "Bearer " + token)]},
            {"headers": [("HTTP-Authorization", "Bearer " + token)]},
            {"body": pair.encode(), "type": form},
            {"json": {"access_token": token}}):
        reply = someone.ask(api, place, **more)
        why = fault(reply, row, "token_missing")
        assert not why, f"{more}: {why}: {reply}"
    assert ledger.changed(before) == []


@rows(GUARDED)
def test_a_second_token_elsewhere_is_refused(targets, api, ledger, row):
    """RFC 6750 section 2: one method. A member that no row has is a fault
    of the query or the body; a body that no row reads is not looked at."""
    someone = targets[row.access]
    place, pair = places(row)[0], f"access_token={someone.token}"
    before = ledger.settled()
    joint = "&" if "?" in place.path("x") else "?"
    reply = someone.ask(api, place, 400, token=someone.token,
                        query=joint + pair)
    if row.oauth:  # what the body has besides is ignored (RFC 6749 3.2)
        assert reply.json["error"] == "invalid_request"
        return
    assert reply.pointers()["?access_token"] == "unknown"
    if row.takes_body:
        reply = someone.ask(api, place, 400, token=someone.token,
                            json={"access_token": someone.token})
        assert reply.pointers()["/access_token"] == "unknown"
        someone.ask(api, place, 415, token=someone.token,
                    body=pair.encode(),
                    type="application/x-www-form-urlencoded")
    assert ledger.changed(before) == []


@rows(GUARDED)
def test_no_other_token_of_ours_opens(targets, api, ledger, row):
    """A refresh token, a verification token, a code, a password."""
    someone, phone = targets[row.access], docket.new_phone()
    code = docket.send_otp(api, phone).json["otp"]
    proof = api.post("/otp/verify", json={"phone": phone, "otp": code})
    before = ledger.settled()
    for token in (someone.one.refresh, proof.json["verification_token"],
                  code, someone.one.password.replace(" ", "."),
                  someone.one.id, jwt_parts(someone.token)[1]["jti"]):
        reply = someone.ask(api, places(row)[0], token=token)
        why = fault(reply, row, "token_invalid")
        assert not why, f"{token}: {why}: {reply}"
    assert ledger.changed(before) == []


def test_the_bystanders_data_are_as_they_were(watched):
    """After all of it, byte for byte."""
    assert watched.data() == watched.before
