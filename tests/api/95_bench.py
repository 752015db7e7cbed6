# SPDX-License-Identifier: AGPL-3.0-or-later
"""./dev bench: the arithmetic, the report, and a short run for real."""

import contextlib
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import xml.etree.ElementTree

import pytest

import docket

pytestmark = [pytest.mark.alone, pytest.mark.plain]

SVG = "{http://www.w3.org/2000/svg}"
SECTIONS = ["In short", "How to read it", "The machine", "The goals",
            "Where it goes", "Every workload beside its ceilings",
            "Is everybody served?", "Memory", "What was set", "Do it again"]
ONCE = pytest.mark.skipif(
    bool(os.environ.get("DEV_SANITIZE")),
    reason="the bench measures the build without sanitizers: run there")


def bench(*arguments, **more):
    return subprocess.run(
        [docket.ROOT / "dev", "bench", *map(str, arguments)], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=600, **more)


def row(**members):
    return {"rps": 0, "requests": 1, "p50": 1.0, "p99": 2.0, "front": 0,
            "app": 0, "pg": 0, "cpu": 0, "bytes": 0, "other": 1, "errors": 0,
            **members}


def rounds():
    """Three, of which the second is an outlier that the median drops. Of
    each: F = 20 + 80, C = 1 / (1 / 40000 + 1 / 10000) = 8000."""
    slow = [1, 3, 1]
    return {
        "docket": [row(rps=4400 / s, front=50 * s, app=60 * s, pg=100 * s,
                       cpu=210 * s) for s in slow],
        "nginx": [row(rps=40000, front=20, cpu=20) for _ in slow],
        "fastcgi": [row(rps=30000, front=40, app=10, cpu=50) for _ in slow],
        "sql": [row(rps=10000, pg=80, cpu=80, p99=None) for _ in slow],
        "own": [row(rps=9000, pg=90, cpu=90, p50=None, p99=None)
                for _ in slow],
    }


def figures():
    """What a run leaves, with numbers that can be checked by hand."""
    return {
        "date": "2026-01-31", "settings": ["--set", "profile=production"],
        "rows": {"list": rounds(), "login": {
            "docket": [row(rps=20, app=42000, cpu=42000)],
            "hash": [row(rps=22, app=40000, cpu=40000, p99=None)]}},
        "fair": {"clients": 4, "workers": 4, "seconds": 2,
                 "answered": [10, 11, 10, 12], "longest": 9, "errors": 0},
        "memory": {"idle": {"front": 8.0, "app": 6.0}, "served": 1000,
                   "loaded": {"front": 9.0, "app": 7.0}, "workers": 10},
        "facts": {"cpu": "A CPU", "cores": 2, "guest": True, "memory": 4,
                  "kernel": "6.1", "system": "Debian", "packages": {
                      "nginx": "1.22.1"}},
        "run": {"seconds": 1, "rounds": 3, "users": 20, "tasks": 20,
                "connections": 64, "logins": 2},
    }


def reported(tmp_path, found, *more):
    """The command over figures that are there: (result, document)."""
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(found))
    done = bench("--figures", path, "--report", "--output", tmp_path, *more)
    return done, (tmp_path / "performance.md").read_text()


def goal(text, what):
    """The value and the verdict of a line of goals on the terminal."""
    found = re.search(rf"^{re.escape(what)} +(\S+)  (.+?) \(good", text,
                      re.M)
    assert found, f"no line {what} in {text}"
    return found[1], found[2]


def sections(document):
    return re.findall(r"^## (.+)$", document, re.M)


def test_the_yardsticks_are_what_they_say(tmp_path):
    done, document = reported(tmp_path, figures())
    assert done.returncode == 0, done.stdout
    assert goal(done.stdout, "list: cpu/F") == ("2.10", "good")
    assert goal(done.stdout, "list: rps/C") == ("0.55", "good")
    assert goal(done.stdout, "login: CPU against its hash alone") == (
        "1.05", "must")
    assert goal(done.stdout, "memory of a worker under load, MiB") == (
        "0.70", "good")
    assert goal(done.stdout, "4 clients on 4 workers: answers of the busiest"
                " against the idlest") == ("1.20", "good")
    assert "| 4400 | 1.0 / 2.0 | 210 (50 / 60 / 100) | 2.10 | 0.55 |" in \
        document
    assert "| **list** | 20 | 80 | 30 | 10 | 70 | 210 | 70 | 1.91 |" \
        in document
    assert sections(document) == SECTIONS
    assert "./dev bench --report --seconds 1" in document


