# SPDX-License-Identifier: AGPL-3.0-or-later
"""./dev seed-data and ./dev bench --scale: that the data are a service's own,
and that the report says what was measured."""

import json
import re
import subprocess
import sys

import pytest

import docket

pytestmark = pytest.mark.plain

BENCH = docket.ROOT / "bench"


@pytest.fixture(scope="module")
def scale():
    sys.path.insert(0, str(BENCH))
    try:
        import report
        import scale as found
        found.report = report
        yield found
    finally:
        sys.path.remove(str(BENCH))


def seeded(dev, *arguments):
    owner = dev.dsn.replace("user=docket_api", "user=docket_owner")
    done = subprocess.run(
        [docket.ROOT / "dev", "seed-data", "--dsn", owner, *arguments],
        text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return re.search(r"accounts (bench\d+) to (bench\d+)", done.stdout), done


def test_who_was_seeded_is_an_account_like_any(dev):
    names, done = seeded(dev, "--users", "3", "--tasks", "60", "--big", "90")
    assert "tasks: 180 of 180" in done.stderr
    for name, n in ((names[1], 60), (names[2], 90)):
        one = docket.login(dev, name, dev.admin["password"])
        page = one.get("/tasks?limit=200&count=exact").json
        assert page["total"] == n
        assert [t["number"] for t in page["tasks"]] == list(range(1, n + 1))
        ids = [t["id"] for t in one.tasks("?limit=200&sort=created_at")]
        assert ids == [t["id"] for t in page["tasks"]]
        assert [t["number"] for t in one.tasks("?q=17")] == [17]
        assert len({t["status"] for t in page["tasks"]}) > 2
        assert any(not t["title"].isascii() for t in page["tasks"])
        assert any(t["tags"] for t in page["tasks"])
        dated = [t for t in page["tasks"] if t["due_date"]]
        assert 0 < len(dated) < n
        # The counter goes on where the tasks end, the order too.
        made = one.task("one more")
        assert made["number"] == n + 1
        assert made["position"] > page["tasks"][-1]["position"]
        one.close()


def test_a_second_time_adds_others(dev):
    first, _ = seeded(dev, "--users", "2", "--tasks", "1")
    second, _ = seeded(dev, "--users", "2", "--tasks", "1")
    assert second[1] > first[2]


def test_without_an_account_to_take_the_password_of(dev):
    owner = dev.dsn.replace("user=docket_api", "user=docket_owner")
    done = subprocess.run(
        [docket.ROOT / "dev", "seed-data", "--dsn", owner, "--password-of",
         "nobody there"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 1 and "no account" in done.stderr


def figures(scale):
    return {
        "rows": {name: {"small": [100, 300, 100], "hot": [110, 300, 120],
                        "uniform": [200, 600, 220]}
                 for name in scale.WORKLOADS},
        "pages": {f"{depth}-{sort}": {"few": [50, 50, 90],
                                      "many": [50, 60, 90]}
                  for depth in ("first", "deep") for sort in scale.SORTS},
        "args": {"rows": 10_000_000, "seconds": 2, "rounds": 3},
        "facts": {"cpu": "A CPU", "cores": 2, "memory": 4},
        "date": "2026-01-31"}


def test_a_ratio_is_the_median_of_its_rounds(scale):
    part = scale.section(figures(scale))
    assert "| **get**: one task | 100 | 120 | 220 | 1.10 | 2.00 |" in part
    assert "| first page by `due_date` | 50 | 60 | 1.00 |" in part
    assert "10,000,000" in part and "1,000,000 tasks" in part


def test_the_section_is_put_once_and_kept(scale, tmp_path):
    part = scale.section(figures(scale))
    text = "# Performance\n\n## Memory\n\nm\n\n## What was set\n\ns\n"
    once = scale.put(text, part)
    assert once.index("## Memory") < once.index(scale.HEAD) < \
        once.index("## What was set")
    assert scale.put(once, part) == once
    assert scale.put(once, scale.kept(once)) == once
    assert scale.kept(text) == ""


def test_a_report_of_the_rest_keeps_it(scale, tmp_path, monkeypatch):
    part = scale.section(figures(scale))
    text = "# Performance\n\n## What was set\n\n"
    monkeypatch.setattr(scale.report, "markdown", lambda *_: text + "new\n")
    monkeypatch.setattr(scale.report.plot, "svg", lambda _: None)
    path = tmp_path / "performance.md"
    path.write_text(scale.put(text + "old\n", part))
    scale.report.write(tmp_path, json.loads("{}"))
    assert scale.kept(path.read_text()).strip() == part.strip()
    assert "new" in path.read_text() and "old" not in path.read_text()
