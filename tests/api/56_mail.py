# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails: real servers get them, bad ones get nothing; what is in them, in
which language, and what cannot get into them."""

import contextlib
import email.header
import email.utils
import json
import os
import pathlib
import re
import shutil
import signal
import time

import pytest

import docket
import instance
import post
from docket import SLOW, new_email, new_phone, send_otp, wait_until

FROM = "courier.mail_from=no-reply@docket.example"


@pytest.fixture(scope="module")
def site():
    """An instance whose courier is ended: the tests start theirs."""
    with instance.running() as own:
        for pid in own.pids()["app"]:
            if docket.comm(pid) == "docket-courier":
                end(pid)
        yield own


def end(pid):
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: docket.comm(pid) != "docket-courier", "its end", 30)


@pytest.fixture(scope="module")
def office(site):
    found = post.Courier(site)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def empty(office):
    office.clear()
    yield
    office.clear()


@pytest.fixture
def api(site):
    client = docket.Client(site)
    yield client
    client.close()


@pytest.fixture(scope="module")
def ca(office):
    return post.Authority(office.folder)


def smtp(port, *more, host="127.0.0.1", tls="none", scheme="smtp"):
    return ("courier.email=smtp", f"courier.smtp_url={scheme}://{host}:{port}",
            f"courier.smtp_tls={tls}", FROM, post.ALLOW, *more)


def asked(api, to, **more):
    """A code asked for by HTTP."""
    return api.post("/otp/send", json={
        "email" if "@" in to else "phone": to, **more}).json["otp"]


def text_of(message):
    return message.get_content().replace("\r\n", "\n")


def code_in(message):
    return re.search(r"^ *(\d{6})$", text_of(message), re.M)[1]


def name_of(message):
    """Of the sender; Python's newer parser puts blanks between the encoded
    words of a name, against RFC 2047 §6.2."""
    raw = dict(message.raw_items())["From"]
    name, _ = email.utils.parseaddr(re.sub(r"\s*\n\s*", " ", str(raw)))
    return str(email.header.make_header(email.header.decode_header(name)))


# --- good servers ---------------------------------------------------------

def test_a_code_arrives_and_registers(api, office, site):
    to, before = new_email(), int(time.time())
    asked_for = asked(api, to)
    (row,) = office.owner.sql("SELECT id FROM docket.outbox")
    with post.server() as (mailbox, port):
        said = office.run(*smtp(port))
    message = mailbox.message()
    code = code_in(message)
    assert code == asked_for
    docket.register(api, email=to, otp=code)
    envelope = mailbox.mails[0][0]
    assert envelope.mail_from == "no-reply@docket.example"
    assert envelope.rcpt_tos == [to]
    # The headers: these, once each, and no others.
    assert [name for name, _ in message.items()] == [
        "Date", "Message-ID", "From", "To", "Subject", "MIME-Version",
        "Content-Type", "Auto-Submitted", "Content-Transfer-Encoding"]
    assert not message.defects
    assert message["Message-ID"] == f"<{row[0]}@docket.example>"
    assert message["From"].addresses[0].addr_spec == "no-reply@docket.example"
    assert message["From"].addresses[0].display_name == "Docket"
    assert [a.addr_spec for a in message["To"].addresses] == [to]
    assert message["Subject"] == "Your Docket registration code"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    sent = email.utils.parsedate_to_datetime(message["Date"])
    assert before - 2 <= sent.timestamp() <= time.time() + 2
    assert "It is valid for 2 minutes." in message.get_content()
    raw = envelope.original_content
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert b"\n" not in raw.replace(b"\r\n", b"")
    # It is out of the outbox, and the log has neither code nor address.
    assert office.owner.sql("SELECT count(*) FROM docket.outbox") == [["0"]]
    assert "message_sent" in said and "ref=4F1A2B3C" in said
    assert code not in said and to not in said


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_tls_and_login(api, office, ca, scheme):
    password = "correct horse, battery staple " * 5 + "é"
    key = office.file(password + "\n")
    to = new_email()
    code = asked(api, to, purpose="change")
    more = ({"tls_context": ca.issue(), "require_starttls": True}
            if scheme == "smtp" else
            {"ssl_context": ca.issue(), "auth_require_tls": False})
    with post.server("docket", password, **more) as (mailbox, port):
        said = office.run(*smtp(
            port, "courier.smtp_user=docket", f"courier.ca_file={ca.pem}",
            f"courier.smtp_password_file={key}", host="localhost",
            tls="starttls", scheme=scheme))
    assert code_in(mailbox.message()) == code
    # Behind smtps:// nothing but TLS is spoken; aiosmtpd does not note it.
    assert [tls for _, tls in mailbox.mails] == [scheme == "smtp"]
    assert [login[1:] for login in mailbox.logins] == [
        (scheme == "smtp", "docket", password)]
    assert password not in said


def test_persian_by_accept_language(api, office):
    to = new_email()
    reply = api.post("/otp/send", json={"email": to, "purpose": "change"},
                     headers=[("Accept-Language", "fa-IR,fa;q=0.9,en;q=0.8")])
    with post.server() as (mailbox, port):
        office.run(*smtp(port))
    message = mailbox.message()
    assert message["Subject"] == \
        "تأیید نشانی تازه\u200cی شما در Docket\u200f"
    assert code_in(message) == reply.json["otp"]
    assert "این کد تا ۲ دقیقه معتبر است." in message.get_content()
    raw = mailbox.mails[0][0].original_content
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("said, language", [
    (None, "en"), ("de", "en"), ("fa", "fa"), ("*", "en"),
    ("en;q=0.1, fa-AF;q=0.2", "fa"), ("fa;q=0", "en"),
    ("fa\t\x01", "en"), ("x" * 9000, "en"),
    (",".join(["de"] * 2000) + ",fa", "en"), ("'; DROP TABLE x;--", "en")])
def test_the_language_of_a_text_message(api, office, site, said, language):
    to = new_phone()
    headers = [("Accept-Language", said)] if said else []
    sent = api.post("/otp/send", None, json={"phone": to}, headers=headers)
    if sent.status == 400 and said == "fa\t\x01":
        return  # nginx takes no such header
    assert sent.status == 200, sent
    (kept,) = office.owner.sql("SELECT octet_length(language)"
                               " FROM docket.outbox")
    assert int(kept[0] or 0) <= 64
    office.run(f"courier.spool_dir={site.spool}")
    (_, message), = site.messages(to)
    assert message["language"] == language
    last = message["text"].split("\n\n")[-1]
    assert last == f"@localhost #{sent.json['otp']}"


def test_the_reply_does_not_tell_the_language(api, site):
    known = [docket.person(site, email=new_email()) for _ in range(2)]
    asked_for = [(one.user["email"], language) for one, language
                 in zip(known, ("fa", "xx"))]
    asked_for += [(new_email(), language) for language in ("fa", "xx")]
    replies = [docket.anonymous(api.post(
        "/otp/send", json={"email": to, "purpose": "reset"},
        headers=[("Accept-Language", language)]))
        for to, language in asked_for]
    assert len({re.sub(rb'"otp":"\d+"', b"", one) for one in replies}) == 1
    for one in known:
        one.close()


def test_a_template_of_ones_own(api, office):
    folder = office.folder / "templates"
    folder.mkdir(mode=0o755)
    office.file("Subject: {{service}}: {{code}}\n\n.\nFrom here: {{code}}\n"
                "..  \n" + "long " * 60 + "\n= {{seconds}} s é\n", 0o644,
                "templates/otp.email.en.txt")
    to = new_email()
    code = asked(api, to)
    with post.server() as (mailbox, port):
        office.run(*smtp(port, f"courier.template_dir={folder}",
                         "courier.service_name=Zum Löwen"))
    message = mailbox.message()
    assert message["Subject"] == f"Zum Löwen: {code}"
    assert message["From"].addresses[0].display_name == "Zum Löwen"
    assert text_of(message) == (
        f".\nFrom here: {code}\n..  \n{'long ' * 60}\n= 120 s é\n")
    raw = mailbox.mails[0][0].original_content
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert b"\r\nFrom here" not in raw


@pytest.mark.parametrize("name", [
    'An "Office" <x@evil.example>, \\ (and more)', "Bcc: x@evil.example",
    "=?utf-8?B?eA==?=", "a" * 64, "سرویس", "é" * 32,
    "😀😀😀😀😀😀😀😀😀😀"])
def test_names_stay_names(api, office, name):
    to = new_email()
    code = asked(api, to)
    with post.server() as (mailbox, port):
        office.run(*smtp(port, f"courier.mail_name={name}",
                         f"courier.service_name={name[:20]}"))
    message = mailbox.message()
    assert len(message.items()) == 9 and not message.defects
    (sender,) = message["From"].addresses
    assert name_of(message) == name
    assert sender.addr_spec == "no-reply@docket.example"
    assert message["Subject"] == f"Your {name[:20]} registration code"
    assert code_in(message) == code
    raw = mailbox.mails[0][0].original_content
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 78


def test_strange_addresses_arrive(api, office):
    """All that an address may hold (RFC 5321 atext), and the longest."""
    odd = ["o'brien+x=y/{z}|~!#$%&*^_`?@example.org", "-f@example.org",
           "a" * 64 + "@" + ".".join(["b" * 61] * 3) + ".org"]
    codes = {to: asked(api, to) for to in odd}
    with post.server() as (mailbox, port):
        office.run(*smtp(port))
    assert len(mailbox.mails) == len(odd)
    for envelope, _ in mailbox.mails:
        (to,), message = envelope.rcpt_tos, post.parse(envelope.content)
        assert [a.addr_spec for a in message["To"].addresses] == [to]
        assert code_in(message) == codes[to]
        assert len(message.items()) == 9


# --- servers that refuse, lie or are not there ----------------------------

def test_a_wrong_password(api, office, ca):
    key = office.file("wrong secret\n")
    asked(api, new_email())
    with post.server("docket", "right", tls_context=ca.issue(),
                     require_starttls=True) as (mailbox, port):
        said = office.run(*smtp(
            port, "courier.smtp_user=docket", f"courier.ca_file={ca.pem}",
            f"courier.smtp_password_file={key}", host="localhost",
            tls="starttls"), expect=75)
    assert mailbox.logins and not mailbox.mails
    assert 'why="535 ' in said and "wrong secret" not in said


def test_without_starttls_nothing_is_said(api, office):
    key = office.file("secret word\n")
    to = new_email()
    code = asked(api, to)
    with post.scripted(post.conversation(
            ehlo="250-scripted\r\n250 AUTH PLAIN LOGIN")) as bad:
        said = office.run(*smtp(
            bad.port, "courier.smtp_user=docket",
            f"courier.smtp_password_file={key}", tls="starttls"), expect=75)
    assert bad.heard.startswith(b"EHLO ")
    for word in (b"AUTH", b"MAIL", b"RCPT", b"secret", to.encode(),
                 code.encode()):
        assert word not in bad.heard, bad.heard
    assert "message_delayed" in said and code not in said


def test_what_is_said_before_tls_does_not_count(api, office, ca):
    """A reply that somebody put behind STARTTLS's is no server's."""
    context = ca.issue()

    def talk(server, peer):
        peer.sendall(b"220 scripted\r\n")
        server.hear(peer)
        peer.sendall(b"250-scripted\r\n250 STARTTLS\r\n")
        server.hear(peer)
        peer.sendall(b"220 go\r\n250-scripted\r\n250 AUTH PLAIN\r\n"
                     b"235 in\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
        with context.wrap_socket(peer, server_side=True) as tls:
            server.heard += tls.recv(4096)

    asked(api, new_email())
    with post.scripted(talk) as bad:
        office.run(*smtp(bad.port, f"courier.ca_file={ca.pem}",
                         host="localhost", tls="starttls"), expect=75)
    assert b"MAIL" not in bad.heard and b"DATA" not in bad.heard


@pytest.mark.parametrize("what", ["another CA", "wrong host", "expired"])
def test_a_bad_certificate(api, office, ca, what):
    context = {
        "another CA": lambda: post.Authority(office.folder, "other").issue(),
        "wrong host": lambda: ca.issue("mail.example"),
        "expired": lambda: ca.issue(days=-1)}[what]()
    asked(api, new_email())
    with post.server(tls_context=context,
                     require_starttls=True) as (mailbox, port):
        said = office.run(*smtp(port, f"courier.ca_file={ca.pem}",
                                host="localhost", tls="starttls"), expect=75)
    assert not mailbox.mails
    assert re.search(r'why="[^"]*SSL', said), said


def test_greylisting_then_the_same_mail(api, office):
    to = new_email()
    code = asked(api, to)
    with post.server() as (mailbox, port):
        mailbox.rcpt = ["451 4.7.1 <{0}>: come back later"] * 2
        for _ in range(2):
            said = office.run(*smtp(port), expect=75)
            assert 'why="451 4.7.1 <***>: come back later"' in said
            assert office.last_error().startswith("451 4.7.1 <***>")
            office.due()
        office.run(*smtp(port))
    assert code_in(mailbox.message()) == code
    first = mailbox.mails.pop()[0].content
    # What never arrived would have been this very mail: send it again.
    asked(api, to2 := new_email())
    (row,) = office.owner.sql("SELECT id FROM docket.outbox")
    contents = []
    for _ in range(2):
        with post.scripted(post.conversation(end="451 not now")) as bad:
            office.run(*smtp(bad.port), expect=75)
        contents.append(bad.heard.split(b"DATA\r\n")[1].split(b"\r\n.\r\n")[0])
        office.due()
    assert contents[0] == contents[1]
    assert f"<{row[0]}@docket.example>".encode() in contents[0]
    assert to2.encode() in contents[0] and to2.encode() not in first


@pytest.mark.parametrize("verb, answer", [
    ("rcpt", "550 5.1.1 <{to}>: no such user here"),
    ("rcpt", "530 5.7.0 log in first, {to}"),
    ("mail", "553 5.7.1 not yours, \x1b[31m\x00 \"quoted\" \\ {code}"),
    ("mail", "421 4.3.2 going down"), ("data", "554 5.5.1 no"),
    ("end", "552 5.3.4 too big"), ("ehlo", "554 go away"),
    ("end", "250 " + "x" * 400), ("mail", "abc"), ("rcpt", "999 what")])
def test_refusals(api, office, verb, answer):
    to = new_email()
    code = asked(api, to)
    answer = answer.format(to=to, code=code)
    with post.scripted(post.conversation(
            **{verb: answer}, helo=answer if verb == "ehlo" else "")) as bad:
        never = verb == "rcpt" and answer.startswith("550")
        said = office.run(
            *smtp(bad.port, "courier.send_seconds=2"),
            expect=0 if never or answer.startswith("250") else 75)
    assert office.dead() == never
    for word in (to, to.split("@")[0], code):
        assert word not in said, said
    lines = [line for line in said.splitlines() if "message_" in line]
    assert lines and all(line.isprintable() for line in lines)
    if not answer.startswith("250"):
        (why,) = re.findall(r'why="([^"]*)"', lines[0])
        assert why
        if answer[0] in "45" and verb != "ehlo":
            assert why.startswith(answer[:8])


@pytest.mark.parametrize("manner", ["silent", "trickles", "closes", "banner",
                                    "endless"])
def test_a_server_that_does_not_answer(api, office, site, manner):
    def talk(server, peer):
        if manner == "closes":
            return
        if manner == "banner":
            peer.sendall(b"554 no mails today\r\n")
            return
        word = b"2" if manner == "trickles" else b"220-" + b"x" * 4000 + b"\n"
        while not server.over.is_set():
            if manner != "silent":
                peer.sendall(word)
            server.over.wait(0.3 if manner == "trickles" else 0)
            if manner == "silent":
                server.over.wait(30)

    asked(api, new_email())
    with post.scripted(talk) as bad:
        start = time.monotonic()
        process = office.start(*smtp(bad.port, "courier.send_seconds=2"))
        # The API does not wait for it.
        for _ in range(3):
            send_otp(api, new_phone())
        _, said = process.communicate(timeout=60 * SLOW)
    assert process.returncode == 75, said
    assert time.monotonic() - start < 20 * SLOW
    assert "message_delayed" in said


def test_nobody_is_there(api, office):
    asked(api, new_email())
    said = office.run(*smtp(docket.free_port()), expect=75)
    assert 'why="Failed to connect' in said


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_our_own_networks_are_refused_unless_allowed(api, office, tls):
    asked(api, new_email())
    with post.scripted(post.conversation()) as bad:
        allowed = "192.0.2.0/24" if tls == "none" else ""
        said = office.run(
            "courier.email=smtp", f"courier.smtp_tls={tls}", FROM,
            f"courier.smtp_url=smtp://127.0.0.1:{bad.port}",
            f"courier.allow_addresses={allowed}", expect=75)
        assert bad.heard == b""
    assert "127.0.0.1" in said and "message_delayed" in said


# --- programs -------------------------------------------------------------

HELPER = """#!/bin/sh
# What it is given, for the test to read; then its part.
here={folder}
for word; do printf '%s\\0' "$word"; done >>$here/argv
/usr/bin/env -0 >$here/environ
cat >$here/stdin
ls -l /proc/self/fd >$here/fds
pwd >$here/pwd
{part}
"""


@pytest.fixture
def helper(office, tmp_path_factory):
    """make(part) -> (its path, read(name))."""
    folder = office.folder / f"helper{office.files}"
    folder.mkdir()
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder, *office.ids)

    def make(part="exit 0"):
        path = office.file(HELPER.format(folder=folder, part=part), 0o755)
        return path, lambda name: (folder / name).read_bytes()

    yield make
    shutil.rmtree(folder)


def sendmail(path, *more):
    return ("courier.email=sendmail", f"courier.sendmail={path}", FROM, *more)


def command(path, *more, channel="sms"):
    return (f"courier.{channel}=exec", f"courier.exec_command={path}", *more)


def test_sendmail_gets_the_mail(api, office, helper):
    to = new_email()
    code = asked(api, to)
    path, read = helper()
    said = office.run(*sendmail(path))
    assert read("argv").decode().split("\0")[:-1] == [
        "-i", "-f", "no-reply@docket.example", "--", to]
    content = read("stdin")
    assert b"\r" not in content and content.endswith(b"\n")
    message = post.parse(content)
    assert len(message.items()) == 9 and not message.defects
    assert message["To"] == to and code_in(message) == code
    alone(read, code)
    assert "message_sent" in said and code not in said


def alone(read, code):
    """Nothing of ours but what is meant for it."""
    names = {one.split("=")[0] for one in
             read("environ").decode().split("\0")[:-1]}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} <= {
        "PATH", "LC_ALL", "DOCKET_MESSAGE_ID", "DOCKET_CHANNEL"}, names
    assert code.encode() not in read("environ") + read("argv")
    held = re.findall(r" (\d+) -> (\S+)", read("fds").decode())
    assert {int(n) for n, to in held if not to.startswith(
        ("/var/tmp/docket-post-", "/proc/"))} <= {0, 1, 2}, held
    assert read("pwd").strip() == b"/"


def test_a_helper_gets_the_letter_as_json(api, office, helper):
    to = new_phone()
    code = asked(api, to, purpose="change")
    (row,) = office.owner.sql("SELECT id FROM docket.outbox")
    path, read = helper("echo ref-42; echo more")
    said = office.run(*command(f"{path} --fixed word ; $(x) '"))
    assert "ref=ref-42\n" in said
    assert read("argv").decode().split("\0")[:-1] == [
        "--fixed", "word", ";", "$(x)", "'"]
    letter = json.loads(read("stdin"))
    assert set(letter) == {"id", "channel", "to", "purpose", "code",
                           "subject", "text", "language", "created_at"}
    assert (letter["id"], letter["to"], letter["code"]) == (row[0], to, code)
    assert letter["channel"] == "sms" and letter["subject"] is None
    environ = read("environ").decode().split("\0")
    assert f"DOCKET_MESSAGE_ID={row[0]}" in environ
    assert "DOCKET_CHANNEL=sms" in environ
    alone(read, code)
    docket.register(api, expect=400, phone=to, otp=code)  # it is for change


def test_a_mail_by_a_helper(api, office, helper):
    to = new_email()
    code = asked(api, to)
    path, read = helper()
    office.run(*command(path, channel="email"))
    letter = json.loads(read("stdin"))
    assert letter["subject"] == "Your Docket registration code"
    docket.register(api, email=to, otp=letter["code"])
    assert letter["code"] == code


@pytest.mark.parametrize("code", [64, 65, 67, 68, 69, 70, 75, 77, 78, 1, 127])
def test_exit_codes(api, office, helper, code):
    to = new_phone()
    otp = asked(api, to)
    path, _ = helper(f"echo '' >&2; printf '{to}: \\033[31m \\0no {otp}"
                     f" {to[1:]}\\nmore\\n' >&2; exit {code}")
    never = code in (65, 67, 68, 77)
    said = office.run(*command(path), expect=0 if never else 75)
    assert office.dead() == never
    assert re.search(rf'why="exec: exit {code}: [*]{{3}}: \?\[31m"', said)
    for word in (to, to[1:], otp, "\x1b", "more"):
        assert word not in said, said


@pytest.mark.parametrize("part, why", [
    ("sleep 300 & sleep 300", "not done in its time"),
    ("trap '' TERM; while :; do :; done", "not done in its time"),
    ("exec 0<&- 1>&- 2>&-; sleep 300", "not done in its time"),
    ("yes noise & yes noise >&2 & sleep 300", "not done in its time: noise"),
    ("kill -9 $$", "ended by a signal")])
def test_a_helper_that_hangs(api, office, helper, part, why):
    to = new_phone()
    asked(api, to)
    path, read = helper(f"echo $$ >$here/pid; {part}")
    start = time.monotonic()
    said = office.run(*command(path, "courier.send_seconds=1"), expect=75)
    assert f'why="exec: {why}' in said
    assert time.monotonic() - start < 100  # and not as long as it sleeps
    group = int(read("pid"))
    if "signal" not in why:
        wait_until(lambda: not in_group(group), "the end of its group")


def in_group(group):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[2]) == group and words[0] not in "ZX":
            found.append(stat)
    return found


def test_noise_is_no_fault(api, office, helper):
    """A helper that reads nothing, says a lot and ends well has sent it, and
    so has one that leaves something running."""
    asked(api, new_phone())
    asked(api, new_phone())
    left = office.file("")
    path = office.file("#!/bin/sh\nexec 0<&-\nhead -c 300000 /dev/zero\n"
                       "head -c 300000 /dev/zero >&2\nsleep 60 &\n"
                       f"echo $! >>{left}\n", 0o755)
    said = office.run(*command(path))
    assert said.count("message_sent") == 2
    for pid in left.read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def test_the_helper_is_gone(api, office):
    asked(api, new_phone())
    path = office.file("no program\n", 0o755)
    said = office.run(*command(path), expect=75)
    assert 'why="exec: Exec format error"' in said


# --- settings -------------------------------------------------------------

def test_every_fault_of_the_settings_is_told_at_once(office):
    open_key = office.file("x", 0o644)
    said = office.run(
        "courier.email=smtp", "courier.sms=exec", "courier.smtp_url=http://x",
        "courier.smtp_tls=none", "courier.mail_from=nobody",
        "courier.mail_name=\xff".encode("latin-1"),
        "courier.smtp_user=u", f"courier.smtp_password_file={open_key}",
        "courier.ca_file=/nonexistent/ca", "courier.language=ku",
        "courier.exec_command=relative --word", expect=78)
    for words in ("courier.smtp_url must be", "courier.smtp_tls = none is for",
                  "courier.mail_from must be", "courier.mail_name is no UTF-8",
                  f"courier.smtp_password_file: {open_key}: others can read", "courier.ca_file: ",
                  "courier.language: there is no otp.sms.ku.txt",
                  'courier.exec_command: "relative": must begin'):
        assert words in said, f"{words}: {said}"


@pytest.mark.parametrize("settings, words", [
    (("courier.smtp_user=u",), "courier.smtp_password_file is missing"),
    (("courier.smtp_password_file=/x",), "courier.smtp_user is missing"),
    (("courier.mail_from=",), "courier.mail_from must be"),
    (("courier.mail_from=a@b.example\u00e9",), "courier.mail_from must be"),
    (("courier.mail_from=a@B.example",), "courier.mail_from must be"),
    (("courier.mail_from= a@b.example",), "courier.mail_from must be"),
    (("courier.smtp_url=smtp://u:p@h",), "courier.smtp_url must be"),
    (("courier.smtp_url=smtp://h/%0d%0aRSET",), "courier.smtp_url must be"),
    (("courier.smtp_url=smtp://",), "courier.smtp_url must be"),
    (("courier.smtp_url=mail.example.org",), "courier.smtp_url must be"),
    (("courier.smtp_url=mail.example.org:25",), "courier.smtp_url must be"),
    (("courier.smtp_url=smtp://h:x",), "courier.smtp_url must be"),
    (("courier.smtp_url=smtp://h:65536",), "courier.smtp_url must be"),
    (("courier.smtp_url=smtp://[::1",), "courier.smtp_url must be"),
    (("courier.service_name=a\nb",), "courier.service_name"),
    (("courier.service_name=",), "courier.service_name"),
    (("courier.mail_name=a\x1b",), "courier.mail_name"),
    (("courier.sms_segments=0",), "courier.sms_segments"),
    (("courier.email=sendmail", "courier.sendmail=/nonexistent/x"),
     'courier.sendmail: "/nonexistent/x": No such file'),
    (("courier.email=exec",), 'courier.exec_command: "": must begin'),
    (("courier.email=exec", "courier.exec_command=/"), "courier.exec_command"),
    (("courier.sms_segments=1", "courier.language=fa"),
     "otp.sms.fa.txt: [login] takes 2 messages")])
def test_faults_of_the_settings(office, settings, words):
    said = office.run(*smtp(25, tls="starttls"), *settings, expect=78)
    assert words in said


def test_production_sends_no_password_in_clear(office):
    key = office.file("secret\n")
    more = ("courier.smtp_user=u", f"courier.smtp_password_file={key}")
    said = office.run(*instance.PRODUCTION, *smtp(25, *more), expect=78)
    assert "courier.smtp_tls = none would send the password in clear" in said