def test_what_is_refused_or_starved_is_not_passed_off_as_fast(tmp_path):
    found = figures()
    found["rows"]["list"]["docket"][1]["errors"] = 7
    found["fair"]["answered"][2] = 0
    found["rows"]["list"]["sql"][0]["other"] = 50
    found["rows"]["list"]["sql"][1]["other"] = 50
    done, document = reported(tmp_path, found)
    assert done.returncode == 1
    assert re.search(r"^! Docket .* 7$", done.stdout, re.M), done.stdout
    assert "3/4 answered" in done.stdout
    assert goal(done.stdout, "4 clients on 4 workers: answers of the busiest"
                " against the idlest") == ("inf", "missed")
    assert "**list, Docket: requests were refused or lost" in document
    assert "up to 50 % of the machine" in document


def test_the_drawing_shows_the_figures(tmp_path):
    reported(tmp_path, figures())
    root = xml.etree.ElementTree.parse(tmp_path / "performance.svg")
    bars = {r.get("class"): float(r.get("width"))
            for r in root.iter(f"{SVG}rect") if r.get("height") == "22"}
    assert set(bars) == {"front", "app", "pg", "share"}
    whole = bars["front"] + bars["app"] + bars["pg"]
    assert bars["front"] / whole == pytest.approx(50 / 210, abs=0.01)
    assert bars["pg"] / whole == pytest.approx(100 / 210, abs=0.01)
    left = min(float(r.get("x")) for r in root.iter(f"{SVG}rect"))
    marks = [(float(m.get("x1")) - left) / whole
             for m in root.iter(f"{SVG}line") if m.get("class") == "line"]
    assert any(m == pytest.approx(100 / 210, abs=0.01) for m in marks), \
        f"no line at F: {marks}"
    assert "prefers-color-scheme: dark" in \
        (tmp_path / "performance.svg").read_text()


def test_other_stacks_stand_beside_it(tmp_path):
    peers = tmp_path / "peers.json"
    ours = [row(rps=4000, cpu=200, p50=5000, p99=9000)] * 3
    theirs = [row(rps=2000, cpu=400, p50=9000, p99=30000)] * 3
    peers.write_text(json.dumps([
        {"workload": "w1", "stack": "go", "rounds": theirs},
        {"workload": "w1", "stack": "docket", "rounds": ours},
        {"workload": "w1", "stack": "l0", "rounds": ours}]))
    done, document = reported(tmp_path, figures(), "--peers", peers)
    assert done.returncode == 0, done.stdout
    assert sections(document) == SECTIONS[:8] + [
        "Beside other stacks"] + SECTIONS[8:]
    assert "| Go, net/http and pgx | 2000 | 9.0 / 30.0 | 400" in document
    assert "| 2.00 | 0.50 | 0.30 | 1 |" in document
    assert "list: requests a second against Go, net/http and pgx | 2.00 |" \
        " ≥ 1.4 | ≥ 1.7 | ≥ 1.8 | near the limit |" in document


BURIES = """
import os, sys, time
for _ in range(20):
    child = os.fork()
    if child == 0:
        end = time.process_time() + 0.03
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(child, 0)
print("done", flush=True)
sys.stdin.read()
"""


