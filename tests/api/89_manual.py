# SPDX-License-Identifier: AGPL-3.0-or-later
"""The manual: clean, complete, and its examples run."""

import pathlib
import re
import subprocess

import pytest

import tour
from docket import ERRORS, ROOT, ROUTES

pytestmark = pytest.mark.plain

PAGES = ("docket.1", "docket.conf.5", "docket-api.7", "docketd.8",
         "docket-courier.8")


@pytest.fixture(scope="module")
def built(dev):
    return pathlib.Path(dev.docketd()).parent


@pytest.fixture(scope="module")
def read(built):
    """A page as a reader has it, one line; or with its lines."""
    def page(name, flat=True):
        done = subprocess.run(
            ["groff", "-man", "-Tascii", "-P-c", "-rLL=400n", built / name],
            capture_output=True, text=True, check=True)
        text = re.sub(".\b", "", done.stdout)
        return " ".join(text.split()) if flat else text
    return page


def listing(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True,
                          check=True, timeout=60).stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_clean(built, page):
    for command in (["mandoc", "-T", "lint", "-W", "all"],
                    ["groff", "-man", "-Tutf8", "-ww", "-z"]):
        done = subprocess.run([*command, built / page], capture_output=True,
                              text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (built / page).read_text()
    assert not re.search(r"@[A-Z]+@", text), "something is not filled in"
    assert text.isascii()


def test_no_page_is_forgotten():
    """What the sources have, the units name and pages refer to."""
    sources = {p.name.removesuffix(".in")
               for p in (ROOT / "man").glob("*.in")}
    assert sources == set(PAGES)
    named = set()
    for unit in filter(pathlib.Path.is_file, (ROOT / "systemd").iterdir()):
        named |= set(re.findall(r"man:([\w.-]+)\((\d)\)", unit.read_text()))
    for page in (ROOT / "man").glob("*.in"):
        named |= {(name.replace("\\", ""), section) for name, section in
                  re.findall(r"^\.BR (docket\S*) \((\d)\)",
                             page.read_text(), re.M)}
    assert named and {f"{name}.{section}" for name, section in named} \
        <= set(PAGES)


def test_every_command_and_option_is_there(dev, read):
    text = read("docket.1")
    noun = usage = None
    for line in listing(dev.docket(), "--commands").splitlines():
        kind, *columns = line.split("\t")
        if kind == "noun":
            noun = columns[0]
        elif kind == "command":
            usage = " ".join(filter(None, ["docket", noun, *columns[:2]]))
            assert usage in text
            assert columns[4] in text, usage
        else:
            told = " ".join(filter(None, [columns[0], columns[4]]))
            assert told in text and columns[5] in text, (usage, told)


def test_keys_in_code_are_those_of_page_and_sample(dev, read):
    rows = re.findall(
        r'^SETTING\((\w+), (\w+), (\w+), "((?:[^"\\]|\\.)*)", (\d+), (\d+),'
        r' "((?:[^"\\]|\\.)*)"\)', (ROOT / "include/tbl/settings.h")
        .read_text(), re.M)
    assert len(rows) > 100
    text = read("docket.conf.5", flat=False)
    text = text.split("\nSETTINGS\n")[1].split("\nEXAMPLES\n")[0]
    told = []
    section = "top"
    for line in text.splitlines():
        head = re.fullmatch(r"   (\w+)", line)
        key = re.match(r"       (\w+) \((.*); default (.*); "
                       r"(reload|restart)\)$", line)
        if head:
            section = head[1]
        elif key:
            told.append((section, *key.groups()))
    assert [one[:2] for one in told] == [row[:2] for row in rows]
    for (section, key, _, dflt, low, high, doc), one in zip(rows, told):
        _, _, what, default, when = one
        assert default == (dflt or "empty"), one
        if not what.startswith(("on or", "one of")):
            assert high in what, one
        assert ("restart" == when) == \
            (doc.endswith("(restart)") or section == "courier"), one
        for word in re.match(r"\[?([^]]*)", doc)[1].split("|") \
                if doc.startswith("[") else ():
            assert word in what, one
    sample = listing(dev.docketd(), "--settings")
    section, keys = "top", []
    for line in sample.splitlines():
        if re.fullmatch(r"(\w+) \{", line):
            section = line.split()[0]
        found = re.match(r"\t?#(\w+) = ", line)
        if found:
            keys.append((section, found[1]))
    assert keys == [row[:2] for row in rows]


def test_every_route_and_error_is_there(read):
    text = read("docket-api.7", flat=False)
    routes, errors = text.split("\nROUTES\n")[1].split("\nERROR CODES\n")
    told = re.findall(r"^       ([A-Z]+) (/\S*) \((\w+)\)$", routes, re.M)
    assert sorted(told) == sorted((r.method, r.path, r.operation)
                                  for r in ROUTES)
    codes = dict(re.findall(r"^       (\w+) \((\d+)\)$",
                            errors.split("\nEXAMPLES\n")[0], re.M))
    assert codes == {code: str(status)
                     for code, (status, *_) in ERRORS.items()
                     if code not in ("seal_broken", "no_row")}


@pytest.mark.parametrize("program", ["docketd", "docket-courier"])
def test_the_options_of_a_page_are_those_of_help(built, read, program):
    option = r"(?<![\w-])--?[a-z][\w-]*"
    said = set(re.findall(option, listing(built / program, "--help")))
    text = read(f"{program}.8").split(" EXAMPLES ")[0]
    page = set(re.findall(option, text))
    assert said - page == set()
    assert page - said - {"--config"} == set()


def example(built, page):
    """The shell lines of a page's EXAMPLES."""
    text = (built / page).read_text().split("\n.SH EXAMPLES\n")[1]
    blocks = re.findall(r"^\.EX\n(.*?)^\.EE$", text, re.M | re.S)
    assert blocks, page
    return [block.replace("\\-", "-").replace("\\(aq", "'")
            .replace("\\e", "\\") for block in blocks]


def test_the_examples_run(dev, built, tmp_path, admin):
    for program in ("docket", "docketd", "docket-courier"):
        conf = f"-c {dev.dir}/docket.conf" if program == "docket" else ""
        path = tmp_path / program
        path.write_text(f'#!/bin/sh\nexec {built / program} {conf} "$@"\n')
        path.chmod(0o755)
    start = (f"cd {tmp_path}; DOCKET_CONF={dev.dir}/docket.conf;"
             f" NAME='{dev.admin['username']}';"
             f" PASSWORD='{dev.admin['password']}'\n")
    parts = [block for page in PAGES if page != "docket.conf.5"
             for block in example(built, page)]
    tour.run(dev, [start, *parts], str(tmp_path))


def test_the_settings_that_are_shown_are_right(dev, built, tmp_path):
    conf = tmp_path / "docket.conf"
    conf.write_text("\n".join(example(built, "docket.conf.5")))
    told = listing(dev.docket(), "-c", conf, "config", "show", "--changed")
    assert len(told.splitlines()) == 5


def test_it_is_installed(built, tmp_path):
    subprocess.run(["make", "-s", "-C", built, "install-man",
                    "install-nodist_completionDATA",
                    f"DESTDIR={tmp_path}"], check=True,
                   capture_output=True, timeout=300)
    found = {str(p.relative_to(tmp_path)).split("/share/", 1)[1]
             for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {f"man/man{page[-1]}/{page}" for page in PAGES} | {
        "bash-completion/completions/docket"}
