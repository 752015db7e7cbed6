# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sign-in page in a browser: in, back to where one wanted to go, out."""

import pytest

import browser
import guarded
from docket import new_name

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not browser.found(),
                       reason="no chromium-headless-shell")]

TEXT = "document.body.innerText"
FORM = "!document.getElementById('form').hidden"


@pytest.fixture(scope="module")
def site(dev):
    with guarded.site(dev) as found:
        yield found


def sign_in(page, name, password):
    page.until(FORM, "the form")
    page.type("#name", name)
    page.type("#password", password)
    page.key("Enter", 13)


def cookies(page):
    return {c["name"]: c for c in page.call("Network.getAllCookies")[
        "cookies"]}


def quiet(page, *expected):
    """No script failed and no policy was broken: 401s are told, no more."""
    for said in page.complaints():
        words = str(said)
        assert any(word in words for word in expected), words


def test_in_and_out(site, page, fresh):
    one = fresh(username=new_name("ž"))
    page.go(site.url + "/app/a?b=c&d=%2f#part")
    sign_in(page, one.username, one.password)
    page.until("location.pathname === '/app/a'", "the page wanted")
    assert page.run("location.search + location.hash") == "?b=c&d=%2f#part"
    assert one.id in page.run(TEXT)
    cookie = cookies(page)["__Host-docket"]
    assert cookie["httpOnly"] and cookie["secure"]
    assert cookie["sameSite"] == "Strict" and cookie["path"] == "/"
    assert page.run("document.cookie") == ""
    assert page.run("localStorage.length + sessionStorage.length") == 0
    # From another site's page, which sends no such cookie: over the page,
    # and on.
    page.go("about:blank")
    page.go(site.url + "/notes.txt")
    page.until(TEXT + " === 'notes'", "the notes")
    page.go(site.url + "/reports/")
    page.until(TEXT + ".includes('Not for this account')", "the refusal")
    page.go(site.url + "/_docket/signin.html")
    page.until(f"{TEXT}.includes('{one.username}')", "who one is")
    page.run("document.getElementById('leave').click()")
    page.until(FORM, "the form again")
    assert "__Host-docket" not in cookies(page)
    page.go(site.url + "/notes.txt")
    page.until("location.pathname === '/_docket/signin.html'", "the way in")
    assert {url.split("/")[2] for url in page.asked()
            if url.startswith("http")} == {site.url.split("/")[2]}
    quiet(page, "401", "403", "favicon")


def test_a_link_from_another_site_leads_on(site, page, fresh):
    """SameSite=Strict: the cookie stays at home, the page asks again."""
    one = fresh()
    page.go(site.url + "/notes.txt")
    sign_in(page, one.username, one.password)
    page.until(TEXT + " === 'notes'", "the notes")
    page.go(one.dev.url.replace("localhost", "127.0.0.1") + "/healthz")
    page.until(TEXT + ".includes('ok')", "another site")
    page.run(f"location.href = '{site.url}/notes.txt?again'; 0")
    page.until(TEXT + " === 'notes'", "the notes by a link")
    assert page.run("location.search") == "?again"
    assert any("/_docket/signin.html?next=/notes.txt?again" in url
               for url in page.asked())


@pytest.mark.parametrize("to", [
    "//evil.example/", "/\\evil.example/", "https://evil.example/",
    "javascript:alert(1)", "/%09/evil.example", "\\\\evil.example",
    "/.//evil.example/"])
def test_no_way_leads_elsewhere(site, page, fresh, to):
    one = fresh()
    page.go(site.url + "/_docket/signin.html?next=" + to)
    sign_in(page, one.username, one.password)
    page.until("location.pathname !== '/_docket/signin.html'", "the end")
    page.until("document.readyState === 'complete'", "it all")
    assert page.run("location.origin") == site.url
    assert not [url for url in page.asked() if "//evil" in url.split("?")[0]
                and not url.startswith(site.url + "/")]


def test_what_is_said_of_a_wrong_password(site, page, fresh, pictures):
    one = fresh()
    for scheme in ("light", "dark"):
        page.light(scheme)
        page.go(site.url + "/")
        page.until(FORM, "the form")
        page.picture(pictures / f"signin-{scheme}.png")
        sign_in(page, one.username, "wrong horse")
        page.until("!document.getElementById('problem').hidden", "the words")
        assert "Wrong name or password." in page.run(TEXT)
        assert page.run("document.activeElement.id") == "password"
        assert page.run("document.getElementById('password').value") == ""
        page.picture(pictures / f"wrong-{scheme}.png")
    page.type("#password", one.password)
    page.key("Enter", 13)
    page.until(TEXT + " === 'the front'", "the front")
    for scheme in ("light", "dark"):
        page.light(scheme, width=360)
        page.go(site.url + "/_docket/signin.html")
        page.until(f"{TEXT}.includes('{one.username}')", "who one is")
        page.picture(pictures / f"inside-{scheme}.png")
        page.go(site.url + "/reports/")
        page.until(TEXT + ".includes('Not for this account')", "the refusal")
        page.picture(pictures / f"forbidden-{scheme}.png")
    assert page.run("document.documentElement.scrollWidth") <= 360