def machine():
    """bench/machine.py, by its path: the names there are not for here."""
    spec = importlib.util.spec_from_file_location(
        "bench_machine", docket.ROOT / "bench/machine.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_cpu_time_is_lost_with_those_that_die():
    """A tree whose processes come and go: what it has used only grows, and
    in the end is all that its dead had used."""
    look, seen = machine(), [0]
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", BURIES], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE)
    watch = threading.Thread(target=process.stdout.readline)
    watch.start()
    while watch.is_alive():
        seen.append(look.cpu({"x": [process.pid]})["x"])
    last = look.cpu({"x": [process.pid]})["x"]
    process.communicate()
    # Sums of hundredths, by floating point: 0.30000000000000004.
    falls = [(a, b) for a, b in zip(seen, seen[1:]) if b < a - 0.001]
    assert not falls, falls
    assert last >= 20 * 0.03 - 0.02, last


def test_a_torn_look_at_proc_is_taken_again():
    """2 was buried after its parent was read and before itself."""
    look = machine()
    torn = {1: (0, 1.0, 0.0)}
    whole = {1: (0, 1.0, 5.0)}
    looks = iter([torn, whole, whole])
    look.processes = lambda: next(looks)
    assert look.cpu({"x": [1]}) == {"x": 6.0}


@pytest.mark.parametrize("arguments", [
    ["--seconds", "0"], ["--users", "many"], ["--rounds"], ["--fast"]])
def test_options_that_make_no_sense_are_refused_at_once(arguments):
    done = bench(*arguments)
    assert done.returncode == 1 and "dev help" in done.stdout, done.stdout


# --- for real

SMALL = ["--seconds", 1, "--rounds", 1, "--users", 20, "--tasks", 20]


@pytest.fixture
def place():
    """A state directory that the accounts of the database may enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-bench-",
                                           dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def left(folder):
    """Processes that stand in a folder or were started with its files."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            where = os.readlink(path / "cwd")
        except OSError:
            continue
        if str(folder) in where or any(
                str(folder).encode() in word for word in words):
            found.append((path.name, words))
    return found


@contextlib.contextmanager
def started(place, *arguments):
    """The command, running; ended afterwards whatever became of the test."""
    process = subprocess.Popen(
        [docket.ROOT / "dev", "bench", *map(str, arguments)], text=True,
        env={**os.environ, "DEV_DIR": str(place / "dev")},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        yield process
    finally:
        process.terminate()
        process.stdout.read()
        process.wait(60)


def wait_for(process, words):
    """Read until a line has these words in it."""
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"no {words!r} in " + "".join(said))


@ONCE
@pytest.mark.long
def test_a_run_gives_figures_that_can_be(place):
    done = bench(*SMALL, "--workloads", "list,login", "--report", "--output",
                 place, env={**os.environ, "DEV_DIR": str(place / "dev")})
    assert done.returncode == 0, done.stdout
    found = json.loads((place / "dev/bench/figures.json").read_text())
    for name, rows in found["rows"].items():
        for target, (one,) in rows.items():
            assert one["errors"] == 0, (name, target, one)
            assert one["rps"] > 0 and one["cpu"] > 0, (name, target, one)
    rows = {target: one for target, (one,) in found["rows"]["list"].items()}
    ours = rows["docket"]
    assert ours["front"] > 0 and ours["app"] > 0 and ours["pg"] > 0, ours
    # No CPU but the machine's own can have been spent.
    assert ours["cpu"] * ours["rps"] < 1.1e6 * os.cpu_count(), ours
    assert 0 < ours["p50"] <= ours["p99"] < 10000, ours
    assert rows["nginx"]["app"] == rows["nginx"]["pg"] == 0, rows["nginx"]
    assert rows["fastcgi"]["app"] > 0 and rows["sql"]["pg"] > 0, rows
    # Bodies of the ceilings are as long; Docket has more headers.
    assert 0.7 < rows["nginx"]["bytes"] / ours["bytes"] < 1, rows
    assert rows["nginx"]["rps"] > ours["rps"], rows
    assert len(found["fair"]["answered"]) == 64
    assert min(found["fair"]["answered"]) > 0, found["fair"]
    assert sections((place / "performance.md").read_text()) == SECTIONS
    assert not left(place), "something still runs"


@ONCE
@pytest.mark.long
def test_a_signal_in_the_middle_leaves_nothing_running(place):
    with started(place, *SMALL) as process:
        wait_for(process, "round 1")
        assert left(place), "nothing ran"
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(60) == 130
        docket.wait_until(lambda: not left(place), "an end of everything")


@ONCE
@pytest.mark.long
def test_the_instance_can_be_lent_to_another_harness(place):
    spec = place / "spec.json"
    with started(place, "--users", 3, "--tasks", 20, "--spec", spec,
                 "--keep") as process:
        wait_for(process, "Stop:")
        lent = json.loads(spec.read_text())
        lines = pathlib.Path(lent["tokens"]).read_text().splitlines()
        assert len(lines) == 3
        client = docket.Client(docket.Dev(place / "dev/bench"))
        for token, user, name, ids in map(str.split, lines):
            page = client.get("/tasks?limit=20", token=token).json["tasks"]
            assert len(page) == 20
            assert {task["user_id"] for task in page} == {user}
            for one in ids.split(","):
                client.get(f"/tasks/{one}", token=token)
        client.post("/auth/token", json={
            "grant_type": "password", "username": name,
            "password": "correct horse battery staple"})
        client.close()
        for role, program in (("front", "nginx"), ("app", "docketd"),
                              ("pg", "postgres")):
            assert [docket.comm(pid)
                    for pid in lent["pids"][role]] == [program]
    docket.wait_until(lambda: not left(place), "an end of everything")
