# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page /docs in a browser: read, sign in, try, in light and dark, wide
and narrow; nothing is said to the console and no other host is asked."""

import pytest

import browser
from docket import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not browser.found(),
                       reason="no chromium-headless-shell")]

LOOKS = [(scheme, width) for scheme in ("light", "dark")
         for width in (1280, 375)]

# What the scripts below may use: shadows hide their inside from querySelector.
LOOK = """
function* deep(node) {
	yield node;
	for (const one of [...(node.shadowRoot ? [node.shadowRoot] : []),
	                   ...(node.children ?? [])])
		yield* deep(one);
}
const all = [...deep(document.body)];
const words = all.filter((one) => one.shadowRoot)
	.map((one) => one.shadowRoot.textContent).join(" ");
const tryer = (method, path) => all.find((one) =>
	one.localName === "api-request" && one.method === method &&
	one.path === path)?.shadowRoot;
"""


def look(page, script):
    return page.run("(() => {" + LOOK + "return " + script + ";})()")


def shown(page, script, what):
    page.until("(() => {" + LOOK + "return Boolean(" + script + ");})()",
               what)


def open_page(page, dev):
    page.go(dev.url + "/docs")
    shown(page, "words.includes('GNU Affero')", "the interface")


def sign_in(page, name, password):
    page.type("#name", name)
    page.type("#password", password)
    page.key("Enter", 13)


def quiet(page, dev, *expected):
    """No script failed, no policy was broken; all it asked for is ours."""
    for said in page.complaints():
        assert any(word in str(said) for word in expected), said
    asked = {url.split("/")[2] for url in page.asked()
             if not url.startswith(("data:", "about:", "blob:"))}
    assert asked == {dev.url.split("/")[2]}


BUTTON = "tryer('post', '/tasks')?.querySelector('[part~=btn-try]')"


def try_it(page):
    """What a reader does: to the operation, and its button."""
    page.run("location.hash = '#post-/tasks'")
    shown(page, BUTTON, "the button to try")
    look(page, BUTTON + ".click()")


@pytest.mark.parametrize("scheme,width", LOOKS)
def test_it_is_tried(dev, page, fresh, pictures, scheme, width):
    one = fresh()
    page.light(scheme, width)
    open_page(page, dev)
    page.picture(pictures / f"page-{scheme}-{width}.png")
    assert page.run("document.documentElement.dataset.theme") == scheme
    assert page.run("document.documentElement.scrollWidth") <= width
    sign_in(page, one.username, one.password)
    page.until("!document.getElementById('inside').hidden", "who it is")
    assert page.run("document.getElementById('who').textContent") == \
        one.username
    assert page.run("document.getElementById('password').value") == ""
    assert page.run("sessionStorage.length + localStorage.length") == 0
    try_it(page)
    shown(page, "words.includes('Status: 201')", "201")
    look(page, BUTTON + ".scrollIntoView()")
    page.picture(pictures / f"tried-{scheme}-{width}.png")
    assert [t["title"] for t in one.tasks()] == ["Sample Task"]
    assert page.run("document.documentElement.scrollWidth") <= width
    quiet(page, dev)


def test_without_a_token_it_is_401(dev, page):
    open_page(page, dev)
    try_it(page)
    shown(page, "words.includes('Status: 401')", "401")
    quiet(page, dev, "401")


def test_what_is_said_of_a_wrong_password(dev, page, fresh):
    one = fresh()
    open_page(page, dev)
    sign_in(page, one.username, "wrong horse")
    page.until("document.getElementById('said').textContent", "the words")
    assert page.run("document.getElementById('inside').hidden")
    assert page.run("document.activeElement.id") == "password"
    assert page.run("document.getElementById('password').value") == ""
    quiet(page, dev, "400")


def test_signing_out_ends_the_session(dev, page, fresh):
    one = fresh()
    before = len(one.get("/auth/sessions").json["sessions"])
    open_page(page, dev)
    sign_in(page, one.username, one.password)
    page.until("!document.getElementById('inside').hidden", "who it is")
    assert len(one.get("/auth/sessions").json["sessions"]) == before + 1
    page.run("document.getElementById('leave').click()")
    page.until("!document.getElementById('enter').hidden", "the form")
    wait_until(lambda: len(one.get("/auth/sessions").json["sessions"])
               == before, "the session's end")
    try_it(page)
    shown(page, "words.includes('Status: 401')", "401")
    quiet(page, dev, "401")


def test_the_theme_turns_and_stays(dev, page):
    page.light("light", 1280)
    open_page(page, dev)
    page.run("document.getElementById('theme').click()")
    shown(page, "words.includes('GNU Affero')", "the interface again")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    page.go("about:blank")
    open_page(page, dev)
    assert page.run("document.documentElement.dataset.theme") == "dark"
    assert look(page, "getComputedStyle(document.querySelector('rapi-doc'))"
                ".getPropertyValue('--bg')").strip() == "#16181d"
    quiet(page, dev)


def test_a_keyboard_is_enough(dev, page):
    """Each stop of the bar says what it is, and shows that it is there."""
    open_page(page, dev)
    seen = []
    for _ in range(7):
        page.key("Tab", 9)
        seen.append(page.run(
            "(() => {const one = document.activeElement;"
            "const style = getComputedStyle(one);"
            "return [one.id || one.textContent.trim(),"
            " style.outlineStyle !== 'none',"
            " Boolean(one.textContent.trim() || one.labels?.length)];})()"))
    assert [one[0] for one in seen] == [
        "openapi.json", "docket.http", "Postman collection", "name",
        "password", "Sign in", "theme"]
    assert all(one[1] and one[2] for one in seen), seen


def test_the_token_is_renewed_in_time(dev, page, fresh):
    """Half a minute before its end; here that comes at once."""
    one = fresh()
    page.call("Page.addScriptToEvaluateOnNewDocument", source="""
        const later = setTimeout;
        let hurried = 0;
        window.setTimeout = (work, ms, ...more) => later(work,
            ms > 400000 && hurried++ < 2 ? 100 : ms, ...more);""")
    open_page(page, dev)
    sign_in(page, one.username, one.password)
    wait_until(lambda: len([url for url in page.asked()
                            if url.endswith("/auth/token")]) == 3,
               "two renewals", 20)
    try_it(page)
    shown(page, "words.includes('Status: 201')", "201")
    assert len(one.get("/auth/sessions").json["sessions"]) == 2
    quiet(page, dev)


def test_who_signs_out_during_a_renewal_is_out(dev, page, fresh):
    one = fresh()
    page.call("Page.addScriptToEvaluateOnNewDocument", source="""
        const later = setTimeout, ask = fetch;
        let tokens = 0;
        window.setTimeout = (work, ms, ...more) => later(work,
            ms > 400000 ? 100 : ms, ...more);
        window.fetch = async (...what) => {
            const reply = await ask(...what);

            if (String(what[0]).endsWith("/auth/token") && ++tokens === 2)
                await new Promise((go) => { window.letGo = go; });
            return reply;
        };""")
    open_page(page, dev)
    sign_in(page, one.username, one.password)
    page.until("Boolean(window.letGo)", "a renewal under way")
    page.run("document.getElementById('leave').click()")
    page.until("!document.getElementById('enter').hidden", "the form")
    page.run("letGo()")
    try_it(page)
    shown(page, "words.includes('Status: 401')", "401")
    # A session that came back would be renewed at once.
    assert len([url for url in page.asked()
                if url.endswith("/auth/token")]) == 2
    quiet(page, dev, "401")


def test_without_scripts_there_is_a_link(dev, page):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.go(dev.url + "/docs")
    page.until("document.body.innerText.includes('Without JavaScript')",
               "the words")
    assert page.run("document.querySelector('noscript a').pathname") == \
        "/openapi.json"
    assert page.run("getComputedStyle(document.getElementById('enter'))"
                    ".display") == "none"
    quiet(page, dev)
