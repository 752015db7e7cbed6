# SPDX-License-Identifier: AGPL-3.0-or-later
"""The alert rules: of metrics that there are, with a section of the runbook
each, and each tried by promtool."""

import re
import subprocess

import pytest

from docket import ROOT
from tables import FAMILIES

pytestmark = pytest.mark.plain

RULES = ROOT / "share/prometheus/docket.rules.yml"
CASES = ROOT / "tests/data/docket.rules.test.yml"
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
ALERTS = re.findall(r"^ +- alert: (\w+)$", RULES.read_text(), re.M)
SUFFIX = {"counter": "_total", "gauge": "", "info": "_info"}
PARTS = ["Means", "How bad", "First look", "Mend", "Afterwards"]


def samples():
    """Names of samples, and the labels that each may have."""
    told = {}
    for family in FAMILIES.values():
        if family.type == "histogram":
            for suffix in ("_bucket", "_sum", "_count"):
                told[family.name + suffix] = family.labels + ["le"]
        else:
            told[family.name + SUFFIX[family.type]] = family.labels
    return told


def test_the_rules_are_of_metrics_that_there_are():
    told = samples()
    text = RULES.read_text() + CASES.read_text()
    used = re.findall(r"\b(docket_\w+)(?:\{([^}]*)\})?", text)
    assert len(used) > 30
    for name, labels in used:
        assert name in told, name
        for label in re.findall(r"(\w+)=~?\"", labels):
            assert label in told[name] + ["instance"], f"{name}: {label}"


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_its_section(alert):
    parts = RUNBOOK.split(f"\n## {alert}\n")
    assert len(parts) == 2, f"{alert}: {len(parts) - 1} sections"
    section = parts[1].split("\n## ")[0]
    found = re.findall(r"^\*\*([A-Z][a-z ]+)\*\*", section, re.M)
    assert found == PARTS, f"{alert}: {found}"
    assert "\n```sh\n" in section, f"{alert}: no command"


def test_the_runbook_has_no_section_without_an_alert():
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.M) == ALERTS


def test_each_alert_is_tried():
    tried = re.findall(r"alertname: (\w+)", CASES.read_text())
    assert set(tried) == set(ALERTS)


@pytest.mark.long
def test_promtool_takes_the_scrape_of_the_page(tmp_path):
    """As it stands there, with the rules where this tree has them."""
    page = (ROOT / "docs/metrics.md").read_text()
    [text] = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    installed = "/usr/share/docket/prometheus/docket.rules.yml"
    assert installed in text
    path = tmp_path / "prometheus.yml"
    path.write_text(text.replace(installed, str(RULES)))
    done = subprocess.run(["promtool", "check", "config", str(path)],
                          text=True, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert f"{len(ALERTS)} rules found" in done.stdout, done.stdout
    # What the rules ask for by name is what the page calls it.
    assert 'job="docket"' in RULES.read_text()
    assert "job_name: docket\n" in text


@pytest.mark.long
def test_promtool_tries_them(tmp_path):
    cases = tmp_path / "cases.yml"
    cases.write_text(CASES.read_text().replace("RULES", str(RULES)))
    for words in (["check", "rules", "--lint-fatal", str(RULES)],
                  ["test", "rules", str(cases)]):
        done = subprocess.run(["promtool", *words], text=True, timeout=60,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
