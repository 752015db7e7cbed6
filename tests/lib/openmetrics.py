# SPDX-License-Identifier: AGPL-3.0-or-later
"""OpenMetrics 1.0 text, read strictly: what is not in its grammar fails."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
NUMBER = r"(?:[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|[+-]Inf|NaN)"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL}(?:,{LABEL})*)?)\}})? "
                    rf"({NUMBER})")
SUFFIXES = {"counter": ("_total", "_created"), "gauge": ("",),
            "histogram": ("_bucket", "_sum", "_count", "_created"),
            "info": ("_info",)}
ORDER = ["TYPE", "UNIT", "HELP"]


class Family:
    def __init__(self, name):
        self.name, self.said, self.samples = name, {}, {}

    @property
    def type(self):
        return self.said.get("TYPE")


def parse(text):
    """{family name: Family} of a whole exposition."""
    assert text.endswith("\n# EOF\n"), f"no end: {text[-40:]!r}"
    assert "\r" not in text and "\n\n" not in text and "\t" not in text
    lines = text.split("\n")[:-2]
    families, family = {}, None
    for line in lines:
        if line.startswith("#"):
            family = take_word(families, family, line)
        else:
            take_sample(family, line)
    for one in families.values():
        check(one)
    return families


def take_word(families, family, line):
    found = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
    assert found, f"no metadata: {line}"
    word, name, value = found.groups()
    if word == "TYPE":
        assert name not in families, f"{name} comes twice"
        assert value in SUFFIXES, line
        family = families[name] = Family(name)
    assert family and family.name == name, f"{line} is not {name}'s place"
    assert word not in family.said and not family.samples, line
    if family.said:
        last = list(family.said)[-1]
        assert ORDER.index(word) > ORDER.index(last), line
    if word == "UNIT":
        assert name.endswith("_" + value), f"{name} is not in {value}"
    if word == "HELP":
        assert value and not re.search(r"\\(?![\\n\"])", value), line
    family.said[word] = value
    return family


def take_sample(family, line):
    found = SAMPLE.fullmatch(line)
    assert found, f"no sample: {line}"
    name, labels, value = found[1], found[2] or "", found[found.re.groups]
    assert family and name.startswith(family.name), line
    suffix = name[len(family.name):]
    assert suffix in SUFFIXES[family.type], f"{line} in a {family.type}"
    pairs = re.findall(LABEL, labels)
    assert len(dict(pairs)) == len(pairs), f"a label twice: {line}"
    key = (suffix, tuple(sorted(pairs)))
    assert key not in family.samples, f"twice: {line}"
    family.samples[key] = float(value)


def check(family):
    assert family.said.get("HELP"), f"{family.name} has no help"
    names = {suffix: {tuple(k for k, _ in labels if k != "le")
                      for s, labels in family.samples if s == suffix}
             for suffix, _ in family.samples}
    for suffix, sets in names.items():
        assert len(sets) == 1, f"{family.name}{suffix}: labels differ: {sets}"
    if family.type in ("counter", "histogram"):
        for key, value in family.samples.items():
            assert value >= 0, f"{family.name}{key}: {value}"
    if family.type == "info":
        assert set(family.samples.values()) <= {1.0}, family.name
    if family.type == "histogram":
        check_histogram(family)


def check_histogram(family):
    series = {}
    for (suffix, labels), value in family.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        one = series.setdefault(rest, {"le": []})
        if suffix == "_bucket":
            bound = dict(labels)["le"]
            assert bound == "+Inf" or "." in bound, f"not canonical: {bound}"
            one["le"].append((float(bound), value))
        else:
            one[suffix] = value
    for rest, one in series.items():
        bounds = [bound for bound, _ in one["le"]]
        counts = [count for _, count in one["le"]]
        assert bounds == sorted(set(bounds)), f"{family.name}{rest}: {bounds}"
        assert bounds[-1] == float("inf"), f"{family.name}{rest}"
        assert counts == sorted(counts), f"{family.name}{rest}: {counts}"
        assert one["_count"] == counts[-1], f"{family.name}{rest}"
        assert one["_sum"] >= 0 and (one["_sum"] == 0 or one["_count"])


class Scrape:
    def __init__(self, families):
        self.families = families

    def get(self, name, **labels):
        """The sum of a family's samples that have these labels; the suffix
        of a histogram is part of the name. 0 when there is none."""
        total = 0.0
        for family in self.families.values():
            for (suffix, pairs), value in family.samples.items():
                if family.name + suffix == name \
                        and labels.items() <= dict(pairs).items():
                    total += value
        return total

    def has(self, name):
        return any(family.name + suffix == name
                   for family in self.families.values()
                   for suffix, _ in family.samples)

    def counters(self):
        """Everything that may only grow, as {(name, labels): value}."""
        return {(f.name + suffix, labels): value
                for f in self.families.values()
                if f.type in ("counter", "histogram")
                for (suffix, labels), value in f.samples.items()}


def scrape(client, query=""):
    """Ask, read strictly, give a Scrape."""
    reply = client.get("/metrics" + query, 200, headers=[
        ("Accept", "application/openmetrics-text;version=1.0.0;q=0.5,"
         "text/plain;version=0.0.4;q=0.3,*/*;q=0.1")])
    assert reply.type == ("application/openmetrics-text; version=1.0.0; "
                          "charset=utf-8"), str(reply)
    return Scrape(parse(reply.body.decode()))
